"""Fine-tuning: a trained recogniser goes on with labelled real words and forgets nothing of the invented ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from ocrkit import privacy
from ocrkit.alphabet import Alphabet, normalise
from ocrkit.datasets import Sample, load_pages, split_of, word_samples
from ocrkit.datasets.write import write_table
from ocrkit.document import counted
from ocrkit.errors import BadParams
from ocrkit.files import digest, folder_name, whole_folder
from ocrkit.learning.page_words import PDFS, page_words, pdf_words
from ocrkit.learning.trainer import Progress, Source, Trainer, TrainOptions, endless, read_all
from ocrkit.metrics import bootstrap_interval, correct_words
from ocrkit.recognition.lexicon import Lexicon, lexicon_of_labels
from ocrkit.recognition.model import identity, load_lexicon, load_network, read_card, save_network
from ocrkit.recognition.network import change_alphabet
from ocrkit.recognition.suspects import DECISIONS, decided, read_decisions
from ocrkit.synth import distort
from ocrkit.synth.corpus import CorpusOptions, build_vocabulary
from ocrkit.synth.distort import Banks, DistortionOptions
from ocrkit.synth.fonts import audit, font_folders
from ocrkit.synth.generator import WordGenerator, WordOptions, validation_options

_LOGGER = logging.getLogger(__name__)
_GENERAL_WORDS = 1000  # invented words of held-out font families
_MOST_HELD_OUT = 2000  # words: reading them all after every round would take longer than the round
_CHUNKS = 0.1  # share of real words that are also shown with the word behind them
_CHUNK_HEIGHTS = 1.25
# Real words at hand are of worn print mostly and hold next to no contraction, accent or program; without these, clean
# print is unlearnt. Most errors that more training mends are made in small, bold and black-and-white print.
_BESIDE_REAL = WordOptions(
    clean=0.35,
    small_bleed=0.45,
    corpus=CorpusOptions(chunks=0.1, contractions=0.2, accented=0.06, listings=0.12),
    distortions=DistortionOptions(low_resolution=0.85, bilevel=0.3),
)
_FROM_PAGES = 0.5  # of the invented words, where some are cut from pages
_SALT = "finetune"  # of the split, so that it is the same in every run and no other's


# --- what is learnt from ----------------------------------------------------------------------------------------------


def mixed(real: Source, invented: Source, share: float) -> Source:
    """A source whose first n items hold n x `share` real ones, evenly spread; the others are invented."""

    def items(start: int, stop: int) -> Iterator[Sample]:
        first, last = int(start * share), int(stop * share)
        ours, others = real(first, last), invented(start - first, stop - last)
        for i in range(start, stop):
            yield next(ours if int((i + 1) * share) > int(i * share) else others)

    return items


def augmented(source: Source, seed: int) -> Source:
    """The items of `source`, each a little different whenever it comes again; see `augment`."""

    def items(start: int, stop: int) -> Iterator[Sample]:
        for number, sample in enumerate(source(start, stop), start):
            yield replace(
                sample, image=augment(sample.image, Random(f"{seed}/augment/{number}"), distort.banks_of(seed))
            )

    return items


def with_chunks(samples: Sequence[Sample], seed: int, share: float = _CHUNKS) -> list[Sample]:
    """`samples`, and for `share` of them one more: it and the next word of its document as one crop, a blank between.

    A net that sees real words one by one only soon reads two neighbours of a line as one. Words whose heights differ
    by more than a quarter are left alone.
    """
    r = Random(f"{seed}/chunks")
    chunks = [
        replace(a, image=_side_by_side(a.image, b.image, r), text=f"{a.text} {b.text}")
        for a, b in pairwise(samples)
        if r.random() < share and a.document == b.document and _alike(a.image.shape[0], b.image.shape[0])
    ]
    return [*samples, *chunks]


def _alike(height: int, other: int) -> bool:
    return max(height, other) <= _CHUNK_HEIGHTS * min(height, other)


def _side_by_side(left: np.ndarray, right: np.ndarray, r: Random) -> np.ndarray:
    """Two grey crops on one line, with a gap of paper as wide as blanks are printed."""
    height = max(left.shape[0], right.shape[0])
    gap = round(height * r.uniform(0.2, 0.6))
    joined = np.full((height, left.shape[1] + gap + right.shape[1]), np.median(np.append(left, right)), np.uint8)
    for crop, x in ((left, 0), (right, left.shape[1] + gap)):
        top = (height - crop.shape[0]) // 2
        joined[top : top + crop.shape[0], x : x + crop.shape[1]] = crop
    return joined


def augment(image: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A grey crop as another detector, lamp and camera would have it: box shifted, contrast, blur, noise, JPEG.

    Sides move by no more than 0.06 of the height inwards, which is the paper that boxes leave around their ink.
    """
    height, width = image.shape
    moves = [round(height * r.uniform(-0.06, 0.1)) for _ in range(4)]
    above, below, before, after = (max(0, move) for move in moves)
    top, bottom, left, right = (min(max(0, -move), min(height, width) // 8) for move in moves)
    inner = image[top : height - bottom, left : width - right]
    picture = cv2.copyMakeBorder(inner, above, below, before, after, cv2.BORDER_REPLICATE).astype(np.float32)
    paper = float(np.median(picture))
    picture = paper + (picture - paper) * r.uniform(0.6, 1.2) + r.uniform(-15, 15)
    if r.random() < 0.2:
        picture = distort.defocus(picture, r, banks)
    if r.random() < 0.2:
        picture = distort.noise(picture, r, banks)
    finished = np.clip(picture, 0, 255).astype(np.uint8)
    return distort.jpeg(finished, r) if r.random() < 0.2 else finished


def first_documents(samples: Sequence[Sample], words: int | None) -> list[Sample]:
    """The first `words` samples (all by default), document after document, in an order that a hash gives them.

    Fewer are always a part of more, and it is by documents that collections grow.
    """
    order = {name: Random(f"{_SALT}/{name}").random() for name in {sample.document for sample in samples}}
    return sorted(samples, key=lambda sample: (order[sample.document], sample.document))[:words]


def usable(samples: Sequence[Sample], alphabet: Alphabet) -> list[Sample]:
    """The samples with normalised labels, those the network has the characters for."""
    normal = (replace(sample, text=normalise(sample.text)) for sample in samples)
    return [sample for sample in normal if sample.text and not alphabet.unknown(sample.text)]


def real_words_of(folders: Sequence[Path], form: str, alphabet: Alphabet, held_out: float) -> dict[str, list[Sample]]:
    """Words of all `folders` to learn from (`tune`) and `held_out` ones, split by document."""
    split: dict[str, list[Sample]] = {"held_out": [], "tune": []}
    for folder in folders:
        samples = decided(word_samples(load_pages(folder, form, "train")), read_decisions(folder / DECISIONS))
        if not samples:
            raise BadParams(f"{folder} labels lines, not words: cut them with `ocrkit data words` first.")
        known = usable(samples, alphabet)
        if len(known) < len(samples):
            unknown = len(samples) - len(known)
            what = counted(unknown, "word")
            _LOGGER.warning("%s of %s left out: characters that the model does not know.", what, folder)
        if len(folders) > 1:  # page-1 of one folder is not page-1 of another
            known = [replace(sample, document=f"{folder.resolve().name}/{sample.document}") for sample in known]
        for sample in known:
            split[split_of(sample.document, {"held_out": held_out, "tune": 1 - held_out}, _SALT)].append(sample)
    if not split["tune"] or not split["held_out"]:
        documents = counted(len({sample.document for part in split.values() for sample in part}), "document")
        part = f"{1 - held_out:.0%} to learn from" if split["held_out"] else f"{held_out:.0%} to hold out"
        raise BadParams(
            f"By their hashes, none of {documents} is among the {part}: change --held-out, or label more documents."
        )
    for part, what in (("tune", "What is learnt from"), ("held_out", "Every figure on the held-out words")):
        if any(sample.private for sample in split[part]):
            privacy.check_documents(len({sample.document for sample in split[part]}), what)
    return {"tune": split["tune"], "held_out": first_documents(split["held_out"], _MOST_HELD_OUT)}


class Invented:
    """Invented words to mix in, and others in fonts that training never sees to show what is forgotten.

    Args:
        fonts: where they come from.
        pages: from how many invented pages every other word is cut; 0 for none.
        pdfs: folder of PDFs whose words stand among those of invented pages, as if they had been printed.
    """

    def __init__(self, fonts: tuple[str, ...], pages: int = 0, pdfs: Path | None = None) -> None:
        self._vocabulary, self._verdicts = build_vocabulary(), audit(font_folders(fonts))
        self._pages, self._pdfs = pages, pdfs
        options = validation_options(WordOptions())
        self.general = list(WordGenerator(self._vocabulary, self._verdicts, options).samples(0, _GENERAL_WORDS))

    def source(self, seed: int) -> Source:
        """Words to mix in, others for each `seed`."""
        drawn = WordGenerator(self._vocabulary, self._verdicts, replace(_BESIDE_REAL, seed=seed)).samples
        found = list(page_words(self._vocabulary, self._verdicts, self._pages, seed))
        found += usable(list(pdf_words(self._pdfs, seed)), Alphabet()) if self._pdfs else []
        return mixed(endless(found, seed), drawn, _FROM_PAGES) if found else drawn


# --- one run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Words:
    """What fine-tuning needs: real words to learn from and held out, invented ones to learn from and held out.

    `pages` is from how many invented pages some of the invented ones are cut, `pdfs` the folder of PDFs from
    which others are.
    """

    tune: Sequence[Sample]
    held_out: Sequence[Sample]
    invented: Source
    general: Sequence[Sample]
    pages: int = 0
    pdfs: Path | None = None


def fine_tune(
    words: Words,
    model: Path,
    options: TrainOptions,
    real_share: float,
    folder: Path,
    report: Callable[[Progress, float], None] = lambda progress, general: None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train the network of `model` on, and save it in `folder/model`; returns the figures before and after.

    It learns the characters of `ocrkit.alphabet.CHARACTERS` that it did not know, and its lexicon learns the words that
    several documents have in common.

    Early stopping and the choice of the best weights go by the held-out real words. After each round the general words
    are read as well, so that forgetting shows while it happens: `folder/curve.csv` has both.

    Args:
        words: see `Words`.
        model: folder of the model to begin with.
        options: of the training.
        real_share: of the words seen.
        folder: for checkpoints, the curve and the model.
        report: called after each validated round, with the share of general words read right.
        resume: go on where the training in `folder` stopped.
    """
    documents = min(len({sample.document for sample in part}) for part in (words.tune, words.held_out))
    with privacy.aggregate(documents, "A training's figures"):
        return _fine_tune(words, model, options, real_share, folder, report, resume)


def _fine_tune(
    words: Words,
    model: Path,
    options: TrainOptions,
    real_share: float,
    folder: Path,
    report: Callable[[Progress, float], None],
    resume: bool,
) -> dict[str, Any]:
    known = load_network(model)
    judged = {"real": words.held_out, "general": words.general}
    truths = {name: [sample.text for sample in samples] for name, samples in judged.items()}

    def right(network: Any, alphabet: Alphabet, name: str) -> np.ndarray:
        return correct_words(truths[name], read_all(network, alphabet, [sample.image for sample in judged[name]]))

    before = {name: right(*known, name) for name in judged}
    network, alphabet = change_alphabet(*known, Alphabet(), "union")  # invented words hold every character
    real = endless(with_chunks(words.tune, options.seed), options.seed)
    source = mixed(augmented(real, options.seed), words.invented, real_share)
    trainer = Trainer(source, words.held_out, options, folder, alphabet, network)
    curve = [[0, before["real"].mean(), before["general"].mean()]]

    def look(progress: Progress) -> None:
        if progress.swa is None:
            return
        general = float(right(trainer.finished(best=False), alphabet, "general").mean())
        curve.append([progress.words, progress.swa, general])
        write_table(folder / "curve.csv", ("words", "real", "general"), curve)
        report(progress, general)

    if resume and trainer.resume():
        curve += [row for row in _read_curve(folder / "curve.csv") if 0 < row[0] <= trainer.words]
        if trainer.history[-1].words > curve[-1][0]:  # it was killed between its checkpoint and the row of that
            look(trainer.history[-1])
    trainer.run(look)
    network = trainer.finished()
    row: dict[str, Any] = {"words": len(words.tune), "seed": options.seed, "seen": trainer.words}
    for name in judged:
        after = right(network, alphabet, name)
        change = bootstrap_interval(after.astype(float) - before[name])
        row |= {f"{name}_before": before[name].mean(), name: after.mean()}
        row |= {f"{name}_change_low": change.low, f"{name}_change_high": change.high}
    sources = sorted({sample.source for sample in words.tune} | ({PDFS} if words.pdfs else set()))
    card = {
        "trained_on": f"synthetic words, then words of {', '.join(sources)} mixed with synthetic ones",
        "sources": ["synthetic", *sources],
        "fine_tuned_from": origin(model),
        "date": time.strftime("%Y-%m-%d"),
        "real_words": len(words.tune),
        "real_documents": len({sample.document for sample in words.tune}),
        "real_share": real_share,
        "invented_pages": words.pages,
        "pdfs": {"folder": folder_name(words.pdfs), "digest": digest(words.pdfs)} if words.pdfs else None,
        "held_out_words": len(words.held_out),
        "general_words": len(words.general),
        "train_options": asdict(options),
        "figures": {name: float(value) for name, value in row.items()},
        "curve": [[int(row[0]), *(round(float(value), 4) for value in row[1:])] for row in curve],
    }
    # What the model before it learnt from, it has learnt from too.
    donated = [*read_card(model).get("vaults", ()), *filter(None, (vault.learnt() for vault in privacy.vaults()))]
    if donated:
        card["vaults"] = donated
    lexicon = common_words(words.tune)
    if known_words := load_lexicon(model):
        lexicon = known_words.joined(lexicon)
    with whole_folder(folder / "model", replace=True) as made:
        save_network(network, alphabet, made, card, lexicon)
    for vault in privacy.vaults():
        if vault.learnt() and (said := vault.record_model(identity(folder / "model"), str(folder / "model"))):
            _LOGGER.warning("%s", said)
    return row


def common_words(samples: Sequence[Sample]) -> Lexicon:
    """Words that several documents have in common, for a lexicon; none of donated ones, as a checksum tells a name."""
    labels = ((sample.document, sample.text) for sample in samples if not sample.private)
    return lexicon_of_labels(labels, privacy.LEAST_DOCUMENTS)


def origin(model: Path) -> dict[str, Any]:
    """For the card of what comes after `model`: what that is called, what it learnt and when, and its checksums."""
    card, folder = read_card(model), model.resolve()
    # Trainings put their results into folders called `model`; the training's own folder tells them apart.
    name = folder.parent.name if folder.name == "model" else folder.name
    learnt: dict[str, Any] = {key: card[key] for key in ("trained_on", "date", "commit") if key in card}
    return {"model": name, **learnt, "files": card["files"]}


def _read_curve(path: Path) -> list[list[float]]:
    if not path.exists():
        return []
    return [[int(words), *shares] for words, *shares in np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).tolist()]
