"""A hub on loopback that serves one file, and misbehaves in the ways that mirrors do."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """`cuts` are the numbers of bytes after which the first answers are cut off; `stall_after` bytes each answer falls
    silent until the hub is closed."""

    content: bytes
    cuts: list[int] = field(default_factory=list)
    stall_after: int | None = None
    ranges: bool = True
    status: int | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def loopback_hub(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.paths.append(self.path)
            hub.asked.append(self.headers.get("Range", ""))
            start = 0
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if found and hub.ranges:
                start = int(found.group(1))
            self.send_response(hub.status or (206 if start else 200))
            self.send_header("Content-Length", str(len(hub.content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
            self.end_headers()
            rest = hub.content[start:]
            if hub.cuts:
                rest = rest[: hub.cuts.pop(0)]
            if hub.stall_after is not None:
                rest = rest[: hub.stall_after]
            with contextlib.suppress(ConnectionError):
                self.wfile.write(rest)
                self.wfile.flush()
                if hub.stall_after is not None:
                    hub.closed.wait(10)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.closed.set()
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


@contextlib.contextmanager
def deaf_address() -> Iterator[str]:
    """An address that takes no connection and refuses none: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                knocking.connect(listener.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
