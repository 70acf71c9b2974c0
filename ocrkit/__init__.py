"""ocrkit: reproducible experiments in document OCR, and a reader of documents.

`import ocrkit` is light: everything heavier than the standard library is imported when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ocrkit import strict
from ocrkit.errors import OcrkitError

if TYPE_CHECKING:
    from ocrkit.document import Document as Document
    from ocrkit.documents.reader import Reader as Reader
    from ocrkit.documents.scan import scan as scan
    from ocrkit.vault import Vault as Vault

# ONNX Runtime reads it when it is loaded, by whomever, and otherwise keeps records of its use in ~/.cache/Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if strict.is_on():
    strict.take_up()

try:
    __version__ = version("ocrkit")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

# Where the public names lie that are imported when they are first used.
LAZY = {
    "Document": "ocrkit.document",
    "Reader": "ocrkit.documents.reader",
    "scan": "ocrkit.documents.scan",
    "Vault": "ocrkit.vault",
}
__all__ = ["Document", "OcrkitError", "Reader", "Vault", "__version__", "scan"]


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(LAZY[name]), name)
    raise AttributeError(f"module 'ocrkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
