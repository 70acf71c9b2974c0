"""The whole of reading, as MLflow serves it."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from ocrkit import OcrkitError, Reader
from ocrkit.document import Document, Page
from ocrkit.images import iter_pages
from ocrkit.studies.served import stay_with_running_code

if TYPE_CHECKING:
    from ocrkit.rollout import Gate

_FOLLOW = "OCRKIT_ROLLOUT"  # the folder of a rollout's numbers: then each document is read by who the rollout says


class ServedReader(PythonModel):
    """Pictures of documents to their texts and words."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model once, before the first question; or follow the rollout of the project that this runs in."""
        stay_with_running_code(context.artifacts["model"])
        self._reader: Reader | None = None
        self._gate: Gate | None = None
        if folder := os.environ.get(_FOLLOW):
            from ocrkit.studies.rollout import open_gate

            self._gate = open_gate(Path(folder))
        else:
            self._reader = Reader(context.artifacts["model"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """One row a picture; what cannot be read gets its `error`, and the others are read all the same."""
        return pd.DataFrame([self._read(image) for image in model_input["image"]])

    def _read(self, image: bytes) -> dict[str, Any]:
        try:
            pages, version = self._pages(image)
        except OcrkitError as error:
            return {"text": "", "words": [], "error": str(error), "version": ""}
        words = [
            {"page": page.number, "text": word.text, "confidence": float(word.confidence), "box": word.box.tolist()}
            for page in pages
            for word in page.words
        ]
        text, errors = Document(tuple(pages)).text, [page.error for page in pages if page.error]
        return {"text": text, "words": words, "error": " ".join(errors), "version": version}

    def _pages(self, image: bytes) -> tuple[list[Page], str]:
        """The pages, and what read them; where a rollout is followed, all pages of a document are read by one."""
        if self._gate is None:
            assert self._reader is not None
            return list(self._reader.read(image).pages), self._reader.name
        key = sha256(image).hexdigest()
        pages, versions = [], []
        for number, loaded in enumerate(iter_pages(image), 1):
            if loaded.image is None:
                pages.append(Page(number, 0, 0, error=loaded.error))
                continue
            served = self._gate.read(loaded.image, key)
            pages.append(replace(served.page, number=number))
            versions.append(str(served.pin))
        return pages, ", ".join(dict.fromkeys(versions))


set_model(ServedReader())
