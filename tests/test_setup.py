"""The set-up: one environment said in three files, the verbs of the Makefile, and what a wheel carries."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-headless.lock")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def entries(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and hashes of a lock file's entries; fails on a line of any other form."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"\n(?=\S)", read(lock).strip()):
        head, *hashes = (line.strip(" \\") for line in entry.splitlines())
        match = re.fullmatch(r"([a-z0-9-]+)==([^\s;]+)(?: ; .+)?", head)
        assert match, f"{lock}: {head!r} is not a pinned package"
        found[match[1]] = (match[2], hashes)
    return found


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    """tools/environment.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# One environment, said in three files


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_of_a_lock_has_hashes_and_no_address(lock: str) -> None:
    for name, (_, hashes) in entries(lock).items():
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), name
    assert "://" not in read(lock)


def test_the_lock_satisfies_every_requirement_of_the_project() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    locked = entries("requirements.lock")
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]
    for requirement in map(Requirement, [*wanted, *project["build-system"]["requires"]]):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(locked[name][0], prereleases=True), f"{requirement}: run `make lock`"


def test_both_opencv_wheels_have_the_same_version() -> None:
    headless = entries("requirements-headless.lock")
    assert list(headless) == ["opencv-python-headless"]
    assert headless["opencv-python-headless"][0] == entries("requirements.lock")["opencv-python"][0]


def test_conda_makes_the_same_environment() -> None:
    conda = yaml.safe_load(read("environment.yml"))
    *plain, nested = conda["dependencies"]
    assert plain == ["python=3.11", "pip"]
    assert nested == {"pip": ["--require-hashes", "-r requirements.lock"]}
    supported = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert Requirement(f"ocrkit{supported}").specifier.contains(Version("3.11.0"))


# Making it


@pytest.mark.parametrize(
    ("version", "has_ensurepip", "complaint"),
    [
        ((3, 10, 4), True, "needs Python 3.11, but this is 3.10.4"),
        ((3, 12, 0), True, "needs Python 3.11, but this is 3.12.0"),
        ((3, 11, 2), False, "apt-get install python3-venv"),  # Debian's Python without its venv package
    ],
)
def test_an_unusable_python_is_refused_with_a_sentence(
    environment: ModuleType, version: tuple[int, ...], has_ensurepip: bool, complaint: str
) -> None:
    with pytest.raises(environment.SetupError, match=re.escape(complaint)):
        environment.check_python(version, has_ensurepip)


def write_wheel(folder: Path, name: str, code: str) -> str:
    """A wheel, version 1.0, whose module cv2 is `code`; returns its entry in a lock file."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        "cv2/__init__.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for path, text in files.items()
    )
    wheel = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="module")
def bare_python(environment: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment without packages, where a broken one lay before."""
    folder = tmp_path_factory.mktemp("venv")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to("/nowhere/python3.11")
    return environment.create(folder)


