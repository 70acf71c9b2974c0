"""A socket that listens, as servers get it."""

from __future__ import annotations

import socket

import pytest

from ocrkit.errors import OcrkitError
from ocrkit.sockets import listen


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
