from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time

import pytest

from integrations.connectors.exchange import MOST_ANSWER_BYTES, NoAnswer, NotSent, post
from tests.integrations.connectors.conftest import SECRET
from tests.webhook_receiver import webhook_receiver

LOOPBACK = ("127.0.0.1",)


@pytest.fixture(scope="module")
def receiver():
    with webhook_receiver(secret=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for hooks.example alone, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hooks.example -keyout key.pem -out certificate.pem"
    subprocess.run(
        ["openssl", *made.split(), "-addext", "subjectAltName=DNS:hooks.example"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=30,
    )
    return folder / "certificate.pem", folder / "key.pem"


def send(url, *, allowed=LOOPBACK, seconds=3.0, **more):
    return post(url=url, body=b"{}", headers={}, allowed_private_hosts=allowed, seconds=seconds, **more)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_name_is_resolved_once_and_the_checked_address_is_called(receiver):
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    port = receiver.base.rpartition(":")[2]
    answer = send(f"http://hooks.internal:{port}/200", allowed=["hooks.internal"], resolve=rebinding)
    assert answer.status == 200
    assert asked == ["hooks.internal"]
    assert receiver.deliveries[-1].headers["host"] == f"hooks.internal:{port}"


def test_the_next_address_is_tried_when_the_first_takes_no_connection(receiver):
    port = receiver.base.rpartition(":")[2]
    # The receiver listens on 127.0.0.1 alone: 127.0.0.2 refuses.
    answer = send(
        f"http://hooks.internal:{port}/200",
        allowed=["hooks.internal"],
        resolve=lambda *_: ["127.0.0.2", "127.0.0.1"],
    )
    assert answer.status == 200


def test_the_certificate_is_demanded_for_the_name_although_the_address_is_called(certificate):
    chain, key = certificate
    names = []
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain, key)
    serving.sni_callback = lambda sock, name, context: names.append(name)
    trusting = ssl.create_default_context(cafile=chain)
    with webhook_receiver(secret=SECRET, tls=serving) as receiver:
        port = receiver.base.rpartition(":")[2]

        def call(host):
            return send(
                f"https://{host}:{port}/200", allowed=[host], resolve=lambda *_: ["127.0.0.1"], tls=trusting
            )

        assert call("hooks.example").status == 200
        assert names == ["hooks.example"]
        with pytest.raises(NotSent, match=r"certificate of other\.example"):
            call("other.example")
        with pytest.raises(NotSent, match=r"certificate of hooks\.example"):
            send(
                f"https://hooks.example:{port}/", allowed=["hooks.example"], resolve=lambda *_: ["127.0.0.1"]
            )
        assert len(receiver.deliveries) == 1


def test_a_proxy_of_the_environment_is_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert send(receiver.url("/200")).status == 200


def test_a_refused_connection_was_certainly_not_sent():
    with pytest.raises(NotSent, match="refused the connection"):
        send(f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("mode", ["/silent", "/drip"])
def test_the_whole_exchange_has_a_deadline(receiver, mode):
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"within 0\.8 seconds"):
        send(receiver.url(mode), seconds=0.8)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("mode", ["/drop", "/odd"])
def test_a_broken_connection_may_have_arrived(receiver, mode):
    with pytest.raises(NoAnswer, match="broke before an answer"):
        send(receiver.url(mode))


def test_an_answer_without_end_is_cut(receiver):
    began = time.monotonic()
    answer = send(receiver.url("/huge"))
    assert answer.status == 200
    assert len(answer.body) == MOST_ANSWER_BYTES
    assert not answer.whole
    assert time.monotonic() - began < 2


def test_a_redirect_is_an_answer_and_not_followed(receiver):
    began = time.monotonic()
    answer = send(receiver.url("/redirect"))
    assert answer.status == 307
    assert time.monotonic() - began < 1


def test_a_listener_on_ipv6_is_reached_by_its_literal_address():
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    with listening:
        listening.settimeout(3)
        port = listening.getsockname()[1]
        with pytest.raises(NoAnswer):
            send(f"http://[::1]:{port}/", allowed=["::1"], seconds=0.3)
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(3)
            assert f"Host: [::1]:{port}".encode() in connection.recv(4096)
