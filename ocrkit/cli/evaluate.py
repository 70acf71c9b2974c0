"""`ocrkit evaluate`: how well a model reads invented words of unseen fonts, and labelled real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ocrkit.cli.options import fonts_option, half_option, optional_form_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.tables import echo_scores
from ocrkit.cli.verbs import verb
from ocrkit.datasets import Sample
from ocrkit.errors import BadParams
from ocrkit.files import folder_name
from ocrkit.learning.materials import Materials, real_words
from ocrkit.learning.report import write_report
from ocrkit.recognition.model import find_model
from ocrkit.recognition.recognizer import DECODERS


@verb()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@optional_form_option
@half_option
@click.option(
    "--synthetic", type=click.IntRange(min=1), help="Read this many invented words, in fonts that training never saw."
)
@fonts_option
@click.option(
    "--decoder", type=click.Choice(DECODERS), default=DECODERS[0], show_default=True, help="How logits become text."
)
@click.option(
    "--lexicon",
    type=click.Path(path_type=Path),
    help="File of words to prefer, one per line. Default: the model's lexicon.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the report.")
def evaluate(
    *,
    model: str,
    folder: Path | None,
    form: str | None,
    half: str | None,
    synthetic: int | None,
    fonts: tuple[str, ...],
    decoder: str,
    lexicon: Path | None,
    output: Path,
) -> None:
    """Score MODEL, a released model's name or a model's folder, on the words of FOLDER or on invented words."""
    if bool(folder) != bool(form):
        raise BadParams("FOLDER and --form belong together: give both or neither.")
    if not folder and not synthetic:
        raise BadParams("There is nothing to read: give a FOLDER with its --form, or --synthetic with a number.")
    words = _lexicon(lexicon) if lexicon else None
    from ocrkit.recognition import load_recognizer

    recognizer = load_recognizer(model, decoder=decoder, lexicon=words)
    sets: dict[str, list[Sample]] = {}
    if synthetic:
        sets["synthetic"] = Materials.of_training(find_model(model).parent, fonts).words(synthetic, "test")
    if folder and form:
        sets[" ".join(filter(None, (folder_name(folder), half)))] = real_words(folder, form, half)
    with progress_bar("Reading", "words", sum(map(len, sets.values()))) as bar:
        evaluations = write_report(output, recognizer.name, sets, recognizer, bar.update)
    echo_scores(evaluations)
    click.echo(f"Written: {output}")


def _lexicon(path: Path) -> Any:
    from ocrkit.recognition.lexicon import Lexicon

    try:
        return Lexicon(path.read_text("utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise BadParams(f"{path} is no list of words in UTF-8: {error}.") from None
