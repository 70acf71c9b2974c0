"""Where a result comes from: which code, on which machine, when."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from ocrkit import __version__, git, strict

_PACKAGE = Path(__file__).parent


def told(commit: str | None, changed: bool) -> str:
    """A commit for people to read, and whether the code was changed since; empty where it is not known."""
    return f"{commit[:10]}{', changed since' * changed}" if commit and commit != git.UNKNOWN else ""


def machine() -> str:
    """The processor, how many of its cores this process may use, and the system."""
    return f"{processor()}, {platform.system()}, Python {platform.python_version()}"


def processor() -> str:
    """The processor, its instruction set and how many of its cores this process may use.

    What is computed may differ in the last bits between kinds; see `ocrkit.strict`.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ", ".join(filter(None, [_processor(), strict.instruction_set(), f"{cores} core{'s' * (cores > 1)}"]))


def made() -> dict[str, str]:
    """The facts that a page shows of its making, by what they are."""
    return {"Made": now(), "ocrkit": ", commit ".join(filter(None, [__version__, _commit()])), "Machine": machine()}


def now() -> str:
    """The time, to the minute, such as 4 May 2026, 09:30 UTC."""
    time = datetime.now(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _commit() -> str:
    """That of the code which runs; empty where git does not track it.

    An installed package may lie in somebody else's repository, whose commit says nothing of it.
    """
    if not git.ask(_PACKAGE, "ls-files", "--", "."):
        return ""
    return told(git.commit(_PACKAGE), bool(git.ask(_PACKAGE, "status", "--porcelain", "--", ".")))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
