"""Which addresses a destination may be reached at.

A destination's address is typed by a person and resolved by somebody else's name server. Without a rule, it could
make this server call its own network: the database beside it, a cloud's metadata service, a printer. So a name is
resolved once, every address it gives is checked, and the caller connects to a checked address, never to the name
again (a second look-up could answer differently).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

NO_ADDRESS = "This is not a web address; it should look like https://example.com/path."
HOST = re.compile(r"[a-z0-9_.:-]{1,253}")  # after IDNA; the colon for IPv6
DEFAULT_PORTS = {"https": 443, "http": 80}

RESOLVE_SECONDS = 5.0
MOST_ADDRESSES = 4  # enough for a dual-stack name with a spare each; bounds the time spent on connecting

# NAT64 gateways write an IPv4 address into the last 32 bits; what counts is where that leads.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(ValueError):
    """The rule says no; the text is for the person who typed the address."""


class AddressUnknown(Exception):
    """The name could not be resolved just now; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked destination. `addresses` are literal IPs to connect to, `host` is for Host header and TLS."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


def check(*, url: str, allowed_private_hosts: Collection[str], resolve: Resolve | None = None) -> Target:
    """Resolve and judge `url`; AddressRefused or AddressUnknown.

    `allowed_private_hosts` holds host names or literal addresses that an administrator trusts although they are
    private; they alone may be called without TLS.
    """
    scheme, host, port = read(url)
    allowed = host in {_plain(each) for each in allowed_private_hosts}
    if scheme == "http" and not allowed:
        raise AddressRefused(
            f"{host} would be reached without encryption. Enter an address that begins with https, "
            "or have an administrator add the host to the allowed private hosts."
        )
    addresses = (resolve or look_up)(host, port)
    if not addresses:
        raise AddressUnknown(f"The name {host} has no address.")
    if not allowed and not all(is_public(ipaddress.ip_address(each)) for each in addresses):
        # The address itself is not shown: the answer would map the inside of a network for whoever asks.
        raise AddressRefused(
            f"{host} leads to a private or reserved network address, which destinations may not reach. "
            "Enter a public address, or have an administrator add the host to the allowed private hosts."
        )
    return Target(scheme=scheme, host=host, port=port, addresses=tuple(addresses[:MOST_ADDRESSES]))


def read(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a typed address; AddressRefused when it is none that can be called.

    Read by the parser that sends, so that what is checked and what is called cannot differ.
    """
    try:
        parts = httpx.URL(url)
        host = _plain(parts.raw_host.decode("ascii"))
    except (httpx.InvalidURL, ValueError):
        raise AddressRefused(NO_ADDRESS) from None
    if parts.scheme not in DEFAULT_PORTS or not HOST.fullmatch(host):
        raise AddressRefused(NO_ADDRESS)
    if parts.userinfo:
        raise AddressRefused(
            "The address contains a user name or a password; leave them out, they would be stored."
        )
    if parts.port is not None and not 0 < parts.port < 65536:
        raise AddressRefused(f"Port {parts.port} does not exist; ports go from 1 to 65535.")
    return parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme]


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, judged by where it really leads."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        # Tunnels carry an IPv4 address that nobody on the way checks; no real receiver lives behind one today.
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def look_up(host: str, port: int) -> list[str]:
    """The addresses of `host` in the system's order, within RESOLVE_SECONDS; AddressUnknown otherwise."""
    found: list[str] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    # getaddrinfo has no time-out of its own, and a name server that stays silent would hold the worker.
    asking = threading.Thread(target=ask, daemon=True, name="look-up")
    asking.start()
    asking.join(RESOLVE_SECONDS)
    if asking.is_alive():
        raise AddressUnknown(f"The name {host} could not be resolved within {RESOLVE_SECONDS:g} seconds.")
    if failed:
        raise AddressUnknown(f"The name {host} could not be resolved.")
    return list(found)


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()
