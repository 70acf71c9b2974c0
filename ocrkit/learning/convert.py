"""A model in another form, checked against the one it was made from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from ocrkit.datasets.sample import Sample
from ocrkit.document import Image
from ocrkit.errors import BadModel
from ocrkit.files import checksum, write_whole
from ocrkit.metrics import correct_words
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.export import agreement
from ocrkit.recognition.litert import FEW, TFLITE, run_litert, to_litert
from ocrkit.recognition.model import CARD, load_network, read_card, verified
from ocrkit.recognition.quantize import quantize

LARGEST_LOSS = 0.003  # of all words, that int8 may read worse


def add_litert(folder: Path, target: Path, crops: Sequence[Image]) -> float:
    """Copy the model of `folder` to `target` with a LiteRT file added; returns the largest difference of a logit.

    Raises:
        BadModel: `folder` is damaged, or the file does not agree with the model.
        MissingExtra: Keras or LiteRT is not installed.
    """
    network, alphabet = load_network(folder)
    content = to_litert(network, network.name)
    difference = agreement(network, alphabet, run_litert(content, None), crops, TFLITE, FEW)
    card = read_card(folder)
    for name in card["files"]:
        shutil.copyfile(verified(folder, name), target / name)
    write_whole(target / TFLITE, content)
    card["files"][TFLITE] = checksum(target / TFLITE)
    write_whole(target / CARD, json.dumps(card, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return difference


def add_int8(
    folder: Path, target: Path, parts: Sequence[str], calibration: Sequence[Image], samples: Sequence[Sample]
) -> tuple[float, float]:
    """Write the model of `folder` with `parts` of it in int8 into `target`; returns what float32 and int8 read right.

    Args:
        folder: of the model.
        target: folder to write.
        parts: of `PARTS`.
        calibration: crops whose values set the scales.
        samples: words to judge by, others than those.

    Raises:
        BadModel: int8 reads more than `LARGEST_LOSS` fewer of the words.
    """
    quantize(folder, target, calibration, parts)
    truths, crops = [sample.text for sample in samples], [sample.image for sample in samples]
    float32, int8 = (
        float(correct_words(truths, [guess.text for guess in load_recognizer(path).recognize(crops)]).mean())
        for path in (folder, target)
    )
    if int8 < float32 - LARGEST_LOSS:
        raise BadModel(
            f"Of {len(samples)} words float32 reads {float32:.2%} right, int8 of {', '.join(parts)} {int8:.2%}: "
            f"it loses more than {LARGEST_LOSS:.1%}; not written."
        )
    return float32, int8
