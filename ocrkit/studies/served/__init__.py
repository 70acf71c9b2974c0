"""What MLflow's registry holds and `mlflow models serve` answers with: the recogniser, and the whole of reading.

`recognizer.py` and `reader.py` are MLflow's models from code: it copies them, the package and the model's folder into
the version, and runs them there. So a version needs the packages that reading needs, and nothing of training.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import cv2
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array, Object, Property

from ocrkit.datasets import book_page
from ocrkit.document import Image

PACKAGE = Path(__file__).resolve().parents[2]
_CALL = """

    $ mlflow models serve -m "models:/{name}@champion" --env-manager local -p 5001
    $ echo "{{\\"dataframe_split\\": {{\\"columns\\": [\\"image\\"], \\"data\\": [[\\"$(base64 -w0 {file})\\"]]}}}}" |
        curl http://127.0.0.1:5001/invocations -H "Content-Type: application/json" -d @-
"""


@dataclass(frozen=True)
class Served:
    """One of the registry's models.

    Attributes:
        name: in the registry.
        about: for its page.
        outputs: columns of its answer, a row a picture.
        file: what a picture may be called, in the example of a call.
    """

    name: str
    about: str
    outputs: tuple[ColSpec, ...]
    file: str

    @property
    def code(self) -> Path:
        """The file that MLflow runs."""
        return Path(__file__).parent / f"{self.name.removeprefix('ocrkit-')}.py"

    @property
    def description(self) -> str:
        """What it is and how to call it, in Markdown."""
        return self.about + _CALL.format(name=self.name, file=self.file)

    @property
    def signature(self) -> ModelSignature:
        """Pictures in (any file that `ocrkit read` takes; in JSON as base64), a row each out."""
        return ModelSignature(Schema([ColSpec(DataType.binary, "image")]), Schema(list(self.outputs)))

    @cached_property
    def example(self) -> dict[str, list[Any]]:
        """A picture to try it with: the book page, or a word of it."""
        page = book_page()
        x0, y0, x1, y1 = page.readable[0].box.round().astype(int)
        return {"image": [_png(page.image() if self.name == READER.name else page.image()[y0:y1, x0:x1])]}


_TEXT, _ERROR = ColSpec(DataType.string, "text"), ColSpec(DataType.string, "error")
_WORD = Object(
    [
        Property("page", DataType.long),
        Property("text", DataType.string),
        Property("confidence", DataType.double),
        Property("box", Array(DataType.double)),
    ]
)
RECOGNIZER = Served(
    "ocrkit-recognizer",
    "Reads one word: a picture cut close around it in, its text and how sure it is (0 to 1) out.",
    (_TEXT, ColSpec(DataType.double, "confidence"), _ERROR),
    "word.png",
)
READER = Served(
    "ocrkit-reader",
    "Reads a document: a photo, scan or PDF in, its text and words with their boxes (x0, y0, x1, y1 in pixels) out.\n"
    "Served in a project with OCRKIT_ROLLOUT=data/rollout, it follows `ocrkit rollout`; `version` says what read.",
    (_TEXT, ColSpec(Array(_WORD), "words"), _ERROR, ColSpec(DataType.string, "version")),
    "receipt.jpg",
)
MODELS = (RECOGNIZER, READER)


def stay_with_running_code(model: str) -> None:
    """Take a version's code off Python's path where this process runs another ocrkit, such as a project's notebook.

    MLflow 3.17 leaves it first on the path when it loads the version at `model`: processes that are started later would
    import that ocrkit, and not the one that starts them.
    """
    code = Path(model).parents[1] / "code"
    if PACKAGE.parent != code.resolve():
        sys.path[:] = [entry for entry in sys.path if Path(entry) != code]


def requirements() -> list[str]:
    """What reading needs, in the versions that are installed here, as pip takes it."""
    needed = ["mlflow"] + [line for line in requires("ocrkit") or () if "extra ==" not in line]
    return [_pinned(line) for line in needed]


def _pinned(requirement: str) -> str:
    name = requirement.partition(">")[0].partition("=")[0].strip()
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:  # OpenCV without windows has another name
        return requirement


def _png(image: Image) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])
