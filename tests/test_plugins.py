"""Other packages add engines, forms and runtimes; what is wrong with them is said in a sentence that names them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocrkit.cli import main
from ocrkit.datasets import PAGE_FORMS
from ocrkit.engines import ENGINES, load_engine, missing_engines
from ocrkit.errors import BadParams, BadPlugin, MissingExtra
from ocrkit.plugins import Plugins
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.model import find_model
from ocrkit.recognition.runtimes import RUNTIMES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the package of docs/plug-ins.md was built and installed, without an index."""
    source, target = tmp_path_factory.mktemp("toy"), tmp_path_factory.mktemp("installed")
    page = (ROOT / "docs" / "plug-ins.md").read_text()
    for name, language in {"pyproject.toml": "toml", "toy_ocr.py": "python"}.items():
        (source / name).write_text(page.split(f"```{language}\n")[1].split("```")[0])
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", target, source]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two labelled pages in the toy's form, of which its engine reads one right."""
    for name, text in {"a": "TOTAL", "b": "9.90"}.items():
        (tmp_path / f"{name}.toy").write_text(text)
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((80, 120), 255, np.uint8))
    return tmp_path


def ocrkit(*arguments: object, path: Path) -> subprocess.CompletedProcess[str]:
    """`ocrkit` in a fresh process of a source tree, with what is installed in `path`."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}"}
    command = [sys.executable, "-m", "ocrkit", *map(str, arguments)]
    return subprocess.run(command, cwd=path, env=environment, capture_output=True, text=True)


def test_an_installed_package_brings_an_engine_and_a_form_to_compare_with(toy: Path, pages: Path) -> None:
    done = ocrkit("compare", pages, "--form", "toy-text", "--engines", "toy", path=toy)
    assert done.returncode == 0, done.stderr
    assert "real, all: 2 pages, 2 words" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("toy"))
    assert row.split()[:2] == ["toy", "0.500"]  # its F1


def test_an_installed_package_brings_a_runtime_to_read_with(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(toy)
    monkeypatch.setattr("ocrkit.recognition.runtimes.RUNTIMES", Plugins("runtime"))
    crops = [np.full((32, 90), 255, np.uint8)]
    as_it_is = load_recognizer(threads=1).logits(crops)
    upside_down = load_recognizer(runtime="toy-upside-down", threads=1).logits(crops)
    np.testing.assert_array_equal(upside_down[0], -as_it_is[0])


def test_a_class_is_imported_when_it_is_looked_up_and_not_before(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(toy)
    monkeypatch.delitem(sys.modules, "toy_ocr", raising=False)
    engines = Plugins("engine")
    assert "toy" in engines
    assert next(iter(engines)) == "ours"
    assert "toy_ocr" not in sys.modules
    assert engines["toy"].name == "toy"


# What ocrkit itself offers


@pytest.mark.parametrize(("kind", "plugins"), [("engine", ENGINES), ("form", PAGE_FORMS), ("runtime", RUNTIMES)])
def test_what_is_ours_can_be_imported_and_is_called_as_it_calls_itself(kind: str, plugins: Plugins) -> None:
    assert plugins.kind == kind
    for name, found in plugins.items():
        assert callable(found)
        assert getattr(found, "name", name) == name


def test_the_wheel_declares_what_the_source_tree_offers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "entry-points" in project["project"]["dynamic"]
    assert (ROOT / project["tool"]["setuptools"]["dynamic"]["entry-points"]["file"]).is_file()


# What is wrong with those of others


def install(folder: Path, package: str, entries: str, module: str = "") -> None:
    """A package without a build: its metadata, and one module called as the package."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)
    (folder / f"{package}.py").write_text(module)


