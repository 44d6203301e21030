"""The OpenID Connect provider as allauth talks to it, held to more of the standard.

allauth checks state and PKCE. Here every sign-in has a nonce as well, the token's signature is checked although it came
over the provider's own connection, and what the provider says at its own address must be about the same person.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from config.signing_in.provider_settings import PROVIDER


def nonce_for(verifier: str) -> str:
    """Of PKCE's verifier, which the session keeps: who does not know it cannot make one that fits, and it says nothing."""
    digest = hashlib.sha256(b"nonce:" + verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider(OpenIDConnectProvider):
    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = super().get_pkce_params()
        params["nonce"] = nonce_for(params["code_verifier"])
        return params

    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, str]:
        return {}  # nothing that a link may add

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        scope: list[str] = self.get_scope()
        return scope

    def get_oauth2_adapter(self, request: HttpRequest) -> Adapter:
        return Adapter(request, PROVIDER)


class Adapter(OpenIDConnectOAuth2Adapter):
    _verifier = ""

    def get_provider(self) -> Provider:
        return Provider(self.request, app=super().get_provider().app)

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        self._verifier = pkce_code_verifier or ""
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("The provider sent no id_token.")
        login = super().complete_login(request, app, token, **kwargs)
        said = login.account.extra_data
        signed, userinfo = said["id_token"], said.get("userinfo") or {}
        if not hmac.compare_digest(str(signed.get("nonce", "")), nonce_for(self._verifier)):
            raise OAuth2Error("The nonce of the id_token is not that of this sign-in.")
        if userinfo and userinfo.get("sub") != signed.get("sub"):
            raise OAuth2Error("The provider's userinfo is about somebody else.")
        return login

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token, keys_url=self.openid_config["jwks_uri"], issuer=self.openid_config["issuer"],
            audience=app.client_id, lookup_kid=jwtkit.lookup_kid_jwk, verify_signature=True,
        )  # fmt: skip
        return claims


@login_not_required
@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _view(request, provider_id, OAuth2LoginView)


@login_not_required
@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _view(request, provider_id, OAuth2CallbackView)


def _view(request: HttpRequest, provider_id: str, kind: Any) -> HttpResponse:
    try:
        answer: HttpResponse = kind.adapter_view(Adapter(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer
