"""The rules of the house, computed from the imports: which part may know which, and that stages name all they need."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import pytest

from ocrkit.errors import BadParams
from ocrkit.experiment import deps, pipeline

ROOT = Path(__file__).resolve().parents[1]
# Folders by floor; modules beside them stand on the ground.
FLOORS = {
    "formats": 1,
    "vault": 1,
    "datasets": 2,
    "detection": 2,
    "synth": 3,
    "recognition": 3,
    "documents": 4,
    "learning": 4,
    "batch": 5,
    "engines": 5,
    "labelling": 5,
    "ocrmypdf": 5,
    "rollout": 5,
    "service": 6,
    "benchmark": 6,
}
# Above all floors, one on the other: the glue, what joins it and OCR, and the command.
APART = {"experiment": 10, "studies": 11, "cli": 12, "__main__": 13}
IMPORTS = {module: deps.imports(ROOT, module) for module in deps.modules(ROOT)}
PAIRS = [(module, other) for module, others in IMPORTS.items() for other in others]
STAGES = pipeline.stages(ROOT)


def part_of(module: str) -> str:
    """The folder of a module, or itself where it lies beside the folders."""
    return module.partition(".")[2].partition(".")[0]


def level(part: str) -> int:
    return {**FLOORS, **APART}.get(part, 1)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Every set of nodes that reach each other, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            circle = stack[stack.index(node) :]
            del stack[-len(circle) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in graph:
        if node not in order:
            visit(node)
    return found


def test_circles_are_found():
    assert circles({"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": []}) == [["b", "c"]]


def test_modules_import_each_other_in_no_circle():
    assert circles(IMPORTS) == []


def test_folders_import_each_other_in_no_circle():
    folders: dict[str, set[str]] = {}
    for module, others in IMPORTS.items():
        folders.setdefault(part_of(module), set()).update(map(part_of, others))
    assert circles({part: others - {part, ""} for part, others in folders.items() if part}) == []


@pytest.mark.parametrize("part", sorted({part_of(module) for module in IMPORTS} - {""}))
def test_a_floor_imports_only_from_floors_below_it(part):
    for module, other in PAIRS:
        if part_of(module) == part:
            target = part_of(other)
            below = level(target) < level(part) or (level(target) == level(part) == 1)
            assert below or target in (part, ""), f"{module} imports {other}"


def test_the_glue_knows_nothing_of_ocr():
    outside = {other for module, other in PAIRS if part_of(module) == "experiment" != part_of(other)}
    ground = ("errors", "files", "git", "html", "options", "origin", "plugins", "privacy", "processes", "quiet",
              "record", "strict")  # fmt: skip
    assert outside <= {"ocrkit", *(f"ocrkit.{module}" for module in ground)}


def test_nobody_imports_a_verb():
    outside = [(module, other) for module, other in PAIRS if part_of(module) not in ("cli", "__main__")]
    assert [pair for pair in outside if part_of(pair[1]) == "cli"] == []


@pytest.mark.parametrize("stage", STAGES.values(), ids=str)
def test_a_stage_depends_on_all_code_that_its_notebook_imports(stage):
    wanted = deps.code_deps(ROOT, ROOT / "notebooks" / f"{stage.notebook}.ipynb")
    assert [dep for dep in stage.deps if dep.startswith("ocrkit")] == wanted, "run `make deps`"
    assert {"ocrkit/errors.py"} < set(wanted)


@pytest.mark.parametrize("stage", STAGES.values(), ids=str)
def test_a_notebook_names_no_file_of_the_project_that_its_stage_does_not_declare(stage):
    cells = nbformat.read(ROOT / "notebooks" / f"{stage.notebook}.ipynb", as_version=4).cells
    texts = [
        node.value
        for cell in cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    roots = ("data/", "models/", "metrics/", "runs/", "reports/", "notebooks/", "ocrkit/")
    named = {text for text in texts if text.startswith(roots)}
    made = {out for other in STAGES.values() for out in other.outs}
    used = {dep for dep in stage.deps if dep in made}
    assert {text for text in named if not stage.reads(text) and text not in stage.outs} == set()
    assert used | (set(stage.outs) - set(stage.standard_outs)) <= named


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("import ocrkit.low", {"ocrkit/low.py"}),
        ("from ocrkit import low", {"ocrkit/low.py"}),
        ("from ocrkit.high import other", {"ocrkit/high", "ocrkit/low.py"}),
        ("from ocrkit.high.other import late", {"ocrkit/high", "ocrkit/low.py"}),
        ("import ocrkit\nocrkit.Thing()", {"ocrkit/high", "ocrkit/low.py"}),
        ("from ocrkit import Thing", {"ocrkit/high", "ocrkit/low.py"}),
        ("%matplotlib inline\n!ls\nfrom ocrkit.experiment import start", set()),
        ("from ocrkit.studies import figures", set()),
        ("from ocrkit.studies.climb import up", {"ocrkit/studies/climb.py", "ocrkit/low.py"}),
        (
            "from ocrkit.plugs import THINGS",  # any of which may be looked up by name
            {"ocrkit/plugs.py", "ocrkit/plugins.py", "ocrkit/entry_points.ini", "ocrkit/high", "ocrkit/low.py"},
        ),
    ],
)
def test_code_that_is_imported_in_any_way_is_found(tmp_path, code, wanted):
    """What modules import for the type checker alone is left out, and the glue is."""
    files = {
        "__init__.py": "LAZY = {'Thing': 'ocrkit.high.other'}",
        "low.py": "",
        "typed.py": "",
        "plugins.py": "class Plugins: pass",
        "plugs.py": "from ocrkit.plugins import Plugins\nTHINGS = Plugins('thing')",
        "entry_points.ini": "[ocrkit.things]\none = ocrkit.high.other:late\n",
        "high/__init__.py": "",
        "high/other.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ocrkit.typed\n"
        "def late():\n    from ocrkit.low import x",
        "experiment/__init__.py": "import ocrkit.typed",
        "studies/__init__.py": "import ocrkit.typed",
        "studies/figures.py": "import ocrkit.typed",
        "studies/climb.py": "import ocrkit.low\nfrom ocrkit.studies import figures",
    }
    for name, text in files.items():
        path = tmp_path / "ocrkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    notebook = tmp_path / "mine.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), notebook)
    found = deps.code_deps(tmp_path, notebook)
    assert set(found) == wanted

    source = tmp_path / pipeline.SOURCES / "mine.ipynb"
    source.parent.mkdir(parents=True)
    notebook.rename(source)
    stage = pipeline.Stage("mine", "mine", "", (), (), (), frozen=False)
    if wanted:
        with pytest.raises(BadParams, match=r"which dvc\.yaml does not list among the deps of mine: run `make deps`"):
            deps.check(tmp_path, stage)
    else:
        deps.check(tmp_path, stage)