@pytest.mark.parametrize(
    ("code", "replaced", "complaint"),
    [
        ("kind = 'with windows'", False, None),
        ("raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')", True, None),
        ("raise ImportError('numpy.core.multiarray failed to import')", False, "numpy.core.multiarray failed"),
    ],
    ids=["cv2 imports", "libGL is missing", "another failure"],
)
def test_opencv_without_windows_takes_over_only_where_a_system_library_is_missing(
    environment: ModuleType,
    bare_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    replaced: bool,
    complaint: str | None,
) -> None:
    # No uv in this environment and no index: what is tried, too, is pip in uv's place.
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    lock, headless_lock = tmp_path / "lock", tmp_path / "headless.lock"
    lock.write_text(write_wheel(tmp_path, "opencv-python", code))
    headless_lock.write_text(write_wheel(tmp_path, "opencv-python-headless", "kind = 'without windows'"))

    for _ in range(2 if replaced else 1):  # the second time as after a renewed lock, on top of the other wheel
        environment.install(bare_python, "--require-hashes", "--force-reinstall", "-r", lock)
        if complaint:
            with pytest.raises(environment.SetupError, match=complaint):
                environment.ensure_opencv(bare_python, headless_lock)
            return
        assert environment.ensure_opencv(bare_python, headless_lock) is replaced

    code = "import cv2, importlib.metadata as m; print(cv2.kind, *sorted(d.name for d in m.distributions()))"
    kind, wheel = ("without windows", "opencv-python-headless") if replaced else ("with windows", "opencv-python")
    seen = subprocess.run([bare_python, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.startswith(kind)
    assert [word for word in seen.split() if word.startswith("opencv")] == [wheel]


def test_a_wheel_that_is_not_the_hashed_one_is_refused(
    environment: ModuleType, bare_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    lock = tmp_path / "lock"
    lock.write_text(write_wheel(tmp_path, "opencv-python", "kind = 'the one we hashed'"))
    write_wheel(tmp_path, "opencv-python", "kind = 'another one'")
    with pytest.raises(environment.SetupError, match="neither uv nor pip"):
        environment.install(bare_python, "--require-hashes", "--force-reinstall", "-r", lock)


# The verbs


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the project's Makefile in `folder`, whatever make this test runs under."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


def verbs() -> set[str]:
    phony = re.search(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert phony
    return set(phony[1].split())


def test_make_lists_every_verb_and_says_what_it_does() -> None:
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", make(ROOT).stdout, re.MULTILINE))
    assert set(listed) == verbs() == set(re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE))


def test_a_second_setup_does_nothing_until_the_lock_changes(tmp_path: Path) -> None:
    for name in (
        "requirements.lock",
        "requirements-headless.lock",
        "pyproject.toml",
        "setup.py",
        "tools/environment.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv").mkdir()
    assert "tools/environment.py" in make(tmp_path, "-n", "setup").stdout
    for name in (".venv/.ready", "mlflow.db", ".dvc/tmp/plots.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "realpages").mkdir(parents=True)
    assert "Nothing to be done" in make(tmp_path, "setup").stdout
    future = (tmp_path / ".venv/.ready").stat().st_mtime + 10
    os.utime(tmp_path / "requirements.lock", (future, future))
    assert "tools/environment.py" in make(tmp_path, "-n", "setup").stdout


def test_continuous_integration_runs_the_tests() -> None:
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert read(".ci/run").rstrip().endswith("test")


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the project, with a dummy model released: what `make dist` builds of a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, source)
    for folder in ("ocrkit", "models/released"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (source / "models/released/dummy").mkdir()
    (source / "models/released/dummy/model.onnx").write_bytes(b"a network")
    (source / "ocrkit/__pycache__").mkdir()
    (source / "ocrkit/__pycache__/stale.cpython-311.pyc").touch()
    make(source, "--old-file=setup", f"BIN={Path(sys.executable).parent}", "dist")
    assert [path.suffix for path in sorted((source / "dist").glob("ocrkit-*"))] == [".whl", ".gz"]
    return next((source / "dist").glob("ocrkit-*.whl"))


def test_a_wheel_carries_all_of_the_package_and_the_released_models(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    tracked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ocrkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    models = {
        path.relative_to(ROOT / "models").as_posix() for path in (ROOT / "models/released").rglob("*") if path.is_file()
    }
    assert packed == tracked | {f"ocrkit/{name}" for name in models} | {"ocrkit/released/dummy/model.onnx"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed into, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    offline = ["--quiet", "--no-index", "--no-deps"]
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", folder, wheel], check=True)
    return folder


def said(code: str, path: Path, cwd: Path) -> str:
    """What a fresh interpreter that finds ocrkit in `path` prints."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_released_models_are_found_in_a_source_tree_and_where_a_wheel_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    code = "from ocrkit.recognition.model import released_folder; print(released_folder())"
    assert Path(said(code, ROOT, tmp_path)) == ROOT / "models/released"
    assert (Path(said(code, installed, tmp_path)) / "dummy/model.onnx").read_bytes() == b"a network"


def test_an_installed_wheel_draws_pages_and_declares_the_engines_and_forms_that_it_offers(
    installed: Path, tmp_path: Path
) -> None:
    code = """
from importlib.metadata import entry_points
from ocrkit.datasets import PAGE_FORMS
from ocrkit.engines import ENGINES, Comparison, leaderboard_html
for plugins in (ENGINES, PAGE_FORMS):
    assert set(plugins) == {point.name for point in entry_points(group=plugins.group)}
print(leaderboard_html(Comparison({}, ()), "A board")[:200])
"""
    page = said(code, installed, tmp_path)
    assert page.startswith("<!doctype html>")


_EVERY_VERB = """
import click
from ocrkit.cli import main
context = click.Context(main)
for name in main.list_commands(context):
    assert main.get_command(context, name), name
"""


def test_the_wheel_alone_installs_in_an_empty_environment_and_reads_a_page(wheel: Path, tmp_path: Path) -> None:
    uv, python = [sys.executable, "-m", "uv", "--quiet", "--offline"], tmp_path / "empty" / "bin" / "python"
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path / "empty"], check=True, capture_output=True)
    pins = tmp_path / "pins.txt"
    pins.write_text("".join(f"{name}=={version}\n" for name, (version, _) in entries("requirements.lock").items()))
    install = [*uv, "pip", "install", "--python", python, "--constraints", pins, wheel]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode and ("network was disabled" in done.stderr or "not found in the cache" in done.stderr):
        pytest.skip(f"uv's cache does not hold all packages: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr

    def run(*command: str | Path, **environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
        done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # Windows on a screen need libraries that a bare server lacks; the set-up's way out is tested above.
    if (
        "cannot open shared object file"
        in subprocess.run([python, "-c", "import cv2"], capture_output=True, text=True).stderr
    ):
        pytest.skip("OpenCV's usual wheel does not load on this machine")
    page = np.full((160, 300), 255, np.uint8)
    cv2.putText(page, "Total", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    command = python.with_name("ocrkit")
    assert run(command, "read", "page.png") == "Total\n"
    assert "plain,runs" in run(command, _OCRKIT_COMPLETE="bash_complete", COMP_WORDS="ocrkit r", COMP_CWORD="1")
    assert "import" in run(command, "runs", "--help")
    run(python, "-c", _EVERY_VERB)
