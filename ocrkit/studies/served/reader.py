"""The whole of reading, as MLflow serves it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from ocrkit import OcrkitError, Reader


class ServedReader(PythonModel):
    """Pictures of documents to their texts and words."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model once, before the first question."""
        self._reader = Reader(context.artifacts["model"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """One row a picture; what cannot be read gets its `error`, and the others are read all the same."""
        return pd.DataFrame([self._read(image) for image in model_input["image"]])

    def _read(self, image: bytes) -> dict[str, Any]:
        try:
            document = self._reader.read(image)
        except OcrkitError as error:
            return {"text": "", "words": [], "error": str(error)}
        words = [
            {"page": page.number, "text": word.text, "confidence": float(word.confidence), "box": word.box.tolist()}
            for page in document
            for word in page.words
        ]
        return {"text": document.text, "words": words, "error": " ".join(page.error for page in document if page.error)}


set_model(ServedReader())
