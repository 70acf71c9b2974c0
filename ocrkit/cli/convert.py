"""`ocrkit convert`: a model in another form, checked against the one it was made from."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.cli.verbs import verb
from ocrkit.errors import BadParams
from ocrkit.files import whole_folder
from ocrkit.quiet import quieten_tensorflow
from ocrkit.recognition.model import find_model
from ocrkit.recognition.quantize import PARTS


@verb()
@click.argument("model")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--to", "form", required=True, type=click.Choice(["litert", "int8"]), help="Target format.")
@click.option(
    "--parts",
    default="convolutions,lstms",
    show_default=True,
    help=f"Parts of the network to compute in int8, separated by commas: {', '.join(PARTS)}.",
)
@click.option(
    "--calibration",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Number of invented words to calibrate int8 with.",
)
@click.option(
    "--words",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Number of invented words to check it with.",
)
def convert(*, model: str, target: Path, form: str, parts: str, calibration: int, words: int) -> None:
    """Convert MODEL into the folder TARGET, and check it on invented words.

    litert adds a file for phones and small boards, with the same outputs; int8 computes parts of the network in 8-bit
    integers, and is refused if its accuracy is more than 0.3 points lower.
    """
    from ocrkit.learning.convert import TFLITE, add_int8, add_litert
    from ocrkit.learning.materials import Materials

    quieten_tensorflow()
    folder = find_model(model)
    if target.exists():
        raise BadParams(f"{target} exists: choose another folder.")
    materials = Materials.of_training(folder)
    samples = materials.words(words, "test")
    crops = [sample.image for sample in samples]
    with whole_folder(target) as made:
        if form == "litert":
            difference = add_litert(folder, made, crops)
            click.echo(f"{TFLITE} agrees with the network to {difference:.1g} a logit, on {words} words.")
        else:
            known = [sample.image for sample in materials.words(calibration, "val")]
            wished = [part.strip() for part in parts.split(",")]
            float32, int8 = add_int8(folder, made, wished, known, samples)
            click.echo(f"Of {words} words float32 reads {float32:.2%} right, int8 {int8:.2%}.")
    click.echo(f"Written: {target}")
