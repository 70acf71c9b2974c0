"""The recogniser of single words, as MLflow serves it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from ocrkit import OcrkitError
from ocrkit.images import load_image
from ocrkit.recognition import load_recognizer
from ocrkit.studies.served import stay_with_running_code


class ServedRecognizer(PythonModel):
    """Pictures of words to their texts."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model once, before the first question."""
        stay_with_running_code(context.artifacts["model"])
        self._recognizer = load_recognizer(context.artifacts["model"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """One row a picture; what is no picture gets its `error`, and the others are read all the same."""
        rows: list[dict[str, Any]] = []
        crops = []
        for image in model_input["image"]:
            rows.append({"text": "", "confidence": 0.0, "error": ""})
            try:
                crops.append((load_image(image), rows[-1]))
            except OcrkitError as error:
                rows[-1]["error"] = str(error)
        guesses = self._recognizer.recognize([crop for crop, _ in crops])
        for guess, (_, row) in zip(self._recognizer.calibration.of_guesses(guesses), crops):
            row |= {"text": guess.text, "confidence": float(guess.confidence)}
        return pd.DataFrame(rows)


set_model(ServedRecognizer())
