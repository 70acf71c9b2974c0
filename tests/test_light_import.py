"""What an import brings with it: nothing heavy before it is needed."""

from __future__ import annotations

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
