"""`ocrkit train`: joins the word engine and the trainer into a recogniser that has seen nothing but invented words."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
import cv2

from ocrkit.alphabet import Alphabet, normalise
from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadParams, MissingExtra, OcrkitError
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.trainer import Progress, Source, Trainer, TrainOptions, read_all
from ocrkit.metrics import character_error_rate
from ocrkit.recognition.network import SIZES, Precision, change_alphabet, cost
from ocrkit.record import Record, Step, load_record, md5, save_steps, save_table

if TYPE_CHECKING:
    from ocrkit.synth.corpus import Vocabulary
    from ocrkit.synth.fonts import FontVerdict

_DEFAULT = TrainOptions()
_SHEET_WORDS = 48


def _print_sizes(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    with _needing_keras():
        from ocrkit.learning.size_table import network_table

        click.echo("| size | parameters | multiply-accumulates, 128 px | ms a word, 1 thread |\n|---|---|---|---|")
        for row in network_table():
            click.echo(f"| {row.size} | {row.cost.parameters:,} | {row.cost.macs:,} | {row.ms_per_word:.2f} |")
    ctx.exit()


@contextmanager
def _needing_keras() -> Iterator[None]:
    # TensorFlow's start-up lines, and its advice to programmers, say nothing to a user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Training needs {error.name}: pip install 'ocrkit[train]'.") from None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--size", type=click.Choice(list(SIZES)), default="fast", show_default=True, help="Of the network.")
@click.option("--words", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="Words seen in all.")
@click.option("--until", type=click.IntRange(min=1), help="Stop after about so many words; --resume goes on.")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Crops 128 px wide.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True, help="At its peak."
)
@click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default=_DEFAULT.precision,
    show_default=True,
    help="Of the layers; half precision is for GPUs.",
)
@click.option(
    "--ema",
    type=click.FloatRange(0, 1, max_open=True),
    default=_DEFAULT.ema,
    show_default=True,
    help="Decay a step of the averaged weights, which are kept; 0 for none.",
)
@click.option(
    "--validate-every", type=click.IntRange(min=1), default=4, show_default=True, help="Rounds between validations."
)
@click.option(
    "--validation-words", type=click.IntRange(min=1), default=500, show_default=True, help="Of held-out font families."
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=_DEFAULT.patience,
    show_default=True,
    help="Validations without a gain after which to stop; 0: never.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of words, weights and order.")
@click.option("--books", type=click.Path(path_type=Path), help="Folder of plain-text books whose words are used too.")
@click.option("--fonts", multiple=True, default=("packages",), help="packages, system or a folder; may be repeated.")
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Processes that draw words.")
@click.option("--resume", is_flag=True, help="Go on exactly where the training in FOLDER stopped.")
@click.option("--load", type=click.Path(path_type=Path), help="Start afresh from this model's weights.")
@click.option("--characters", help="To read, as a text or as @FILE. Default: the loaded model's, else all.")
@click.option(
    "--alphabet",
    "how",
    type=click.Choice(["fail", "union", "new"]),
    default="fail",
    show_default=True,
    help="Where a loaded model lacks some: refuse, add them, or know only --characters.",
)
@click.option("--find-learning-rate", "finding", is_flag=True, help="Only suggest one; FOLDER gets the curve.")
@click.option(
    "--sizes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_sizes,
    help="Show what each size costs, measured on this machine, and exit.",
)
def train(
    *,
    folder: Path,
    until: int | None,
    validation_words: int,
    books: Path | None,
    fonts: tuple[str, ...],
    workers: int,
    resume: bool,
    load: Path | None,
    characters: str | None,
    how: Literal["fail", "union", "new"],
    finding: bool,
    **chosen: Any,
) -> None:
    """Train a recogniser on invented words into FOLDER: FOLDER/model reads, the rest is for --resume.

    FOLDER/record has the curve, errors, options and origin; `ocrkit runs import FOLDER` puts them into MLflow.
    """
    from ocrkit.recognition.beam import Lexicon
    from ocrkit.recognition.model import save_network
    from ocrkit.synth.generator import WordGenerator, WordOptions, WordStream, validation_options

    if resume and (load or characters):
        raise BadParams("--resume goes on with a training, --load and --characters start a new one: give one of them.")
    if how != "fail" and not (load and characters):
        raise BadParams("--alphabet says what happens where the model of --load does not know all --characters.")
    _check_folder(folder, resume)
    options = TrainOptions(**chosen)
    with _needing_keras():
        network, beginning = _beginning(load, characters, how, options.seed)
    if network:
        options = replace(options, size=network.name)
    kept = {name: make_folder(folder) / f"{name}.json" for name in ("vocabulary", "fonts", "beginning")}
    vocabulary, verdicts = _materials(kept["vocabulary"], kept["fonts"], books, fonts, options.seed)
    if not (resume and kept["beginning"].exists()):
        write_whole(kept["beginning"], json.dumps(beginning))
    beginning = json.loads(kept["beginning"].read_text("utf-8"))
    alphabet = Alphabet(beginning.pop("alphabet"))
    drawn = WordOptions(seed=options.seed)
    generator = WordGenerator(vocabulary, verdicts, validation_options(drawn))
    validation = list(_known(generator.samples, alphabet)(0, validation_words))
    if not validation:
        raise BadParams("No word to validate with can be written in these characters: give more --validation-words.")
    with _needing_keras(), WordStream(vocabulary, verdicts, drawn, workers) as stream:
        trainer = Trainer(_known(stream, alphabet), validation, options, folder, alphabet, network)
        if finding:
            _find_learning_rate(trainer)
            return
        if resume:
            trainer.resume()
        params = asdict(options) | {f"drawn.{name}": value for name, value in asdict(drawn).items()}
        with _recorded(trainer, params, {name: md5(path) for name, path in kept.items()}) as record:
            with _shown(trainer) as (show, on_batch):

                def report(progress: Progress) -> None:
                    save_steps(folder / "record", [_step(progress) for progress in trainer.history])
                    show(progress)

                trainer.run(report, until, on_batch)
            font = next(verdict.path for verdict in verdicts if not verdict.fault)
            record.metrics = _save_readings(trainer, folder / "record", font)
    if trainer.out_of_patience:
        click.echo(f"Stopped early: no gain in {options.patience} validations. The best weights are kept.")
    elif trainer.words < options.words:
        click.echo(f"Stopped after {trainer.words:,} words; --resume goes on.")
        return
    card = training_card(trainer, options, asdict(drawn), len(vocabulary.words) + len(vocabulary.book)) | beginning
    card["fonts"] = len({verdict.family for verdict in verdicts if not verdict.fault})
    lexicon = Lexicon(vocabulary.dictionary)
    click.echo(f"Written: {save_network(trainer.finished(), trainer.alphabet, folder / 'model', card, lexicon)}")


# --- what it begins with ---


def _check_folder(folder: Path, resume: bool) -> None:
    begun = (folder / "state.npz").exists()
    if begun and not resume:
        raise BadParams(f"{folder} holds a training already: give --resume to go on with it, or name another folder.")
    if resume and not begun:
        raise BadParams(f"{folder} holds no training to go on with.")


def _materials(
    vocabulary: Path, verdicts: Path, books: Path | None, fonts: tuple[str, ...], seed: int
) -> tuple[Vocabulary, list[FontVerdict]]:
    """What the words are made of, kept beside the checkpoints: a font installed meanwhile must not change them."""
    from ocrkit.synth.corpus import Vocabulary, build_vocabulary
    from ocrkit.synth.fonts import audit, font_folders, load_verdicts, save_verdicts

    if not vocabulary.exists():
        build_vocabulary(books, seed=seed).save(vocabulary)
    if not verdicts.exists():
        save_verdicts(audit(font_folders(fonts)), verdicts)
    return Vocabulary.load(vocabulary), load_verdicts(verdicts)


def _beginning(
    load: Path | None, characters: str | None, how: Literal["fail", "union", "new"], seed: int
) -> tuple[Any, dict[str, Any]]:
    """The network to go on from, if any; the alphabet to train, and what the model's card says about both."""
    import keras

    from ocrkit.recognition.model import WEIGHTS, find_model, load_network, read_card

    wished = Alphabet(_characters(characters)) if characters else None
    if wished and (undrawn := Alphabet().unknown(wished.characters)):
        click.echo(f"No invented word holds {undrawn!r}: it takes real ones to learn that.")
    if not load:
        return None, {"alphabet": (wished or Alphabet()).characters, "trained_on": "synthetic words only"}
    model = find_model(load)
    network, alphabet = load_network(model)
    if wished:
        keras.utils.set_random_seed(seed)  # for the weights of outputs that are added
        network, alphabet = change_alphabet(network, alphabet, wished, how)
    card = read_card(model)
    origin = {"began_with": {"name": model.name, WEIGHTS: card["files"][WEIGHTS]}, "trained_on": card.get("trained_on")}
    return network, {"alphabet": alphabet.characters, **origin}


