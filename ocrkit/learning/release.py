"""Release: a trained model joins those that git and the package carry, with a card written by code."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ocrkit.datasets import Sample
from ocrkit.errors import BadModel, BadParams
from ocrkit.files import folder_name, whole_folder, write_whole
from ocrkit.learning.calibration import calibration_on, temperature_of
from ocrkit.learning.card import card_markdown
from ocrkit.learning.materials import Materials, real_words
from ocrkit.learning.scoring import Evaluation, as_json, read_samples
from ocrkit.quiet import quieten_tensorflow
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.export import check_parity
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.model import (
    CARD,
    LEXICON,
    ONNX,
    WEIGHTS,
    load_lexicon,
    load_network,
    read_card,
    verified,
    write_card,
)
from ocrkit.synth.corpus import zipf_frequencies

LARGEST_BYTES = 14_000_000  # of all released models together: everybody who clones the project fetches them
PARITY_CROPS = 2000
_LISTED = 50  # confusions that card.json keeps


def release_model(
    trained: Path,
    name: str,
    into: Path,
    real: Sequence[tuple[Path, str, str]] = (),
    synthetic: int = 5000,
    fonts: tuple[str, ...] = ("packages",),
    replace: bool = False,
    credit: Sequence[str] = (),
    calibrate: Sequence[tuple[Path, str, str]] = (),
) -> dict[str, Evaluation]:
    """Check, calibrate and score the model of `trained` and put it into `into` as `name`; returns its scores.

    Args:
        trained: folder of a training, or of a model.
        name: of the folder it becomes.
        into: folder of released models.
        real: labelled pages to report on: folder, form, and `tune`, `report` or `all` of it.
        synthetic: invented words read.
        fonts: where the training kept none; see `Materials.of_training`.
        replace: put it in the place of a model of that name.
        credit: whose labelled words it learned from and under which licence, for the card.
        calibrate: labelled pages on whose words the confidences are fitted, as in `real`; none that it learned from.

    Raises:
        BadParams: the name cannot be a folder's, or is taken; or words are to be fitted and reported on.
        BadModel: too large, damaged, or its export does not agree with it.
    """
    quieten_tensorflow()
    model = model_of(trained)
    card = read_card(model)
    target = into / name
    if Path(name).name != name or name.startswith("."):
        raise BadParams(f"{name!r} cannot be the name of a released model: it becomes a folder's.")
    if target.exists() and not replace:
        raise BadParams(f"{target} exists: choose another name, or give --replace to put the new model in its place.")
    for place, _, half in calibrate:
        if any(_overlap((place, half), (other, part)) for other, _, part in real):
            raise BadParams(f"{place} cannot both calibrate the model and be reported on: take one half for each.")
    files = [verified(model, file) for file in (ONNX, WEIGHTS)]
    check_size(into, files, name)
    materials = Materials.of_training(trained, fonts)
    network, alphabet = load_network(model)
    known = materials.words(PARITY_CROPS, "val")
    card["export_parity"] = check_parity(network, model / ONNX, alphabet, [sample.image for sample in known])
    card["parity_crops"] = len(known)
    if credit:
        card["credit"] = list(credit)

    with whole_folder(target, replace) as folder:
        for file in files:
            shutil.copyfile(file, folder / file.name)
        lexicon = Lexicon(zipf_frequencies(materials.vocabulary.dictionary))
        if its_own := load_lexicon(model):
            lexicon = lexicon.joined(its_own)
        lexicon.save(folder / LEXICON)
        card |= {"temperature": 1.0, "temperature_words": len(known), "book_words": len(materials.vocabulary.book)}
        if (trained / "fonts.json").exists():
            card["font_sources"] = materials.font_sources()
        write_card(folder, card)
        card["temperature"] = round(temperature_of(load_recognizer(folder), known), 4)
        write_card(folder, card)
        if calibrate:
            fitted = _sets_of(calibrate)
            samples = [sample for words in fitted.values() for sample in words]
            card["calibration"] = asdict(calibration_on(load_recognizer(folder), samples))
            card["calibrated_on"] = {title: len(words) for title, words in fitted.items()}
            write_card(folder, card)
        sets = {"synthetic, unseen fonts": materials.words(synthetic, "test")} | _sets_of(real)
        evaluations, greedy = (
            {title: read_samples(recognizer, samples)[1] for title, samples in sets.items()}
            for recognizer in (load_recognizer(folder), load_recognizer(folder, decoder="greedy"))
        )
        card["evaluation"] = {title: _short(row) for title, row in as_json(evaluations).items()}
        card["evaluation_greedy"] = {title: row["total"] for title, row in as_json(greedy).items()}
        write_card(folder, card)
        write_whole(folder / "card.md", card_markdown(name, card, evaluations, greedy))
        check_size(into, sorted(folder.iterdir()), name)
    return evaluations


def _sets_of(pages: Sequence[tuple[Path, str, str]]) -> dict[str, list[Sample]]:
    """The words of labelled pages, by the name of their set."""
    return {
        folder_name(place) if half == "all" else f"{folder_name(place)}, {half} half": real_words(
            place, form, None if half == "all" else half
        )
        for place, form, half in pages
    }


def _overlap(one: tuple[Path, str], other: tuple[Path, str]) -> bool:
    """Whether two halves of folders have pages in common."""
    return one[0].resolve() == other[0].resolve() and (one[1] == other[1] or "all" in (one[1], other[1]))


def model_of(trained: Path) -> Path:
    """The folder of the model in the folder of a training, which may be that of a model itself."""
    return trained / "model" if (trained / "model" / CARD).is_file() else trained


def check_size(into: Path, files: Sequence[Path], name: str) -> None:
    """See that `files` and all released models but the one called `name` fit into `LARGEST_BYTES`.

    Raises:
        BadModel: they do not.
    """
    others = [path for path in into.rglob("*") if path.is_file() and path.relative_to(into).parts[0] != name]
    # What is in the making lies in a hidden folder and is counted once, among `files`.
    others = [path for path in others if not path.relative_to(into).parts[0].startswith(".")]
    total = sum(path.stat().st_size for path in [*others, *files])
    if total > LARGEST_BYTES:
        raise BadModel(
            f"With {name} the released models would take {total / 1e6:.1f} MB, more than the {LARGEST_BYTES / 1e6:.0f} "
            "they may: remove one first."
        )


def _short(evaluation: dict[str, Any]) -> dict[str, Any]:
    """An evaluation for the card: without the numbers of single words, which mean nothing without the words."""
    kept = {key: value for key, value in evaluation.items() if key != "worst"}
    return kept | {"confusions": evaluation["confusions"][:_LISTED]}
