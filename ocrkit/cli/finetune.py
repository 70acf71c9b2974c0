"""`ocrkit finetune`: a recogniser goes on with labelled real words."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ocrkit import privacy
from ocrkit.alphabet import CHARACTERS
from ocrkit.cli.options import folders_argument, fonts_option, form_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.verbs import verb
from ocrkit.datasets.write import write_table
from ocrkit.errors import BadParams, MissingExtra
from ocrkit.files import whole_folder
from ocrkit.quiet import quieten_tensorflow

if TYPE_CHECKING:
    from tqdm import tqdm

    from ocrkit.learning.trainer import Progress

_ROUNDS, _LEAST_ROUND = 20, 1024  # looks at the held-out words, and words between two of them at least


def _sizes(context: click.Context, parameter: click.Parameter, value: str | None) -> list[int | None]:
    """`250,1000,all` as numbers of words, `None` for all."""
    try:
        sizes = [None if size.strip() == "all" else int(size) for size in (value or "all").split(",")]
        if any(size is not None and size < 1 for size in sizes):
            raise ValueError
        return sizes
    except ValueError:
        raise click.BadParameter(f"{value!r}; numbers of words are wanted, such as 250,1000,all.") from None


@verb()
@folders_argument
@form_option
@click.option("--load", help="Model to start from: a released model's name, or a folder. Default: the default model.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the result.")
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Largest number of passes over the words.",
)
@click.option(
    "--real-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Share of real words in training.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the documents that are held out to test on.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=3e-4,
    show_default=True,
    help="Peak learning rate.",
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Words per batch, at 128 px width."
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="Stop after this many validations without a gain; 0: never.",
)
@click.option(
    "--loss-limit",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Loss, in nats, above which a word teaches the less the greater its loss is; 0: no limit.",
)
@click.option("--freeze", is_flag=True, help="Freeze the convolutions.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Number of runs with different seeds."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the first run.")
@click.option("--learning-curve", callback=_sizes, metavar="250,1000,all", help="Repeat with these numbers of words.")
@fonts_option
@click.option(
    "--pages",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Invented pages from which half of the invented words are cut, as the detector finds them; drawing one "
    "takes half a second.",
)
@click.option(
    "--pdfs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of PDFs with text of their own, whose pages' words stand among those of invented pages.",
)
@click.option("--resume", is_flag=True, help="Continue where the runs in OUTPUT stopped.")
def finetune(
    *,
    folders: tuple[Path, ...],
    form: str,
    load: str | None,
    output: Path,
    epochs: int,
    real_share: float,
    held_out: float,
    learning_rate: float,
    batch_size: int,
    patience: int,
    loss_limit: float,
    freeze: bool,
    seeds: int,
    seed: int,
    learning_curve: list[int | None],
    fonts: tuple[str, ...],
    pages: int,
    pdfs: Path | None,
    resume: bool,
) -> None:
    """Fine-tune a model on the labelled words of FOLDERS, mixed with invented ones; the result is OUTPUT/model.

    Documents are split by a hash into those to train on and those held out. A decisions.csv in a folder is obeyed.
    """
    quieten_tensorflow()
    try:
        from ocrkit.learning.finetune import Invented, Words, fine_tune, first_documents, real_words_of
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Fine-tuning needs {error.name}: pip install 'ocrkit[train]'.") from None
    from ocrkit.learning.trainer import TrainOptions
    from ocrkit.recognition.model import alphabet_of, find_model, read_card

    if form == "funsd":
        raise BadParams("FUNSD is for evaluation only: nothing is trained on it.")
    if any(output.glob("*/state.npz")) and not resume:
        raise BadParams(f"{output} holds runs already: give --resume to go on with them, or name another folder.")
    model = find_model(load)
    real = real_words_of(folders, form, alphabet_of(model).with_all(CHARACTERS), held_out)
    names = ", ".join(folder.resolve().name for folder in folders)
    sizes = sorted({min(size or len(real["tune"]), len(real["tune"])) for size in learning_curve})
    try:
        rows = []
        invented = Invented(fonts, pages, pdfs)
        for size in sizes:
            for number in range(seed, seed + seeds):
                tune = first_documents(real["tune"], size)
                click.echo(f"{len(tune):,} words of {names}, seed {number}:")
                options = TrainOptions(
                    size=read_card(model)["size"],
                    words=round(epochs * len(tune) / real_share),
                    batch_size=batch_size,
                    learning_rate=learning_rate,
                    round_words=max(_LEAST_ROUND, round(epochs * len(tune) / real_share / _ROUNDS)),
                    validate_every=1,
                    patience=patience,
                    loss_limit=loss_limit,
                    frozen=freeze,
                    seed=number,
                )
                words = Words(tune, real["held_out"], invented.source(number), invented.general, pages, pdfs)
                run = output / f"{len(tune)}-words-seed-{number}"
                with progress_bar("Fine-tuning", "words", options.words) as bar:
                    figures = fine_tune(words, model, options, real_share, run, partial(_say, bar), resume)
                rows.append({"run": run.name, **figures})
                with privacy.without_content():  # figures that `fine_tune` gave, about enough documents
                    write_table(output / "runs.csv", tuple(rows[0]), [tuple(row.values()) for row in rows])
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Fine-tuning needs {error.name}: pip install 'ocrkit[train]'.") from None
    _summarise(rows)
    largest = [row for row in rows if row["words"] == rows[-1]["words"]]
    best = max(largest, key=lambda row: row["real"])
    with whole_folder(output / "model", replace=True) as made:
        shutil.copytree(output / best["run"] / "model", made, dirs_exist_ok=True)
    click.echo(f"Written: {output / 'model'}, of {best['run']}.")


def _say(bar: tqdm[Any], progress: Progress, general: float) -> None:
    """A line a look, above the bar where there is one."""
    bar.update(progress.words - bar.n)
    bar.clear()
    click.echo(
        f"{progress.words:>9,} words seen, loss {progress.loss:.3f}, right: real {progress.swa:.1%}, "
        f"general {general:.1%}; {progress.words_per_second:.0f} words/s"
    )
    bar.refresh()


def _summarise(rows: Sequence[dict[str, Any]]) -> None:
    """Say what each size of the learning curve brought: the mean of its seeds and their standard deviation."""
    click.echo(f"{'words':>8} {'runs':>5}  {'real words right':>26}  {'general words right':>26}")
    for size in sorted({row["words"] for row in rows}):
        of_size = [row for row in rows if row["words"] == size]
        cells = []
        for name in ("real", "general"):
            shares = [row[name] for row in of_size]
            spread = f" +- {np.std(shares, ddof=1):.1%}" if len(shares) > 1 else ""
            cells.append(f"{of_size[0][f'{name}_before']:.1%} -> {np.mean(shares):.1%}{spread}")
        click.echo(f"{size:>8,} {len(of_size):>5}  {cells[0]:>26}  {cells[1]:>26}")
    for row in rows:
        if row["general_change_high"] < 0:
            click.echo(f"{row['run']} has forgotten general words: {row['general'] - row['general_before']:+.1%}.")
