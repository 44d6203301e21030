"""An OpenID Connect provider on loopback, over real HTTP: signs with a key of its own, wants PKCE, takes each code once.

`says` is what it claims about whoever signs in; `spoil` makes it answer what no honest provider would.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "countersign", "its-secret"


@dataclass
class OidcProvider:
    issuer: str = ""
    says: dict[str, Any] = field(default_factory=lambda: {"sub": "someone"})
    spoil: set[str] = field(default_factory=set)  # nonce, signature, audience, subject, expired
    asked: list[dict[str, str]] = field(default_factory=list)  # what came to /authorize
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def token(self, *, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": "another" if "audience" in self.spoil else CLIENT, "iat": now,
            "exp": now - 60 if "expired" in self.spoil else now + 300,
            "nonce": "other" if "nonce" in self.spoil else asked.get("nonce", ""), **self.says,
        }  # fmt: skip
        key = rsa.generate_private_key(65537, 2048) if "signature" in self.spoil else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "k"})


@contextlib.contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    provider = OidcProvider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def answer(self, body: dict[str, Any], status: int = 200) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            base = provider.issuer
            if url.path == "/.well-known/openid-configuration":
                ends = ("authorization", "token", "userinfo")
                self.answer(
                    {
                        "issuer": base, "jwks_uri": f"{base}/jwks", **{f"{end}_endpoint": f"{base}/{end}" for end in ends},
                        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                    }
                )  # fmt: skip
            elif url.path == "/jwks":
                jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(provider.key.public_key()))
                self.answer({"keys": [{**jwk, "kid": "k", "alg": "RS256", "use": "sig"}]})
            elif url.path == "/authorization":
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                provider.asked.append(asked)
                code = secrets.token_urlsafe(16)
                provider.codes[code] = asked
                back = urlencode({"code": code, "state": asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            elif url.path == "/userinfo":
                subject = "somebody-else" if "subject" in provider.spoil else provider.says["sub"]
                self.answer({**provider.says, "sub": subject})
            else:
                self.answer({"error": "not_found"}, 404)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            given = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            asked = provider.codes.pop(given.get("code", ""), None)  # a code is good for once
            if asked is None:
                provider.refused.append("code")
                return self.answer({"error": "invalid_grant"}, 400)
            digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if asked.get("code_challenge_method") != "S256" or asked["code_challenge"] != challenge:
                provider.refused.append("pkce")
                return self.answer({"error": "invalid_grant"}, 400)
            kind, _, sent = self.headers.get("Authorization", "").partition(" ")
            if (kind, base64.b64decode(sent).decode()) != ("Basic", f"{CLIENT}:{SECRET}"):
                provider.refused.append("client")
                return self.answer({"error": "invalid_client"}, 401)
            self.answer(
                {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "id_token": provider.token(asked=asked)}
            )  # fmt: skip

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