def _characters(given: str) -> str:
    """The characters of a text, or of the file named after an @, each once."""
    try:
        text = Path(given[1:]).read_text("utf-8") if given[0] == "@" else given
    except (OSError, UnicodeDecodeError) as error:
        raise BadParams(f"{given[1:]} cannot be read as a text in UTF-8: {error}.") from None
    return "".join(dict.fromkeys(normalise(text)))


def _known(source: Source, alphabet: Alphabet) -> Source:
    """The items of `source` that `alphabet` can spell."""
    return lambda start, stop: (sample for sample in source(start, stop) if not alphabet.unknown(sample.text))


def _find_learning_rate(trainer: Trainer) -> None:
    from ocrkit.learning.rate_finder import find_learning_rate

    curve = find_learning_rate(trainer)
    table, picture = curve.save(trainer.folder)
    click.echo(f"Suggested: --learning-rate {curve.suggestion:.2g}. The curve: {picture}, {table}")


# --- what it says and leaves behind ---


@contextmanager
def _shown(trainer: Trainer) -> Iterator[tuple[Callable[[Progress], None], Callable[[int, float], None]]]:
    """What to call after each round and each batch: a bar where standard error is a terminal, else a line a round."""
    options = trainer.options
    if not sys.stderr.isatty():
        yield lambda progress: click.echo(describe(progress, options)), lambda words, loss: None
        return
    from tqdm import tqdm

    said: dict[str, str] = {}
    with tqdm(total=options.words, initial=trainer.words, unit=" words", smoothing=0.02, dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            if progress.swa is not None:
                said["SWA"] = f"{progress.swa:.3f}"
            on_batch(progress.words, progress.loss)

        def on_batch(words: int, loss: float) -> None:
            bar.set_postfix(said | {"loss": f"{loss:.3f}"}, refresh=False)
            bar.update(words - bar.n)

        yield show, on_batch


def describe(progress: Progress, options: TrainOptions) -> str:
    """One line about a round: words seen, loss, SWA where it was measured, speed and the time left."""
    left = (options.words - progress.words) / progress.words_per_second
    swa = f", SWA {progress.swa:.3f}" if progress.swa is not None else ""
    return (
        f"{progress.words:>11,} of {options.words:,} words, loss {progress.loss:.3f}{swa}, "
        f"{progress.words_per_second:.0f} words/s, {left / 60:.0f} min left"
    )


@contextmanager
def _recorded(trainer: Trainer, params: dict[str, Any], inputs: dict[str, str]) -> Iterator[Record]:
    """The record of the training in its folder: begun, or taken up again; ended with what became of it."""
    folder = trainer.folder / "record"
    tags = {"stage": "train", "mlflow.source.name": "ocrkit train", "mlflow.source.type": "LOCAL"}
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


def _step(progress: Progress) -> Step:
    numbers = asdict(progress)
    step, at = numbers.pop("words"), numbers.pop("time")
    return Step(step, at, {name: value for name, value in numbers.items() if value is not None})


def _save_readings(trainer: Trainer, record: Path, font: str) -> dict[str, float]:
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
    if not (root / ".git").exists():
        return ""
    try:
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git program
        return ""
