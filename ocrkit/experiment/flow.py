"""Run DVC, and tell a person what it does, a line a stage."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ocrkit import git
from ocrkit.errors import OcrkitError
from ocrkit.quiet import QUIET

_STAGE = re.compile(r"Stage '(?P<skipped>\w+)' (didn't change|is cached)|Running stage '(?P<running>\w+)'")
# Advice that DVC repeats after every stage, and its own echo of the command.
_NOISE = re.compile(
    r"^(> python -m|(Updating|Generating) lock file|Use `dvc (push|exp)|To (track|enable|apply|promote)|\s*(git|dvc) "
    r"(add|config|exp)|.*is frozen\. Its dependencies are not|\s*$)"
)


class StageFailed(OcrkitError):
    """DVC stopped because a stage failed."""


def environment() -> dict[str, str]:
    """This process's environment with the programs of its Python first, as if it were activated."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, **QUIET, "PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"}


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM, as docker, systemd, Slurm or a cancelled CI job send it, interrupts as Ctrl-C does; once."""

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_repository(root: Path) -> None:
    """Refuse a folder that is not under git, as from "Download ZIP", where DVC cannot work.

    Raises:
        OcrkitError: it is not.
    """
    if git.ask(root, "rev-parse", "--git-dir") is None:
        raise OcrkitError(
            f"{root} is not under git, or git is not installed, and DVC tells versions apart by it: clone the project, "
            f"or make a repository of this copy with `git init && git add -A && git commit -m Start`."
        )


def run_dvc(*arguments: str, cwd: Path, extra: Mapping[str, str] | None = None) -> None:
    """Run `dvc` with `arguments`; its stages' own lines are passed on, each stage ends with its time.

    Args:
        arguments: of the command.
        cwd: the project.
        extra: variables on top of this process's.

    Raises:
        StageFailed: DVC reported an error.
        KeyboardInterrupt: somebody stopped it; DVC and its stage were told to end, and have ended.
    """
    begun, running = time.monotonic(), ""
    command = [sys.executable, "-m", "dvc", *arguments]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**environment(), **(extra or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
        start_new_session=True,  # so that DVC and its stage can be stopped together
    )
    assert process.stdout
    last = ""
    try:
        with stoppable():
            for line in process.stdout:
                if stage := _STAGE.search(line):
                    if running:
                        print(f"{running:12} done in {time.monotonic() - begun:.0f} s", flush=True)
                    running, begun = stage["running"] or "", time.monotonic()
                    print(f"{running:12} runs" if running else f"{stage['skipped']:12} unchanged", flush=True)
                elif not _NOISE.match(line):
                    print(line, end="", flush=True)
                    last = line.strip()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()  # the last of them closes its end of the pipe
        raise
    if process.wait() != 0:
        raise StageFailed(f"Stage {running} failed after {time.monotonic() - begun:.0f} s." if running else last)
    if running:
        print(f"{running:12} done in {time.monotonic() - begun:.0f} s", flush=True)
