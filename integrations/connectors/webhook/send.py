"""Sign, post, and say what the answer means."""

from __future__ import annotations

import binascii
import json
import os
import ssl
from collections.abc import Collection
from datetime import UTC, datetime

from django.conf import settings
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from integrations.connectors.addresses import AddressRefused, AddressUnknown, Resolve, read
from integrations.connectors.base import DeliveryFailed, Parcel, Receipt
from integrations.connectors.exchange import Answer, NoAnswer, NotSent, post
from integrations.connectors.retry_after import seconds_to_wait
from integrations.connectors.webhook.config import WebhookConfig
from integrations.connectors.webhook.payload import payload
from integrations.connectors.words import one_line

KEPT = "The result is kept here."
TRIED_AGAIN = f"{KEPT} It will be sent again by itself; the receiver knows a repeat by its key."


def deliver(*, parcel: Parcel, config: WebhookConfig) -> Receipt:
    return send(
        parcel=parcel,
        config=config,
        secret=os.environ.get(config.secret_env, ""),
        allowed_private_hosts=getattr(settings, "ALLOWED_PRIVATE_HOSTS", ()),
    )


def send(
    *,
    parcel: Parcel,
    config: WebhookConfig,
    secret: str,
    allowed_private_hosts: Collection[str] = (),
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> Receipt:
    """`deliver` with everything it takes from its surroundings as an argument."""
    return send_body(
        body=payload(parcel), key=parcel.key, config=config, secret=secret, allowed_private_hosts=allowed_private_hosts,
        resolve=resolve, tls=tls,
    )  # fmt: skip


def send_body(
    *,
    body: str,
    key: str,
    config: WebhookConfig,
    secret: str,
    allowed_private_hosts: Collection[str] = (),
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> Receipt:
    """Sign and post any text, in ASCII. Raises DeliveryFailed."""
    headers = _sign(body=body, key=key, secret=secret, secret_env=config.secret_env)
    try:
        answer = post(
            url=config.url,
            body=body.encode("ascii"),
            headers=headers,
            allowed_private_hosts=allowed_private_hosts,
            seconds=config.timeout_seconds,
            resolve=resolve,
            tls=tls,
        )
    except AddressRefused as error:
        raise DeliveryFailed(f"{error} Nothing was sent. {KEPT}", certain=True, retry=False) from error
    except (AddressUnknown, NotSent) as error:
        raise DeliveryFailed(
            f"{error} Nothing was sent. {KEPT} It will be tried again by itself.", certain=True, retry=True
        ) from error
    except NoAnswer as error:
        raise DeliveryFailed(
            f"{error} It may have arrived. {TRIED_AGAIN}", certain=False, retry=True
        ) from error
    return _read(answer=answer, host=read(config.url)[1])


def _sign(*, body: str, key: str, secret: str, secret_env: str) -> dict[str, str]:
    if not secret:
        raise DeliveryFailed(
            f"The environment variable {secret_env} is not set, so nothing could be signed and nothing was sent. "
            f"{KEPT} Have an administrator set it to the receiver's secret, then send again.",
            certain=True,
            retry=False,
        )
    now = datetime.now(UTC)
    try:
        # Only a webhook secret: a destination must not be able to name, say, the database's password.
        if not secret.startswith("whsec_"):
            raise ValueError
        signature = Webhook(secret).sign(key, now, body)
    except (ValueError, binascii.Error, EmptyWebhookSecretError):
        raise DeliveryFailed(
            f"The environment variable {secret_env} does not hold a webhook secret: it begins with “whsec_”, and "
            f"base64 follows. Nothing was sent. {KEPT} Have an administrator correct it, then send again.",
            certain=True,
            retry=False,
        ) from None
    return {
        "Content-Type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def _read(*, answer: Answer, host: str) -> Receipt:
    status = answer.status
    said = _said(answer)
    quoted = f"{host} answered {status}" + (f": “{said}”." if said else ".")
    if 200 <= status < 300:
        return Receipt(reference=_reference(answer), detail=f"{host} answered {status}")
    wait = seconds_to_wait(answer.headers.get("retry-after"), now=datetime.now(UTC))
    if status == 429:
        raise DeliveryFailed(
            f"{quoted} It takes no more at the moment. {KEPT} It will be sent again by itself.",
            certain=True,
            retry=True,
            retry_after=wait,
        )
    if status >= 500 or status in {408, 425}:
        raise DeliveryFailed(
            f"{quoted} It may have taken the result all the same. {TRIED_AGAIN}",
            certain=False,
            retry=True,
            retry_after=wait,
        )
    raise DeliveryFailed(f"{quoted} {_next_step(status)} {KEPT}", certain=True, retry=False)


def _next_step(status: int) -> str:
    if 300 <= status < 400:
        return "It points to another address, and redirects are not followed. Enter the final address, then send again."
    if status in {401, 403}:
        return "It does not accept our signature. Compare the secret on both sides, then send again."
    if status == 404:
        return "There is no receiver at this address. Correct the address, then send again."
    if status == 410:
        return "It no longer wants these deliveries. Ask its owner, then change or remove the destination."
    return "It refused the result. Ask its owner what it did not accept, then send again."


def _said(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A page of HTML tells a person nothing on one line; unasked-for compression cannot be read.
    if "content-encoding" in answer.headers or kind not in {
        "text/plain",
        "application/json",
        "application/problem+json",
    }:
        return ""
    return one_line(answer.body.decode("utf-8", errors="replace"), at_most=200)


def _reference(answer: Answer) -> str:
    """The receiver's own name for the record, where it answers {"id": ...}."""
    try:
        found = json.loads(answer.body) if answer.whole else None
    except (ValueError, RecursionError):
        return ""
    name = found.get("id") if isinstance(found, dict) else None
    if isinstance(name, bool) or not isinstance(name, str | int):
        return ""
    return one_line(str(name), at_most=200)
