"""`ocrkit data words` and `ocrkit data suspects`: what labelled data needs a recogniser for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ocrkit.cli.data import data, folder_argument, form_option
from ocrkit.datasets import Sample, load_pages, word_samples
from ocrkit.datasets.write import write_crops, write_table
from ocrkit.errors import BadParams
from ocrkit.files import make_folder
from ocrkit.recognition.cutting import Rejected, words_of_lines
from ocrkit.recognition.recognizer import load_recognizer
from ocrkit.recognition.suspects import (
    DECISIONS,
    decided,
    find_suspects,
    read_decisions,
    write_decisions,
    write_gallery,
)

_model_option = click.option(
    "--model", help="Name of a released model, or a model's folder. Default: the released one."
)
_threads_option = click.option("--threads", type=click.IntRange(min=1), help="Threads of the runtime.")


@data.command()
@folder_argument
@form_option
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the crops.")
@click.option("--test", is_flag=True, help="Words to be judged by: no recogniser chooses or changes any.")
@_model_option
@_threads_option
def words(*, folder: Path, form: str, output: Path, test: bool, model: str | None, threads: int | None) -> None:
    """Cut the labelled lines of FOLDER into words: a folder of crops, and rejected.csv.

    To learn from, words must align with what the recogniser sees in them, and take the case of the print. To be judged
    by (--test), lines are cut at their widest gaps alone, and labels stay as they are.
    """
    pages = [page for page in load_pages(folder, form) if page.lines and not page.words]
    if not pages:
        raise BadParams(f"{folder} labels words already: nothing is to be cut.")
    recognizer = None if test else load_recognizer(model, threads=threads)
    rejected: list[Rejected] = []

    def samples() -> Iterator[Sample]:
        with click.progressbar(pages, label="Cutting", file=sys.stderr) as shown:
            for page in shown:
                cut, refused = words_of_lines(page, recognizer)
                rejected.extend(refused)
                yield from word_samples([cut])

    written = write_crops(samples(), output)
    rows = [(r.page, r.text, *r.box.round().astype(int).tolist(), r.reason) for r in rejected]
    write_table(output / "rejected.csv", ("page", "text", "x0", "y0", "x1", "y1", "reason"), rows)
    there = sum(len(page.texts) for page in pages)
    click.echo(
        f"{written:,} of {there:,} words ({written / max(1, there):.1%}) are in {output}; rejected.csv says why."
    )


@data.command()
@folder_argument
@form_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for the two files. Default: FOLDER.")
@click.option("--most", type=click.IntRange(min=1), default=100, show_default=True, help="Labels to show.")
@_model_option
@_threads_option
def suspects(
    *, folder: Path, form: str, output: Path | None, most: int, model: str | None, threads: int | None
) -> None:
    """Show the labels of FOLDER that may be wrong: suspects.html to look at, decisions.csv to fill in.

    A decisions.csv in a folder is obeyed wherever the folder is learnt from.
    """
    output = output or folder
    if (output / DECISIONS).exists():
        raise BadParams(f"{output / DECISIONS} holds decisions already: name another folder with -o.")
    samples = decided(word_samples(load_pages(folder, form)), read_decisions(folder / DECISIONS))
    if not samples:
        raise BadParams(f"{folder} labels lines, not words: cut them with `ocrkit data words` first.")
    found = find_suspects(samples, load_recognizer(model, threads=threads))
    make_folder(output)
    write_gallery(found[:most], output / "suspects.html")
    write_decisions(found[:most], output / DECISIONS)
    shown = f"the first {min(most, len(found))} are in {output / 'suspects.html'}"
    click.echo(f"{len(found):,} of {len(samples):,} words are read otherwise than labelled; {shown}.")
    click.echo(f"Decide on them in {output / DECISIONS}.")
