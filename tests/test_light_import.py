"""What an import brings with it: nothing heavy before it is needed, and nothing from a floor above."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LABORATORY = {
    "IPython",
    "dask",
    "dvc",
    "jax",
    "jupyter_client",
    "keras",
    "mlflow",
    "pandas",
    "papermill",
    "scipy",
    "tensorflow",
}
LIBRARIES = {"PIL", "cv2", "numpy", "onnxruntime", "pydantic", "pypdfium2", "reportlab"}


def imported_by(statement: str) -> set[str]:
    """Top-level names of all modules that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import ocrkit", LABORATORY | LIBRARIES),
        ("import ocrkit.cli", LABORATORY | LIBRARIES),
        ("import ocrkit; ocrkit.Reader", LABORATORY),  # reading works with the core install
        ("import ocrkit; ocrkit.scan", LABORATORY),
        ("import ocrkit.engines", LABORATORY),
        # These run on machines that have only NumPy, OpenCV, Pillow and, to train, Keras.
        ("import ocrkit.datasets", LABORATORY | {"pydantic"}),
        ("import ocrkit.synth", LABORATORY | {"pydantic"}),
        ("import ocrkit.recognition", LABORATORY | {"pydantic"}),
    ],
)
def test_an_import_brings_nothing_it_does_not_need(statement: str, unwanted: set[str]) -> None:
    assert imported_by(statement) & unwanted == set()


# Parts of ocrkit by floor; modules that are not named here stand on floor 1.
FLOORS = {
    "datasets": 2,
    "detection": 2,
    "synth": 3,
    "recognition": 3,
    "documents": 4,
    "learning": 4,
    "engines": 5,
    "benchmark": 6,
}
APART = {"experiment": 7, "studies": 8, "cli": 9, "__main__": 10}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports_of(file: Path) -> set[str]:
    """Names of all ocrkit modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file} imports relatively"
            found |= {f"{node.module}.{a.name}" for a in node.names} if node.module == "ocrkit" else {node.module}
    return {name for name in found if name.split(".")[0] == "ocrkit"}


def floor(part: str) -> int:
    return {**FLOORS, **APART}.get(part, 1)


@pytest.mark.parametrize("part", [*FLOORS, *APART, "floor 1"])
def test_a_floor_imports_only_from_floors_below_it(part: str) -> None:
    files = [path for path in (ROOT / "ocrkit").rglob("*.py") if path != ROOT / "ocrkit/__init__.py"]
    own = {f: f.relative_to(ROOT / "ocrkit").with_suffix("").parts[0] for f in files}
    mine = [f for f, name in own.items() if name == part or (part == "floor 1" and floor(name) == 1)]
    assert mine, f"nothing of {part} was found"
    for file in mine:
        for module in imports_of(file):
            target = part_of(module)
            below = floor(target) < floor(own[file]) or (floor(target) == floor(own[file]) == 1)
            assert below or target == own[file], f"{file.relative_to(ROOT)} imports {module}"
