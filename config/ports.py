"""Whether a port can be had, said before anything starts."""

import errno
import socket
import time


def why_not_free(*, host: str, port: int) -> str:
    """Why nothing can listen there, in words; empty when something can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: without it, connections that ended a minute ago still count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port {port} is used by another program."
            if error.errno == errno.EACCES:
                return f"Port {port} needs administrator rights."
            return f"Nothing can listen on {host} port {port} ({error.strerror})."
    return ""


def wait_for_port(*, host: str, port: int, seconds: float) -> str:
    """As `why_not_free`, after waiting at most `seconds` for children of a killed supervisor to let the port go."""
    until = time.monotonic() + seconds
    while (reason := why_not_free(host=host, port=port)) and time.monotonic() < until:
        time.sleep(0.2)
    return reason


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
