"""Tables that verbs print."""

from __future__ import annotations

from collections.abc import Mapping

import click

from ocrkit.learning.report import interval
from ocrkit.learning.scoring import Evaluation


def echo_scores(evaluations: Mapping[str, Evaluation]) -> None:
    """Print a short table."""
    click.echo(f"{'set':<20} {'words':>7}  {'exact':<24} {'caseless':<24} {'CER':>6} {'ECE':>6}")
    for name, e in evaluations.items():
        t = e.total
        shares = f"{interval(t.exact):<24} {interval(t.caseless):<24}"
        click.echo(f"{name:<20} {t.words:>7,}  {shares} {t.cer.value:>6.3f} {e.calibration_error:>6.3f}")
