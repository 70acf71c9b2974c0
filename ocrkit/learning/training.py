"""Training on invented words from end to end: what it begins with, what is kept beside it, and its record."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2

from ocrkit import git, origin, strict
from ocrkit.alphabet import Alphabet, normalise
from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.trainer import Progress, Source, Trainer, TrainOptions, read_all
from ocrkit.metrics import character_error_rate
from ocrkit.recognition.network import change_alphabet, change_size, cost
from ocrkit.record import Record, Step, load_record, save_steps, save_table

if TYPE_CHECKING:
    from ocrkit.synth.corpus import Vocabulary
    from ocrkit.synth.fonts import FontVerdict

_SHEET_WORDS = 48
_LOGGER = logging.getLogger(__name__)

# --- what it begins with ---


def kept_materials(
    vocabulary: Path, verdicts: Path, books: Path | None, fonts: tuple[str, ...], seed: int, resume: bool
) -> tuple[Vocabulary, list[FontVerdict]]:
    """What the words are made of, kept beside the checkpoints: a font installed meanwhile must not change them.

    Only `resume` takes what is there: a training that was killed before its first checkpoint may begin again otherwise.
    """
    from ocrkit.synth.corpus import Vocabulary, build_vocabulary
    from ocrkit.synth.fonts import audit, font_folders, load_verdicts, save_verdicts

    if not (resume and vocabulary.exists()):
        build_vocabulary(books, seed=seed).save(vocabulary)
    if not (resume and verdicts.exists()):
        save_verdicts(audit(font_folders(fonts)), verdicts)
    return Vocabulary.load(vocabulary), load_verdicts(verdicts)


def begin_with(
    load: Path | None, size: str | None, characters: str | None, how: Literal["fail", "union", "new"], seed: int
) -> tuple[Any, dict[str, Any]]:
    """The network to go on from, if any; the alphabet to train, and what the model's card says about both.

    Args:
        load: model to begin with; `None` for none.
        size: of the network, where it is not to be the loaded one's.
        characters: to read, as for `read_characters`.
        how: as for `change_alphabet`.
        seed: of weights that are added.
    """
    import keras

    from ocrkit.recognition.model import WEIGHTS, find_model, load_network, read_card

    wished = Alphabet(read_characters(characters)) if characters else None
    if wished and (undrawn := Alphabet().unknown(wished.characters)):
        _LOGGER.warning("No invented word holds %r: it takes real ones to learn that.", undrawn)
    if not load:
        return None, {"alphabet": (wished or Alphabet()).characters, "trained_on": "synthetic words only"}
    model = find_model(load)
    network, alphabet = load_network(model)
    keras.utils.set_random_seed(seed)
    if size and size != network.name:
        network = change_size(network, alphabet, size)
    if wished:
        network, alphabet = change_alphabet(network, alphabet, wished, how)
    card = read_card(model)
    origin = {"began_with": {"name": model.name, WEIGHTS: card["files"][WEIGHTS]}, "trained_on": card.get("trained_on")}
    origin |= {key: card[key] for key in ("vaults",) if key in card}  # what it learnt from, what comes of it has too
    return network, {"alphabet": alphabet.characters, **origin}


def read_characters(given: str) -> str:
    """The characters of a text, or of the file named after an @, each once."""
    try:
        text = Path(given[1:]).read_text("utf-8") if given[0] == "@" else given
    except (OSError, UnicodeDecodeError) as error:
        raise BadParams(f"{given[1:]} cannot be read as a text in UTF-8: {error}.") from None
    return "".join(dict.fromkeys(normalise(text)))


def spelled_by(source: Source, alphabet: Alphabet) -> Source:
    """The items of `source` that `alphabet` can spell."""
    return lambda start, stop: (sample for sample in source(start, stop) if not alphabet.unknown(sample.text))


# --- what it leaves behind ---


@contextmanager
def recorded(trainer: Trainer, params: dict[str, Any], inputs: dict[str, str]) -> Iterator[Record]:
    """The record of the training in its folder: begun, or taken up again; ended with what became of it."""
    folder = trainer.folder / "record"
    tags = {"stage": "train", "mlflow.source.name": "ocrkit train", "mlflow.source.type": "LOCAL"}
    tags |= {"processor": origin.processor(), "strict": str(strict.is_on()).lower()}
    tags["mlflow.source.git.commit"] = _commit()
    record = Record(f"train {trainer.options.size} {time.strftime('%d %b %H:%M')}", params, tags, inputs)
    if (folder / "run.json").exists() and trainer.words:
        earlier = load_record(folder)
        record = replace(record, name=earlier.name, started=earlier.started, id=earlier.id)
    record.save(folder)
    try:
        yield record
        if trainer.words >= trainer.options.words or trainer.out_of_patience:
            record.status = "FINISHED"
    except BaseException as error:
        record.status = "FAILED" if isinstance(error, OcrkitError) else "KILLED"
        raise
    finally:
        record.ended = None if record.status == "RUNNING" else time.time()
        record.save(folder)
        save_steps(folder, map(step_of, trainer.history))  # all, also of a round whose report a kill prevented


def step_of(progress: Progress) -> Step:
    """The numbers of a round, as a step of the record."""
    numbers = asdict(progress)
    step, at = numbers.pop("words"), numbers.pop("time")
    return Step(step, at, {name: value for name, value in numbers.items() if value is not None})


def save_readings(trainer: Trainer, record: Path, font: str) -> dict[str, float]:
    """Write what the finished network reads in the validation words, errors apart; returns its scores."""
    from ocrkit.synth.preview import contact_sheet

    samples = trainer.validation
    texts = read_all(trainer.finished(), trainer.alphabet, [sample.image for sample in samples])
    wrong = [(sample, text) for sample, text in zip(samples, texts) if text != sample.text]
    save_table(record, "errors", {"truth": [sample.text for sample, _ in wrong], "read": [text for _, text in wrong]})
    make_folder(record / "artifacts")
    for name, pairs in (("readings", zip(samples, texts)), ("errors", iter(wrong))):
        some = [Sample(sample.image, text) for sample, text in islice(pairs, _SHEET_WORDS)]
        if some:
            picture = cv2.imencode(".png", contact_sheet([some], font))[1]
            write_whole(record / "artifacts" / f"{name}.png", picture.tobytes())
    truths = [sample.text for sample in samples]
    return {"swa": 1 - len(wrong) / len(samples), "cer": character_error_rate(truths, texts)}


def training_card(trainer: Trainer, options: TrainOptions, drawn: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """What a model's card tells about its training on invented words."""
    network = cost(options.size, trainer.alphabet.classes)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "train_options": asdict(options),
        "word_options": json.loads(json.dumps(drawn)),
        "vocabulary_words": vocabulary,
        "parameters": network.parameters,
        "macs_128_px": network.macs,
        "validation_swa": trainer.best,
        "validation_words": len(trainer.validation),
        "curve": [[p.words, round(p.loss, 4), p.swa] for p in trainer.history],
    }


def _commit() -> str:
    """The commit of the source tree this code is run from; empty for an installed package."""
    root = Path(__file__).resolve().parents[2]
    return (git.commit(root) or git.UNKNOWN) if (root / ".git").exists() else ""
