"""What joins `experiment/` and OCR: sections of params.yaml, figures, the ladder, promotion, what MLflow serves.

A notebook needs one call of it:

    from ocrkit.studies import start
    P, run = start("train", overrides)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocrkit import experiment

if TYPE_CHECKING:
    from ocrkit.experiment.track import Run


def start(stage: str, overrides: Mapping[str, Any] | None = None) -> tuple[Any, Run]:
    """Begin a notebook of this project: `ocrkit.experiment.start` with its sections."""
    from ocrkit.studies.sections import SECTIONS

    return experiment.start(stage, SECTIONS, overrides)


__all__ = ["start"]
