"""Make the virtual environment that requirements.lock describes; `make setup` runs this with the system's Python.

Usage: python3.11 tools/environment.py FOLDER

Only the standard library is used, because nothing else is there yet. Every package comes with a pinned version and a
hash; packages without a wheel are built with the pinned setuptools, never with one fetched for the purpose.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
HEADLESS_LOCK = ROOT / "requirements-headless.lock"
BUILD_TOOLS = ("setuptools", "uv", "wheel")


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def check_python(version: tuple[int, ...], has_ensurepip: bool) -> None:
    """Refuse a Python that cannot make the environment.

    Raises:
        SetupError: another version than the lock is for, or Debian's Python without its venv package.
    """
    if version[:2] != (3, 11):
        raise SetupError(
            f"ocrkit's locked environment needs Python 3.11, but this is {'.'.join(map(str, version[:3]))}: "
            "install python3.11 or run `make setup PYTHON=/path/to/python3.11`."
        )
    if not has_ensurepip:
        raise SetupError(
            "Python 3.11 is here without its venv module: run `apt-get install python3-venv` "
            "(python3.11-venv on Ubuntu) as root and try again."
        )


def create(folder: Path) -> Path:
    """An environment in `folder`, made anew unless a working one is there; returns its interpreter."""
    python = folder / "bin" / "python"
    working = python.exists() and run(python, "-c", "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))").ok
    if not working:
        say(f"making {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    return python


def locked(lock: Path, names: tuple[str, ...]) -> str:
    """The entries of a lock file for `names`, with their hashes, as the text of a smaller lock file."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    return "\n".join(entry for entry in entries if entry.split("==")[0] in names) + "\n"


def bootstrap(python: Path, lock: Path) -> None:
    """Install what installs the rest: uv for speed, setuptools and wheel for packages that have no wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / "build-tools.lock"
        small.write_text(locked(lock, BUILD_TOOLS), encoding="utf-8")
        pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes", "--no-deps")
        if not run(python, *pip, "-r", small, shown=True).ok:
            raise SetupError("pip could not install the build tools, see its message above: is the index reachable?")


def install(python: Path, *what: str | Path) -> None:
    """Install with uv, which is several times faster, or else with pip, which knows pip.conf and its proxies.

    Raises:
        SetupError: neither could.
    """
    quiet = () if sys.stderr.isatty() else ("--quiet",)  # bars are for people, 300 package names for nobody
    arguments = ("--no-build-isolation", *quiet, *what)
    if run(python, "-m", "uv", "pip", "install", "--python", python, *arguments, shown=True).ok:
        return
    say("uv could not install this; trying with pip, which takes some minutes")
    if not run(python, "-m", "pip", "--disable-pip-version-check", "install", *arguments, shown=True).ok:
        raise SetupError("neither uv nor pip could install the packages: see their messages above.")


def ensure_opencv(python: Path, headless_lock: Path) -> bool:
    """See that `import cv2` works; where a bare server lacks libGL or glib, put in OpenCV's wheel without windows.

    Returns:
        True where the GUI-less wheel of the same version had to replace the one in the lock.

    Raises:
        SetupError: `import cv2` fails for another reason, or even so.
    """
    first = run(python, "-c", "import cv2")
    if first.ok:
        return False
    if "cannot open shared object file" not in first.last_line:
        raise SetupError(f"`import cv2` fails: {first.last_line}")
    say(f"`import cv2` fails here ({first.last_line})")
    say("a library for windows on a screen is missing: taking opencv-python-headless, the same version without them")
    # Both wheels own the folder cv2/: with the two of them removed first, nothing half overwritten is left.
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "opencv-python", "opencv-python-headless")
    install(python, "--require-hashes", "--no-deps", "-r", headless_lock)
    second = run(python, "-c", "import cv2")
    if not second.ok:
        raise SetupError(f"`import cv2` fails even with opencv-python-headless: {second.last_line}")
    return True


class Finished:
    """How a command ended: `ok`, and the last line it wrote to standard error."""

    def __init__(self, code: int, stderr: str) -> None:
        self.ok = code == 0
        self.last_line = (stderr.strip().splitlines() or [""])[-1]


def run(*command: str | Path, shown: bool = False) -> Finished:
    """Run a command and wait; its output goes to the terminal where `shown`, else it is kept."""
    # Without bytecode every first import would compile TensorFlow anew; pip writes it unasked, uv when told.
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=not shown, text=True, check=False)
    return Finished(done.returncode, done.stderr or "")


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(f"setup: {line}", flush=True)


def main(folder: Path) -> None:
    """Make or bring up to date the environment in `folder`, with ocrkit itself installed editable."""
    start = time.monotonic()
    check_python(sys.version_info[:3], importlib.util.find_spec("ensurepip") is not None)
    python = create(folder)
    say("installing the pinned packages (from nothing this takes a few minutes)")
    bootstrap(python, LOCK)
    install(python, "--require-hashes", "-r", LOCK)
    ensure_opencv(python, HEADLESS_LOCK)
    install(python, "--no-deps", "-e", ROOT)
    say(f"the environment in {folder} is ready after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except SetupError as error:
        sys.exit(f"setup: {error}")
