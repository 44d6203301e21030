from __future__ import annotations

import ipaddress
import socket
import time

import pytest

from integrations.connectors import addresses
from integrations.connectors.addresses import AddressRefused, AddressUnknown, check, is_public, look_up


def resolving(*found):
    return lambda host, port: list(found)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
    ],
)
def test_a_private_or_reserved_address_is_refused(address):
    with pytest.raises(AddressRefused, match="private or reserved") as caught:
        check(url="https://hooks.example/", allowed_private_hosts=(), resolve=resolving(address))
    assert address not in str(caught.value), "the answer must not map the network"


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_a_public_address_is_allowed(address):
    assert is_public(ipaddress.ip_address(address))
    target = check(url="https://hooks.example/", allowed_private_hosts=(), resolve=resolving(address))
    assert target.addresses == (address,)


def test_one_private_address_among_public_ones_refuses_the_name():
    with pytest.raises(AddressRefused):
        check(
            url="https://hooks.example/", allowed_private_hosts=(), resolve=resolving("1.1.1.1", "10.0.0.1")
        )


@pytest.mark.parametrize(
    "url",
    [
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::ffff:7f00:1]/",
    ],
)
def test_other_spellings_of_loopback_are_seen_through(url):
    with pytest.raises(AddressRefused):
        check(url=url, allowed_private_hosts=())


@pytest.mark.parametrize("listed", ["crm.internal", "CRM.Internal.", " crm.internal "])
def test_a_listed_host_may_be_private_and_without_encryption(listed):
    target = check(
        url="http://crm.internal:8080/in", allowed_private_hosts=[listed], resolve=resolving("10.0.0.9")
    )
    assert (target.scheme, target.host, target.port, target.addresses) == (
        "http",
        "crm.internal",
        8080,
        ("10.0.0.9",),
    )


def test_a_listed_host_does_not_open_another():
    with pytest.raises(AddressRefused):
        check(
            url="https://other.internal/",
            allowed_private_hosts=["crm.internal"],
            resolve=resolving("10.0.0.9"),
        )


def test_a_public_host_needs_encryption():
    with pytest.raises(AddressRefused, match="without encryption"):
        check(url="http://hooks.example/", allowed_private_hosts=(), resolve=resolving("1.1.1.1"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/in",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https://",
        "https://hooks.example:99999/",
        "https://user:word@hooks.example/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/\r\nHost: other",
        "https://hooks example/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url):
    with pytest.raises(AddressRefused):
        check(url=url, allowed_private_hosts=(), resolve=resolving("1.1.1.1"))


def test_a_name_outside_ascii_is_read_as_it_is_sent():
    target = check(url="https://bücher.example/", allowed_private_hosts=(), resolve=resolving("1.1.1.1"))
    assert target.host == "xn--bcher-kva.example"


def test_a_name_without_an_address_is_unknown_and_not_refused():
    with pytest.raises(AddressUnknown):
        check(url="https://nowhere.invalid/", allowed_private_hosts=())


def test_a_silent_name_server_holds_nobody(monkeypatch):
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(1) or [])
    began = time.monotonic()
    with pytest.raises(AddressUnknown, match=r"within 0\.2 seconds"):
        look_up("slow.example", 443)
    assert time.monotonic() - began < 1
