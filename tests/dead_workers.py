"""A pytest plug-in: a run ends and fails where a worker of pytest-xdist dies, at whatever moment.

pytest-xdist 3.8.0 starts another worker, and with `--dist loadfile` gives that one no files and waits for ever. One
that dies while it collects or ends fails no test: the run would pass, in the first case without a single test.
"""

from __future__ import annotations

from typing import Any

import pytest

_DEAD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """No other worker in place of a dead one, unless the command line asks for it."""
    if getattr(config.option, "maxworkerrestart", "") is None:
        config.option.maxworkerrestart = "0"


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Remember who died."""
    if error:
        node.config.stash.setdefault(_DEAD, []).append(node.gateway.id)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail: not all tests were run."""
    if _DEAD in session.config.stash and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say who died."""
    if dead := config.stash.get(_DEAD, []):
        terminalreporter.write_line(f"died, so that not all tests were run: {', '.join(dead)}", red=True)
