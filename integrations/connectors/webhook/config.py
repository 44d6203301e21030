"""What a person enters for a webhook."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from integrations.connectors.addresses import read

ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class WebhookConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: str = Field(title="Address", max_length=2000)
    # The name, never the secret: a stored secret would be in every backup, export and history page.
    secret_env: str = Field(title="Environment variable of the secret", max_length=100)
    timeout_seconds: float = Field(title="Time to answer, in seconds", default=10, ge=1, le=60)

    @field_validator("url")
    @classmethod
    def _can_be_called(cls, url: str) -> str:
        read(url)  # where it leads is judged at each delivery: names move
        return url

    @field_validator("secret_env")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if name.startswith("whsec_"):
            raise ValueError(
                "this is the secret itself. Put it into an environment variable and enter the variable's name here."
            )
        if not ENVIRONMENT_NAME.fullmatch(name):
            raise ValueError(
                "enter the name of an environment variable: capital letters, digits and underscores, "
                "such as BILLING_WEBHOOK_SECRET."
            )
        return name


def describe(config: WebhookConfig) -> str:
    # The host alone: the path of many receivers' addresses is a secret in itself.
    _, host, _ = read(config.url)
    return f"Signed webhook to {host}"
