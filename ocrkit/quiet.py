"""TensorFlow's start-up lines, and its advice to programmers, say nothing to a user."""

from __future__ import annotations

import logging
import os


def quieten_tensorflow() -> None:
    """Keep TensorFlow silent but for errors; call it before Keras or TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
