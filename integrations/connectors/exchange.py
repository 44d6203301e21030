"""One HTTP request to an address that was checked, and its bounded answer.

Every connector that speaks HTTP sends through here, so that each has the address rule, a deadline for the whole
exchange and a limit on what it reads.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from integrations.connectors.addresses import Resolve, check

CONNECT_SECONDS = 5.0
MOST_ANSWER_BYTES = 64 * 1024  # an answer is a receipt, not a document


class NotSent(Exception):
    """No connection came about: the request certainly did not arrive."""


class NoAnswer(Exception):
    """The request, or a part of it, was on its way and no answer came: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` holds the first MOST_ANSWER_BYTES at most; `whole` tells whether that was all of it."""

    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool


def post(
    *,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed_private_hosts: Collection[str],
    seconds: float,
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """POST once, without following redirects, within `seconds` after the name is resolved.

    AddressRefused and AddressUnknown before anything is sent, NotSent, NoAnswer. The system's proxies are not used:
    a proxy would resolve the name again, out of sight of the rule.
    """
    target = check(url=url, allowed_private_hosts=allowed_private_hosts, resolve=resolve)
    ends = time.monotonic() + seconds
    original = httpx.URL(url)
    # SSL_CERT_FILE and SSL_CERT_DIR are honoured by the context, so a company's own authority works.
    with httpx.Client(
        verify=tls or httpx.create_ssl_context(), trust_env=False, follow_redirects=False
    ) as client:
        for at, address in enumerate(target.addresses):
            left = ends - time.monotonic()
            request = client.build_request(
                "POST",
                original.copy_with(host=address),
                content=body,
                headers={
                    "Host": original.netloc.decode("ascii"),
                    "User-Agent": "Countersign",
                    # Nothing to unpack: a small compressed answer could grow past every limit.
                    "Accept-Encoding": "identity",
                    **headers,
                },
                timeout=httpx.Timeout(max(left, 0.001), connect=max(min(CONNECT_SECONDS, left), 0.001)),
                # The connection goes to the checked address; the certificate is still demanded for the name.
                extensions={"sni_hostname": target.host},
            )
            try:
                with _deadline(request=request, seconds=left):
                    return _send(client=client, request=request)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if at + 1 == len(target.addresses) or time.monotonic() >= ends:
                    raise NotSent(_why_not_sent(error=error, host=target.host)) from error
            except httpx.TimeoutException as error:
                raise NoAnswer(f"{target.host} did not answer within {seconds:g} seconds.") from error
            except httpx.TransportError as error:
                late = time.monotonic() >= ends
                raise NoAnswer(
                    f"{target.host} did not answer within {seconds:g} seconds."
                    if late
                    else f"The connection to {target.host} broke before an answer came."
                ) from error
    raise AssertionError("a checked target has at least one address")


def _send(*, client: httpx.Client, request: httpx.Request) -> Answer:
    answer = client.send(request, stream=True)
    try:
        body, whole = _read(answer)
        return Answer(status=answer.status_code, headers=answer.headers, body=body, whole=whole)
    finally:
        answer.close()


def _read(answer: httpx.Response) -> tuple[bytes, bool]:
    kept = bytearray()
    try:
        for piece in answer.iter_raw():
            kept += piece
            if len(kept) > MOST_ANSWER_BYTES:
                return bytes(kept[:MOST_ANSWER_BYTES]), False
    except httpx.TransportError:
        # The status has been said; a body that breaks off takes nothing back.
        return bytes(kept), False
    return bytes(kept), True


@contextlib.contextmanager
def _deadline(*, request: httpx.Request, seconds: float) -> Iterator[None]:
    """Cut the connection when the time is up.

    httpx bounds each read, not their sum: a receiver that sends one byte every few seconds would hold a worker for
    ever.
    """
    streams: list[Any] = []

    def remember(event: str, details: Mapping[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            streams.append(details["return_value"])

    def cut() -> None:
        for stream in reversed(streams):
            with contextlib.suppress(OSError, ValueError):
                # Below TLS: a polite close would wait for the other side.
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    request.extensions["trace"] = remember
    timer = threading.Timer(max(seconds, 0.001), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _why_not_sent(*, error: Exception, host: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of {host} could not be verified ({cause.verify_message})."
        if isinstance(cause, ssl.SSLError):
            return f"{host} did not agree on an encrypted connection."
        if isinstance(cause, ConnectionRefusedError):
            return f"{host} refused the connection."
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return f"{host} could not be reached in time."
    return f"{host} could not be reached."
