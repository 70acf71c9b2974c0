"""The documentation says what the code does: nothing is missing, what it shows works, and it needs no network."""

from __future__ import annotations

import ast
import html
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import cv2
import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

import ocrkit
from ocrkit.cli import main

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
import offline_site  # noqa: E402  the site's own extension, which is in no package

DOCS = sorted((ROOT / "docs").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *DOCS]
EVERYTHING = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def verbs(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """`"data fetch"` and its command, for every verb at every depth."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner, name
            yield f"{context.command_path} {name}".removeprefix("ocrkit "), inner
            yield from verbs(inner, click.Context(inner, info_name=name, parent=context))


# Everything is in it


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of commands and values, built as `make docs` builds them all, warnings being errors."""
    out = tmp_path_factory.mktemp("site")
    source = out / "docs"
    source.mkdir()
    for name in ("conf.py", "cli.md", "values.md", "_ext", "_static"):
        (source / name).symlink_to(ROOT / "docs" / name)
    (out / "params.yaml").symlink_to(ROOT / "params.yaml")
    (source / "index.md").write_text("# Test\n\n```{toctree}\ncli\nvalues\n```\n")
    settings = ("exclude_patterns=_ext,notebooks", "suppress_warnings=myst.xref_missing,ref.doc")  # other pages lack
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--quiet", "--fail-on-warning", "--keep-going"]
    command += [argument for setting in settings for argument in ("-D", setting)]
    done = subprocess.run([*command, source, out / "html"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


def words_of(page: Path) -> str:
    """The text of a page as it is read, without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_verb_and_option_is_in_the_reference(site: Path) -> None:
    text = words_of(site / "cli.html")
    for name, command in verbs(main, click.Context(main, info_name="ocrkit")):
        assert f"ocrkit {name} [OPTIONS]" in text, f"ocrkit {name} is not in docs/cli.md"
        for option in (o for o in command.params if isinstance(o, click.Option) and not o.hidden):
            assert all(written in text for written in option.opts), f"ocrkit {name}: {option.opts}"
            assert option.help, f"ocrkit {name} {option.opts} has no help"


def test_every_public_name_is_in_the_reference_and_all_that_is_in_it_exists() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\.\. auto\w+:: ([\w.]+)((?:\n   .*)*)", page, re.MULTILINE))
    for name in ocrkit.__all__:
        assert f"ocrkit.{name}" in documented or f"`ocrkit.{name}`" in page, f"ocrkit.{name} is not in docs/api.md"
    for name in documented:
        assert pkgutil.resolve_name(name), name


def test_every_section_of_params_is_explained(site: Path) -> None:
    explained = (ROOT / "docs" / "values.md").read_text(encoding="utf-8")
    text = words_of(site / "values.html")
    for section in yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")):
        assert f"| `{section}` |" in explained, f"docs/values.md does not say what {section} steers"
        assert f"{section}:" in text


def test_every_notebook_extra_and_make_target_is_explained() -> None:
    for notebook in NOTEBOOKS:
        assert f"notebooks/{notebook.stem}" in EVERYTHING, f"no page refers to {notebook.name}"
    start = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    for extra in EXTRAS:
        assert re.search(rf"^\| .*`{extra}`.* \|", start, re.MULTILINE), f"docs/start.md lacks the extra {extra}"
    table = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8").partition("(make-targets)=")[2]
    assert set(re.findall(r"`make ([a-z-]+)[ `]", table)) == TARGETS - {"help"}


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = re.findall(
        r"^([a-z-]+)$", "\n".join(re.findall(r"\{toctree\}(.*?)```", EVERYTHING, re.DOTALL)), re.MULTILINE
    )
    assert sorted(listed) == sorted(page.stem for page in DOCS if page.stem != "index")


def test_the_drawing_shows_every_package() -> None:
    drawing = (ROOT / "docs" / "pictures" / "architecture.svg").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in sorted((ROOT / "ocrkit").glob("*/__init__.py")):
        assert f"{package.parent.name}/" in drawing, f"docs/pictures/architecture.svg lacks {package.parent.name}/"
        assert f"`{package.parent.name}/`" in page, f"docs/architecture.md lacks {package.parent.name}/"


def test_the_readme_fits_a_screen() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert sum(len(line.split()) for line in lines) <= 700


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page in NOTEBOOKS:
        text = "\n".join(cell.source for cell in nbformat.reads(text, 4).cells if cell.cell_type == "markdown")
    text = re.sub(r"^(```+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target and target != "make-targets":
            assert (page.parent / target).exists(), f"{page.name} links {target}"


# What it shows works


def shown_commands() -> Iterator[tuple[str, str]]:
    """Page and command line of every `$` in a console block and of every inline `ocrkit`, `dvc` or `make` command."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            joined = re.sub(r"(\\|\|)\n +", r"\1 ", block)
            for line in re.findall(r"^\$ (.+)$", joined, re.MULTILINE):
                yield page.name, line
        outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for line in re.findall(r"`((?:ocrkit|dvc|make|python) [^`]+)`", outside):
            yield page.name, " ".join(line.split())


def parse_ocrkit(words: list[str]) -> None:
    """Let click take the words as it would, down to the verb, without running it; files need not exist.

    Words in capitals stand for what a reader puts there; a line that ends in a verb alone only names it.
    """
    command: click.Command = main
    context = click.Context(main, info_name="ocrkit")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0] == "VERB":
            return
        inner = command.get_command(context, words[0])
        assert inner, f"there is no verb {words[0]}"
        context = click.Context(inner, info_name=words[0], parent=context)
        command, words = inner, words[1:]
    if words:
        with suppress(click.exceptions.Exit):  # --help and --version end there
            command.make_context(command.name, list(words), parent=context.parent)


def parse_dvc(words: list[str]) -> None:
    """Let DVC's own parser take the words."""
    from dvc.cli.parser import get_main_parser

    try:
        get_main_parser().parse_args(words)
    except (SystemExit, Exception) as error:
        raise AssertionError(f"dvc does not take {words}") from error


def parse_python(words: list[str]) -> None:
    """A module or script that exists, whose options exist."""
    if words[0] == "-m":
        module = importlib.import_module(words[1])
        if isinstance(parser := getattr(module, "main", None), click.Command):
            parser.make_context(words[1], words[2:])
    else:
        assert (ROOT / words[0]).is_file(), words[0]


def parse_make(words: list[str]) -> None:
    """Targets that exist, and values for variables of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        name, equals, _ = word.partition("=")
        assert f"$({name})" in makefile if equals else word in TARGETS, f"make {word}"


def parse_pip(words: list[str]) -> None:
    """Extras that exist."""
    for extra in re.findall(r"\[([a-z0-9,]+)\]", " ".join(words)):
        assert set(extra.split(",")) <= set(EXTRAS), extra


def parse_nothing(words: list[str]) -> None:
    """A program of the system, which is taken on trust."""


PARSERS = {
    "ocrkit": parse_ocrkit,
    "dvc": parse_dvc,
    "python": parse_python,
    "make": parse_make,
    "pip": parse_pip,
    **dict.fromkeys(
        ["cat", "conda", "curl", "echo", "eval", "export", "git", "mlflow", "pytest", "source"], parse_nothing
    ),
    ".venv/bin/pre-commit": parse_nothing,
}


@pytest.mark.parametrize(("page", "line"), sorted(set(shown_commands())))
def test_every_command_that_is_shown_parses(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = click.Choice.convert
    monkeypatch.setattr(click.Path, "convert", lambda self, value, *_: Path(value))  # files of the reader's
    monkeypatch.setattr(
        click.Choice, "convert", lambda self, value, *rest: value if value.isupper() else choose(self, value, *rest)
    )
    words = shlex.split(line, comments=True)
    if "…" in words or "..." in words:
        pytest.fail(f"{page}: write a whole command in place of {line}")
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in (";", "|", "&&"):
            command.append(word)
            continue
        assert command[0] in PARSERS, f"{page} shows {command[0]}: say in this test how to check it"
        try:
            PARSERS[command[0]](command[1:])
        except click.ClickException as error:
            pytest.fail(f"{page}: {line}: {error.format_message()}")
        command = []


def python_blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            yield page.name, block


@pytest.mark.parametrize(("page", "code"), list(python_blocks()))
def test_the_python_that_is_shown_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture = np.full((160, 300), 255, np.uint8)
    cv2.putText(picture, "Total 9.90", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    for name in ("receipt.jpg", "photo.jpg"):
        Image.fromarray(picture).save(name)
    Image.fromarray(picture).save("scan.pdf")
    exec(compile(ast.parse(code), page, "exec"), {})


# It needs no network, and shows notebooks as they ran


@pytest.mark.parametrize(
    ("page", "fetched"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<script src="_static/x.js"></script>', []),
        ('<link rel="stylesheet" href="//fonts.example/css">', ["//fonts.example/css"]),
        ('<a href="https://example.org">waits for a click</a>', []),
        ('<img srcset="a.png 1x, https://example.org/b.png 2x">', ["https://example.org/b.png 2x"]),
        ("<style>@import url('https://fonts.example/a.css');</style>", ["https://fonts.example/a.css"]),
        ('<p style="background: url(https://example.org/a.png)">', ["https://example.org/a.png"]),
        ('<script>import("https://cdn.example/m.mjs")</script>', ["https://cdn.example/m.mjs"]),
        ("<script>const url = 'https://example.org'</script>", []),
        (
            '<iframe srcdoc="&lt;img src=&quot;https://example.org/a.png&quot;&gt;"></iframe>',
            ["https://example.org/a.png"],
        ),
    ],
)
def test_what_a_page_loads_from_outside_is_found(page: str, fetched: list[str]) -> None:
    assert offline_site.fetched_from_outside(page) == fetched


def test_the_site_loads_nothing_from_outside(site: Path) -> None:
    assert len(list(site.rglob("*.html"))) >= 3
    assert list(offline_site.outside_of(site)) == []


def notebook(tmp_path: Path, name: str, *sources: str, outputs: tuple = ()) -> Path:
    cells = [nbformat.v4.new_markdown_cell("# Title\n\n**Stage:** `train`. **Time:** short.")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[-1].outputs = list(outputs)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / name)
    return tmp_path / name


def test_a_notebook_that_ran_is_shown_with_its_outputs_and_whole_pages_among_them_apart(tmp_path: Path) -> None:
    board = nbformat.v4.new_output("display_data", {"text/html": "<!doctype html><style>body {color: red}</style>"})
    source = notebook(tmp_path, "a.ipynb", "show()")
    page = offline_site.notebook_page(source, notebook(tmp_path, "ran.ipynb", "show()", outputs=(board,)))
    assert "as the stage `train`" in page.cells[1].source
    assert page.cells[-1].outputs[0].data["text/html"].startswith("<iframe")


@pytest.mark.parametrize("ran", ["another_source()", None], ids=["changed since", "never ran"])
def test_a_notebook_that_did_not_run_as_it_is_says_so(tmp_path: Path, ran: str | None) -> None:
    executed = notebook(tmp_path, "ran.ipynb", ran) if ran else tmp_path / "missing.ipynb"
    page = offline_site.notebook_page(notebook(tmp_path, "a.ipynb", "show()"), executed)
    assert "No outputs are shown" in page.cells[1].source
    assert page.cells[-1].source == "show()"


# The papers around it


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version


def test_hooks_before_a_commit_are_tools_of_the_environment() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"  # anything else would be fetched
    for hook in repository["hooks"]:
        program, *arguments = hook["entry"].removeprefix(".venv/bin/").split()
        assert hook["language"] == "system"
        assert program in ("python", "ruff")
        if program == "python":
            importlib.import_module(arguments[1])
