"""The site on a port of loopback, in threads of this process, and one thread for the rows.

Playwright keeps an event loop running in the thread of the tests, where Django refuses its database: everything with rows
goes through `Rows.do`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread


class Rows:
    """One thread with its own connection, for as long as the session lasts."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rows")

    def do[T](self, act: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return self._pool.submit(act, *args, **kwargs).result(timeout=120)

    def end(self) -> None:
        self.do(connections.close_all)
        self._pool.shutdown()


@contextlib.contextmanager
def serving() -> Iterator[str]:
    thread = LiveServerThread("127.0.0.1", static_handler=StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://{thread.host}:{thread.port}"
    finally:
        thread.terminate()
