"""What the environment says about single sign-on. Read by the settings, so nothing of Django is imported here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from config.environment import listed

PROVIDER = "sso"  # part of the address that the provider sends people back to


def issuer() -> str:
    return os.environ.get("OIDC_ISSUER", "").strip().rstrip("/")


def name() -> str:
    return os.environ.get("OIDC_NAME", "").strip() or "single sign-on"


def groups_claim() -> str:
    return os.environ.get("OIDC_GROUPS_CLAIM", "").strip()


def group_prefix() -> str:
    return os.environ.get("OIDC_GROUP_PREFIX", "").strip()


def allowed_domains() -> set[str]:
    """Empty: any."""
    return {one.lower().lstrip("@") for one in listed("OIDC_ALLOWED_DOMAINS")}


def providers() -> dict[str, Any]:
    """allauth's `SOCIALACCOUNT_PROVIDERS`: one provider, or none at all."""
    if not issuer():
        return {}
    client = os.environ.get("OIDC_CLIENT_ID", "").strip()
    if not client:
        raise SystemExit(
            "OIDC_ISSUER is set and OIDC_CLIENT_ID is not. Set both, or neither. Nothing was started."
        )
    secret = _secret()
    app = {
        "provider_id": PROVIDER,
        "name": name(),
        "client_id": client,
        "secret": secret,
        "settings": {
            "server_url": issuer(),
            "oauth_pkce_enabled": True,
            "token_auth_method": _authentication(secret=secret),
            "scope": listed("OIDC_SCOPES", "openid,profile,email"),
        },
    }
    return {"openid_connect": {"APPS": [app]}}


def _authentication(*, secret: str) -> str:
    """How this client proves itself to the provider: as the standard says unless told otherwise."""
    said = os.environ.get("OIDC_CLIENT_AUTHENTICATION", "").strip() or "client_secret_basic"
    if said not in ("client_secret_basic", "client_secret_post"):
        raise SystemExit(
            "OIDC_CLIENT_AUTHENTICATION is client_secret_basic or client_secret_post. Nothing was started."
        )
    return said if secret else "client_secret_post"


def _secret() -> str:
    """From the variable that is named, or a file. Empty for a client without a secret: PKCE stands for it."""
    if path := os.environ.get("OIDC_CLIENT_SECRET_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise SystemExit(
                f"OIDC_CLIENT_SECRET_FILE cannot be read: {error}. Nothing was started."
            ) from None
    if variable := os.environ.get("OIDC_CLIENT_SECRET_ENV"):
        if variable not in os.environ:
            raise SystemExit(
                f"OIDC_CLIENT_SECRET_ENV names {variable}, which is not set. Nothing was started."
            )
        return os.environ[variable].strip()
    return ""
