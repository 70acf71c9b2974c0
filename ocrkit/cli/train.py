"""`ocrkit train`: a recogniser that has seen nothing but invented words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, get_args

import click

from ocrkit.alphabet import Alphabet
from ocrkit.cli.options import fonts_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.verbs import verb
from ocrkit.errors import BadParams, MissingExtra
from ocrkit.files import digest, make_folder, whole_folder, write_whole
from ocrkit.learning.trainer import Progress, Trainer, TrainOptions
from ocrkit.learning.training import (
    begin_with,
    kept_materials,
    recorded,
    save_readings,
    spelled_by,
    step_of,
    training_card,
)
from ocrkit.quiet import quieten_tensorflow
from ocrkit.recognition.network import SIZES, Precision
from ocrkit.record import save_steps
from ocrkit.synth.generator import Widths

_DEFAULT = TrainOptions()


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
    quieten_tensorflow()
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Training needs {error.name}: pip install 'ocrkit[train]'.") from None


@verb()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--size", type=click.Choice(list(SIZES)), help="Size of the network. Default: the loaded model's, else fast."
)
@click.option(
    "--words", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="Number of words to train on."
)
@click.option("--until", type=click.IntRange(min=1), help="Stop after about this many words; --resume continues.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Words per batch, at 128 px width."
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=2e-3,
    show_default=True,
    help="Peak learning rate.",
)
@click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default=_DEFAULT.precision,
    show_default=True,
    help="Precision of the layers; half precision is for GPUs.",
)
@click.option(
    "--ema",
    type=click.FloatRange(0, 1, max_open=True),
    default=_DEFAULT.ema,
    show_default=True,
    help="Decay per step of the moving average of the weights, which is what is kept; 0 for none.",
)
@click.option(
    "--validate-every",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Number of rounds between validations.",
)
@click.option(
    "--validation-words",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Words to validate on, in held-out fonts.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=_DEFAULT.patience,
    show_default=True,
    help="Stop after this many validations without a gain; 0: never.",
)
@click.option(
    "--widths",
    type=click.Choice(get_args(Widths)),
    default="print",
    show_default=True,
    help="Widths of the words: as in real print, or as the texts come.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of words, weights and order.")
@click.option("--books", type=click.Path(path_type=Path), help="Folder of plain-text books to take more words from.")
@fonts_option
@click.option(
    "--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Number of processes that render words."
)
@click.option("--resume", is_flag=True, help="Continue exactly where the training in FOLDER stopped.")
@click.option("--load", type=click.Path(path_type=Path), help="Start a new training from this model's weights.")
@click.option("--characters", help="Characters to read, as text or @FILE. Default: the loaded model's, else all.")
@click.option(
    "--alphabet",
    "how",
    type=click.Choice(["fail", "union", "new"]),
    default="fail",
    show_default=True,
    help="If a loaded model lacks characters: refuse, add them, or know only --characters.",
)
@click.option(
    "--find-learning-rate", "finding", is_flag=True, help="Only suggest a learning rate; its curve goes to FOLDER."
)
@click.option(
    "--sizes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_sizes,
    help="Measure what each size costs on this machine, and exit.",
)
def train(
    *,
    folder: Path,
    size: str | None,
    until: int | None,
    validation_words: int,
    books: Path | None,
    fonts: tuple[str, ...],
    widths: Widths,
    workers: int,
    resume: bool,
    load: Path | None,
    characters: str | None,
    how: Literal["fail", "union", "new"],
    finding: bool,
    **chosen: Any,
) -> None:
    """Train a model on invented words; the result is FOLDER/model, the rest of FOLDER is for --resume.

    FOLDER/record has the curve, errors, options and origin; `ocrkit runs import FOLDER` puts them into MLflow.
    """
    from ocrkit.recognition.lexicon import Lexicon
    from ocrkit.recognition.model import save_network
    from ocrkit.synth.corpus import zipf_frequencies
    from ocrkit.synth.generator import WordGenerator, WordOptions, WordStream, validation_options

    if resume and (load or characters):
        raise BadParams("--resume goes on with a training, --load and --characters start a new one: give one of them.")
    if how != "fail" and not (load and characters):
        raise BadParams("--alphabet says what happens where the model of --load does not know all --characters.")
    _check_folder(folder, resume)
    options = TrainOptions(size=size or "fast", **chosen)
    with _needing_keras():
        network, beginning = begin_with(load, size, characters, how, options.seed)
    if network:
        options = replace(options, size=network.name)
    kept = {name: make_folder(folder) / f"{name}.json" for name in ("vocabulary", "fonts", "beginning")}
    vocabulary, verdicts = kept_materials(kept["vocabulary"], kept["fonts"], books, fonts, options.seed, resume)
    if not (resume and kept["beginning"].exists()):
        write_whole(kept["beginning"], json.dumps({**beginning, "widths": widths}))
    beginning = json.loads(kept["beginning"].read_text("utf-8"))
    alphabet = Alphabet(beginning.pop("alphabet"))
    lexicon = Lexicon(zipf_frequencies(vocabulary.dictionary))  # now, not after hours: what it needs may be missing
    # Trainings from before there was a choice took the words as wide as they came.
    drawn = WordOptions(seed=options.seed, widths=beginning.pop("widths", "text"))
    generator = WordGenerator(vocabulary, verdicts, validation_options(drawn))
    validation = list(spelled_by(generator.samples, alphabet)(0, validation_words))
    if not validation:
        raise BadParams("No word to validate with can be written in these characters: give more --validation-words.")
    with _needing_keras(), WordStream(vocabulary, verdicts, drawn, workers) as stream:
        trainer = Trainer(spelled_by(stream, alphabet), validation, options, folder, alphabet, network)
        if finding:
            _find_learning_rate(trainer)
            return
        if resume:
            trainer.resume()
        params = asdict(options) | {f"drawn.{name}": value for name, value in asdict(drawn).items()}
        with recorded(trainer, params, {name: digest(path) for name, path in kept.items()}) as record:
            with _shown(trainer) as (show, on_batch):

                def report(progress: Progress) -> None:
                    save_steps(folder / "record", [step_of(progress) for progress in trainer.history])
                    show(progress)

                trainer.run(report, until, on_batch)
            record.metrics = save_readings(trainer, folder / "record", next(v.path for v in verdicts if not v.fault))
    if trainer.out_of_patience:
        click.echo(f"Stopped early: no gain in {options.patience} validations. The best weights are kept.")
    elif trainer.words < options.words:
        click.echo(f"Stopped after {trainer.words:,} words; --resume goes on.")
        return
    card = training_card(trainer, options, asdict(drawn), len(vocabulary.words) + len(vocabulary.book)) | beginning
    card["fonts"] = len({verdict.family for verdict in verdicts if not verdict.fault})
    with whole_folder(folder / "model", replace=True) as model:
        save_network(trainer.finished(), trainer.alphabet, model, card, lexicon)
    click.echo(f"Written: {folder / 'model'}")


def _check_folder(folder: Path, resume: bool) -> None:
    begun = (folder / "state.npz").exists()
    if begun and not resume:
        raise BadParams(f"{folder} holds a training already: give --resume to go on with it, or name another folder.")
    if resume and not begun:
        raise BadParams(f"{folder} holds no training to go on with.")


def _find_learning_rate(trainer: Trainer) -> None:
    from ocrkit.learning.rate_finder import find_learning_rate

    curve = find_learning_rate(trainer)
    table, picture = curve.save(trainer.folder)
    click.echo(f"Suggested: --learning-rate {curve.suggestion:.2g}. The curve: {picture}, {table}")


@contextmanager
def _shown(trainer: Trainer) -> Iterator[tuple[Callable[[Progress], None], Callable[[int, float], None]]]:
    """What to call after each round and each batch: a bar where standard error is a terminal, else a line a round."""
    options = trainer.options
    with progress_bar("Training", "words", options.words, trainer.words) as bar:
        if bar.disable:
            yield lambda progress: click.echo(describe(progress, options)), lambda words, loss: None
            return
        said: dict[str, str] = {}

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
