"""A socket that listens, as servers get it."""

from __future__ import annotations

import socket

import pytest

from ocrkit.errors import OcrkitError
from ocrkit.sockets import is_closed_to_others, listen


def test_whoever_comes_before_the_server_takes_connections_is_let_wait():
    with listen("localhost", 0) as listening, socket.create_connection(listening.getsockname()[:2], 60):
        taken, _ = listening.accept()
        taken.close()


def test_a_port_that_another_listens_at_is_refused():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OcrkitError, match=rf"127\.0\.0\.1:{port} cannot be had: .*; give another --port"):
            listen("127.0.0.1", port)


def test_a_host_that_nobody_knows_is_named():
    host = "x" * 64  # longer than a name may be, so that no server of names is asked
    with pytest.raises(OcrkitError, match=f"No address is known of the host '{host}': check --host"):
        listen(host, 0)


def test_an_address_of_another_machine_is_told_from_a_port_that_is_taken():
    with pytest.raises(OcrkitError, match=r"^192\.0\.2\.1 is an address of another machine"):  # nobody's
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "closed"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.1", False)],
)
def test_it_is_known_whether_others_can_connect(host, closed):
    assert is_closed_to_others(host) == closed
