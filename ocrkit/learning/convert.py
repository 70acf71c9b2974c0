"""`ocrkit convert`: a model in another form, checked against the one it was made from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from ocrkit.document import Image
from ocrkit.errors import BadModel, BadParams
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.materials import Materials
from ocrkit.metrics import correct_words
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.export import agreement
from ocrkit.recognition.litert import TFLITE, run_litert, to_litert
from ocrkit.recognition.model import CARD, find_model, load_network, read_card, sha256, verified
from ocrkit.recognition.quantize import PARTS, quantize
from ocrkit.recognition.runtimes import load_runtime

LARGEST_LOSS = 0.003  # of all words, that int8 may read worse


@click.command()
@click.argument("model")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--to", "form", required=True, type=click.Choice(["litert", "int8"]), help="The form wanted.")
@click.option("--parts", default="convolutions,lstms", show_default=True, help=f"In int8: {', '.join(PARTS)}.")
@click.option("--calibration", type=click.IntRange(min=1), default=300, show_default=True, help="Words, for int8.")
@click.option("--words", type=click.IntRange(min=1), default=2000, show_default=True, help="Words to check it with.")
def convert(*, model: str, target: Path, form: str, parts: str, calibration: int, words: int) -> None:
    """Write MODEL in another form into the folder TARGET, and check it on invented words.

    litert adds a file for phones and small boards, of the same outputs; int8 computes parts of the network in whole
    numbers, and is refused where it reads more than 0.3 points fewer words right.
    """
    folder = find_model(model)
    if target.exists():
        raise BadParams(f"{target} exists: choose another folder.")
    materials = Materials.of_training(folder)
    samples = materials.words(words, "test")
    crops = [sample.image for sample in samples]
    try:
        if form == "litert":
            difference = add_litert(folder, make_folder(target), crops)
            click.echo(f"{TFLITE} agrees with the network to {difference:.1g} a logit, on {words} words.")
        else:
            known = [sample.image for sample in materials.words(calibration, "val")]
            quantize(folder, make_folder(target), known, [part.strip() for part in parts.split(",")])
            truths = [sample.text for sample in samples]
            float32, int8 = (
                float(correct_words(truths, [guess.text for guess in load_recognizer(path).recognize(crops)]).mean())
                for path in (folder, target)
            )
            click.echo(f"Of {words} words float32 reads {float32:.2%} right, int8 {int8:.2%}.")
            if int8 < float32 - LARGEST_LOSS:
                raise BadModel(f"int8 of {parts} loses more than {LARGEST_LOSS:.1%} of the words; not written.")
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    click.echo(f"Written: {target}")


def add_litert(folder: Path, target: Path, crops: Sequence[Image]) -> float:
    """Copy the model of `folder` to `target` with a LiteRT file added; returns the largest difference of a logit.

    Raises:
        BadModel: `folder` is damaged, or the file does not agree with the model.
        MissingExtra: Keras or LiteRT is not installed.
    """
    network, alphabet = load_network(folder)
    content = to_litert(network, network.name)
    difference = agreement(load_runtime("onnxruntime", folder), run_litert(content, None), alphabet, crops, TFLITE)
    card = read_card(folder)
    for name in card["files"]:
        shutil.copyfile(verified(folder, name), target / name)
    write_whole(target / TFLITE, content)
    card["files"][TFLITE] = sha256(target / TFLITE)
    write_whole(target / CARD, json.dumps(card, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return difference
