"""A plain-text mail with the accepted values and a link."""

from integrations.connectors.base import Repeat
from integrations.connectors.base import cannot_be_asked as find
from integrations.connectors.email.config import EmailConfig as Config
from integrations.connectors.email.config import describe
from integrations.connectors.email.send import deliver

label = "E-mail"
repeat = Repeat.ASK  # a mailbox cannot be asked whether a mail arrived

__all__ = ["Config", "deliver", "describe", "find", "label", "repeat"]