@pytest.mark.parametrize(
    ("value", "module", "reason"),
    [
        ("broken", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("broken:Nothing", "", "AttributeError: module 'broken' has no attribute 'Nothing'"),
        ("broken:Engine", "raise SystemExit(3)", "SystemExit: 3"),
        ("broken:Engine", "Engine = 5", "it is no class or function"),
        ("broken:Engine", "class Engine: read = recognize = print", "it has no method missing"),
        ("not a place", "", ".+"),
    ],
    ids=["cannot be imported", "is not there", "ends the program", "no class", "another face", "no place"],
)
def test_a_broken_engine_is_left_out_with_a_sentence_that_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, module: str, reason: str
) -> None:
    install(tmp_path, "broken", f"[ocrkit.engines]\nshaky = {value}\n", module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    monkeypatch.setattr("ocrkit.engines.registry.ENGINES", Plugins("engine", ENGINES._methods))
    sentence = rf"^The engine 'shaky' of the package broken cannot be used: {reason}\.$"
    with pytest.raises(BadPlugin, match=sentence):
        load_engine("shaky")
    (told,) = missing_engines(["ours", "shaky"]).values()
    with pytest.raises(BadPlugin, match=sentence):
        raise BadPlugin(told)


@pytest.mark.parametrize(
    ("module", "expected", "reason"),
    [
        ("def load(folder): return [1 / 0]", BadPlugin, "ZeroDivisionError: division by zero"),
        ("def load(folder):\n    yield {}", BadPlugin, "TypeError: it gave dict where a LabelledPage is wanted"),
        (
            "from ocrkit.errors import MissingExtra\ndef load(folder): raise MissingExtra('Install more.')",
            MissingExtra,
            "Install more",
        ),
    ],
    ids=["fails", "gives something else", "says why itself"],
)
def test_a_form_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, expected: type[Exception], reason: str
) -> None:
    from ocrkit.datasets import forms

    install(tmp_path, "shaky_form", "[ocrkit.forms]\nshaky = shaky_form:load\n", module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shaky_form", raising=False)
    monkeypatch.setattr(forms, "PAGE_FORMS", Plugins("form"))
    with pytest.raises(expected, match=reason) as caught:
        forms.load_pages(tmp_path, "shaky")
    assert expected is MissingExtra or "the package shaky_form" in str(caught.value)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("lambda pictures: 1 / 0", "ZeroDivisionError"),
        ("lambda pictures: pictures[0]", r"ValueError: it gave logits of shape \(32, \d+\) for 1 pictures"),
    ],
)
def test_a_runtime_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, reason: str
) -> None:
    from ocrkit.recognition import runtimes

    install(tmp_path, "shaky_run", "[ocrkit.runtimes]\nshaky = shaky_run:load\n", f"load = lambda *given: {network}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shaky_run", raising=False)
    monkeypatch.setattr(runtimes, "RUNTIMES", Plugins("runtime"))
    with pytest.raises(BadPlugin, match=f"The runtime 'shaky' of the package shaky_run cannot be used: {reason}"):
        runtimes.load_runtime("shaky", find_model(None))


def test_our_own_mistakes_stay_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = Plugins("engine")
    monkeypatch.setitem(engines._offers["ours"], "ocrkit", EntryPoint("ours", "ocrkit.no_such:Thing", engines.group))
    with pytest.raises(ModuleNotFoundError):
        engines["ours"]


def test_a_name_of_ours_stays_ours_and_the_other_package_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(tmp_path, "greedy", "[ocrkit.forms]\nfunsd = greedy:load\n", "load = print")
    monkeypatch.syspath_prepend(tmp_path)
    forms = Plugins("form")
    assert forms["funsd"] is PAGE_FORMS["funsd"]
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.getMessage() == (
        "The form 'funsd' is ocrkit's own: the one that the package greedy offers is left out."
    )


def test_a_name_that_two_packages_offer_is_refused_while_all_else_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("first", "second"):
        install(
            tmp_path, package, f"[ocrkit.forms]\nsame = {package}:load\n{package} = {package}:load\n", "load = print"
        )
    monkeypatch.syspath_prepend(tmp_path)
    forms = Plugins("form")
    with pytest.raises(BadPlugin, match=r"The packages (first and second|second and first) all offer a form 'same'"):
        forms["same"]
    assert forms["first"] is print


def test_entry_points_that_cannot_be_read_hinder_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(tmp_path, "torn", "[ocrkit.forms]\nno equals sign\n")
    install(tmp_path, "strange", "no section\nno equals sign\n")
    (tmp_path / "nameless-1.0.dist-info").mkdir()
    (tmp_path / "nameless-1.0.dist-info" / "entry_points.txt").write_text("[ocrkit.forms]\nodd = nowhere:load\n")
    monkeypatch.syspath_prepend(tmp_path)
    forms = Plugins("form")
    assert "funsd" in forms
    with pytest.raises(BadPlugin, match="The form 'odd' of the package without a name cannot be used"):
        forms["odd"]
    assert "The package torn adds nothing to ocrkit" in caplog.text


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(BadParams, match="There is no engine 'tesserakt'; choose among ours, tesseract"):
        load_engine("tesserakt")


def test_help_names_every_engine_form_and_runtime() -> None:
    from click.testing import CliRunner

    told = {
        verb: "".join(CliRunner().invoke(main, [*verb.split(), "--help"]).output.split())
        for verb in ("compare", "benchmark runtimes")
    }
    assert all(name in told["compare"] for name in [*ENGINES, *PAGE_FORMS])
    assert all(name in told["benchmark runtimes"] for name in RUNTIMES)
