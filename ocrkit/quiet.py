"""What libraries say that tells a user nothing, and whom they would call, is kept back here."""

from __future__ import annotations

import logging
import os

# Neither MLflow nor DVC may call home or talk about what went well; set when
# this package is imported, since they read it when they are.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


def quieten_tensorflow() -> None:
    """Keep TensorFlow silent but for errors; call it before Keras or TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A filter, as TensorFlow sets its logger's level anew in a notebook, where it is interactive.
    logging.getLogger("tensorflow").addFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
