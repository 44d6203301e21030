"""A signed POST, as the Standard Webhooks specification describes it."""

from integrations.connectors.base import Repeat
from integrations.connectors.base import cannot_be_asked as find
from integrations.connectors.webhook.config import WebhookConfig as Config
from integrations.connectors.webhook.config import describe
from integrations.connectors.webhook.send import deliver

label = "Webhook"
repeat = Repeat.SAFE  # the receiver knows a repeat by its webhook-id

__all__ = ["Config", "deliver", "describe", "find", "label", "repeat"]
