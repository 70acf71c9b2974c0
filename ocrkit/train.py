"""`ocrkit train`: joins the word engine and the trainer into a recogniser that has seen nothing but invented words."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ocrkit.errors import BadParams, MissingExtra
from ocrkit.files import make_folder
from ocrkit.recognition.network import SIZES, cost
from ocrkit.recognition.training import Progress, Trainer, TrainOptions

_VALIDATION_WORDS = 500


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--size", type=click.Choice(list(SIZES)), default="fast", show_default=True, help="Of the network.")
@click.option("--words", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="Words seen in all.")
@click.option("--until", type=click.IntRange(min=1), help="Stop after about so many words; --resume goes on.")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Crops 128 px wide.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True, help="At its peak."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of words, weights and order.")
@click.option("--books", type=click.Path(path_type=Path), help="Folder of plain-text books whose words are used too.")
@click.option("--fonts", multiple=True, default=("packages",), help="packages, system or a folder; may be repeated.")
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Processes that draw words.")
@click.option("--resume", is_flag=True, help="Go on exactly where the training in FOLDER stopped.")
@click.option("--load", type=click.Path(path_type=Path), help="Start afresh from this model's weights.")
def train(
    *,
    folder: Path,
    size: str,
    words: int,
    until: int | None,
    batch_size: int,
    learning_rate: float,
    seed: int,
    books: Path | None,
    fonts: tuple[str, ...],
    workers: int,
    resume: bool,
    load: Path | None,
) -> None:
    """Train a recogniser on invented words into FOLDER: FOLDER/model reads, the rest is for --resume."""
    from ocrkit.recognition.release import find_model, load_network, save_network
    from ocrkit.synth.corpus import Vocabulary, build_vocabulary
    from ocrkit.synth.fonts import audit, font_folders, load_verdicts, save_verdicts
    from ocrkit.synth.words import WordGenerator, WordOptions, WordStream, validation_options

    if resume and load:
        raise BadParams("--resume goes on with a training, --load starts a new one: give one of them.")
    if not resume and (folder / "state.npz").exists():
        raise BadParams(f"{folder} holds a training already: give --resume to go on with it, or name another folder.")
    options = TrainOptions(
        size=size, words=words, batch_size=batch_size, learning_rate=learning_rate, validate_every=4, seed=seed
    )
    if resume and not (folder / "state.npz").exists():
        raise BadParams(f"{folder} holds no training to go on with.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up lines say nothing to a user
    # What the words are made of is kept beside the checkpoints: a font installed meanwhile must not change them.
    make_folder(folder)
    vocabulary_file, fonts_file = folder / "vocabulary.json", folder / "fonts.json"
    if not vocabulary_file.exists():
        build_vocabulary(books, seed=seed).save(vocabulary_file)
    if not fonts_file.exists():
        save_verdicts(audit(font_folders(fonts)), fonts_file)
    vocabulary, verdicts = Vocabulary.load(vocabulary_file), load_verdicts(fonts_file)
    drawn = WordOptions(seed=seed)
    validation = list(WordGenerator(vocabulary, verdicts, validation_options(drawn)).samples(0, _VALIDATION_WORDS))
    try:
        network, alphabet = load_network(find_model(load)) if load else (None, None)
        with WordStream(vocabulary, verdicts, drawn, workers) as stream:
            trainer = Trainer(stream, validation, options, folder, alphabet, network)
            if resume:
                trainer.resume()
            trainer.run(lambda progress: click.echo(describe(progress, options)), until)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Training needs {error.name}: pip install 'ocrkit[train]'.") from None
    if trainer.words < options.words:
        click.echo(f"Stopped after {trainer.words:,} words; --resume goes on.")
        return
    card = training_card(trainer, options, asdict(drawn), len(vocabulary.words) + len(vocabulary.book))
    card["fonts"] = len({verdict.family for verdict in verdicts if not verdict.fault})
    click.echo(f"Written: {save_network(trainer.finished(), trainer.alphabet, folder / 'model', card)}")


def describe(progress: Progress, options: TrainOptions) -> str:
    """One line about a round: words seen, loss, SWA where it was measured, speed and the time left."""
    left = (options.words - progress.words) / progress.words_per_second
    swa = f", SWA {progress.swa:.3f}" if progress.swa is not None else ""
    return (
        f"{progress.words:>11,} of {options.words:,} words, loss {progress.loss:.3f}{swa}, "
        f"{progress.words_per_second:.0f} words/s, {left / 60:.0f} min left"
    )


def training_card(trainer: Trainer, options: TrainOptions, drawn: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """What a model's card tells about its training on invented words."""
    network = cost(options.size, trainer.alphabet.classes)
    return {
        "trained_on": "synthetic words only",
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
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return ""
    try:
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git program
        return ""
