"""`ocrkit release`: a trained model joins those that git and the package carry, with a card written by code."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.cli.tables import echo_scores
from ocrkit.cli.verbs import verb
from ocrkit.datasets.forms import PAGE_FORMS
from ocrkit.recognition.model import released_folder


@verb()
@click.argument("trained", type=click.Path(path_type=Path))
@click.argument("name")
@click.option(
    "--real",
    multiple=True,
    type=(click.Path(path_type=Path), click.Choice(sorted(PAGE_FORMS)), click.Choice(["tune", "report", "all"])),
    metavar="FOLDER FORM HALF",
    help="Also score on labelled pages: HALF is tune, report or all; may be repeated.",
)
@click.option(
    "--synthetic",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="Number of invented words to score on.",
)
@click.option(
    "--fonts",
    multiple=True,
    default=("packages",),
    help="Fonts to score in, if the training recorded none: packages, system or a folder.",
)
@click.option(
    "--credit",
    "credits_",
    multiple=True,
    help="Whose labelled words it learned from and under which licence, for the card; may be repeated.",
)
@click.option(
    "--calibrate",
    multiple=True,
    type=(click.Path(path_type=Path), click.Choice(sorted(PAGE_FORMS)), click.Choice(["tune", "report", "all"])),
    metavar="FOLDER FORM HALF",
    help="Fit the confidences on labelled pages that it did not learn from; may be repeated.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Folder of released models. Default: models/released of the source tree.",
)
@click.option("--replace", is_flag=True, help="Replace a released model of the same name.")
def release(
    *,
    trained: Path,
    name: str,
    real: tuple[tuple[Path, str, str], ...],
    synthetic: int,
    fonts: tuple[str, ...],
    credits_: tuple[str, ...],
    calibrate: tuple[tuple[Path, str, str], ...],
    into: Path | None,
    replace: bool,
) -> None:
    """Check, calibrate and score the model in TRAINED, and release it as NAME."""
    from ocrkit.learning.release import model_of, release_model
    from ocrkit.studies.donated import check_consent

    check_consent(model_of(trained))
    into = into or released_folder()
    echo_scores(release_model(trained, name, into, real, synthetic, fonts, replace, credits_, calibrate))
    click.echo(f"Released: {into / name}")
