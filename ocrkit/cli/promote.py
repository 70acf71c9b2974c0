"""`ocrkit promote`: the verb alone, so that its help needs none of the laboratory's packages."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocrkit.cli.verbs import verb
from ocrkit.errors import MissingExtra


@verb()
@click.argument("model", default="models/finetuned")
@click.option(
    "--comparison",
    default="metrics/leaderboard.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Figures of a comparison with the champion: by the stage leaderboard, or by `ocrkit compare -o FILE.json`.",
)
def promote(model: str, comparison: Path) -> None:
    """Make MODEL the champion of MLflow's registry if it passes the gate.

    MODEL is a released model's name or a model's folder; by default, what the pipeline fine-tuned. It becomes the
    challenger, and the champion if the comparison meets what `promote` in params.yaml asks for. The reasons are
    recorded either way. The exit status is 1 if it is refused.
    """
    try:
        from ocrkit.studies.promote import promote as promote_model
    except ImportError as missing:
        raise MissingExtra(f"{missing.name} is not installed: pip install 'ocrkit[notebooks]'.") from None

    from ocrkit.recognition.model import find_model

    decision = promote_model(find_model(model), comparison)
    for check in decision.checks:
        click.echo(f"{'passed' if check.passed else 'FAILED':7} {check.rule}: {check.finding}")
    click.echo(decision.sentence, err=not decision.passed)
    if not decision.passed:
        sys.exit(1)
