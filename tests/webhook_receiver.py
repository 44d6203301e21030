"""A webhook receiver that is really there, with the habits of bad ones.

`with webhook_receiver(secret="whsec_...") as receiver:` serves on loopback in a thread; `python -m tests.webhook_receiver
--port N --log FILE --secret whsec_...` serves in the foreground until it is ended. The path says how it answers: /ok
(200), any status as /429, /silent (reads, never answers), /drop (reads, hangs up), /drip (one byte at a time),
/redirect (to a cloud's metadata address), /huge (an answer without end), /odd (an answer that is not HTTP).

Every request that was read is one delivery, written down before it is answered: what a receiver did does not depend
on whether the sender hears of it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data/"
LONGEST_SECONDS = 30.0  # no mode holds a connection longer


@dataclass(frozen=True)
class Received:
    id: str
    valid: bool  # the signature, by the library's own check
    repeated: bool  # an id seen before
    path: str
    body: Any  # parsed JSON, or the text where it is none
    raw: str
    headers: dict[str, str]  # lower-case names
    at: float  # seconds since the epoch


@dataclass
class Receiver:
    secret: str
    log: Path | None = None
    retry_after: str = "7"
    answer: bytes = b'{"id":"R-1"}'
    base: str = ""
    deliveries: list[Received] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/ok") -> str:
        return self.base + path

    def note(self, *, path: str, headers: dict[str, str], raw: bytes) -> Received:
        try:
            Webhook(self.secret).verify(raw, headers)
            valid = True
        except (WebhookVerificationError, ValueError):
            valid = False
        text = raw.decode("utf-8", errors="replace")
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        key = headers.get("webhook-id", "")
        with self._lock:
            received = Received(
                id=key,
                valid=valid,
                repeated=any(each.id == key for each in self.deliveries),
                path=path,
                body=body,
                raw=text,
                headers=headers,
                at=time.time(),
            )
            self.deliveries.append(received)
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as lines:
                    line = asdict(received)
                    line.pop("raw")
                    lines.write(json.dumps(line) + "\n")
        return received


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LONGEST_SECONDS
    receiver: Receiver

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(200, b"ok")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = self.receiver.note(path=self.path, headers=headers, raw=raw)
        mode = self.path.strip("/").partition("?")[0]
        if mode.isdigit():
            wait = {"Retry-After": self.receiver.retry_after} if mode in {"429", "503"} else {}
            self._answer(int(mode), b'{"error":"not today"}', wait)
            return
        misbehave = getattr(self, f"_{mode}", None)
        if misbehave is not None and mode in {"silent", "drop", "drip", "redirect", "huge", "odd"}:
            misbehave()
            return
        if received.valid:
            self._answer(200, self.receiver.answer)
        else:
            self._answer(401, b'{"error":"signature not valid"}')

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _silent(self) -> None:
        self.close_connection = True
        self.receiver.stopping.wait(LONGEST_SECONDS)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _drip(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.receiver.stopping.wait(0.1):
                self.wfile.write(b"a")

    def _odd(self) -> None:
        self.close_connection = True
        self.wfile.write(b"220 mail.example ESMTP\r\n")

    def _redirect(self) -> None:
        self._answer(307, b"", {"Location": METADATA_ADDRESS})

    def _huge(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(2000):  # 128 MB, if anybody reads them
                self.wfile.write(b"x" * 65536)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a silent one would hold the end of the test
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a sender that hangs up is no error of ours
            super().handle_error(request, client_address)


def _server(*, receiver: Receiver, host: str, port: int) -> _Server:
    return _Server((host, port), type("Handler", (_Handler,), {"receiver": receiver}))


@contextlib.contextmanager
def webhook_receiver(
    *,
    secret: str,
    log: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    """A receiver on a free port unless `port` names one; with `tls`, over HTTPS."""
    receiver = Receiver(secret=secret, log=log)
    server = _server(receiver=receiver, host=host, port=port)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.base = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield receiver
    finally:
        receiver.stopping.set()
        server.shutdown()
        server.server_close()
        serving.join(timeout=5)


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive webhooks on loopback and write each one down.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True, help="one JSON line per delivery is added")
    parser.add_argument("--secret", required=True, help="whsec_ and base64")
    chosen = parser.parse_args()
    server = _server(
        receiver=Receiver(secret=chosen.secret, log=chosen.log), host="127.0.0.1", port=chosen.port
    )
    print(f"Receiving webhooks on http://127.0.0.1:{server.server_address[1]}/ok", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
