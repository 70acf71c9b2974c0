"""`ocrkit read`: images and PDFs become text, JSON, hOCR, ALTO, PAGE XML or a searchable PDF."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.batching import batch_options, run_batch, tell_what_was_left_out
from ocrkit.cli.options import force_option, model_option, pages_option, threads_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.verbs import FAILED, complain, harmless, is_quiet, standard_input, standard_input_or, verb
from ocrkit.errors import OcrkitError
from ocrkit.files import check_writable, refuse_to_overwrite, write_whole
from ocrkit.formats.forms import SUFFIXES, render

if TYPE_CHECKING:
    from ocrkit.batch import ReadRecipe
    from ocrkit.document import Page
    from ocrkit.documents.options import ReadOptions
    from ocrkit.documents.reader import Reader
    from ocrkit.formats.graft import Mode
    from ocrkit.images import Source


@verb()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(SUFFIXES)),
    help="Output format. Default: by OUT's suffix; PDF where FILE is a folder; else text.",
)
@click.option(
    "-o", "--output", metavar="OUT", help="A file, or a folder (FOLDER/) for several results. Default: standard output."
)
@click.option(
    "--one-pdf",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT",
    help="Make all pages one searchable PDF.",
)
@model_option
@click.option(
    "--runtime",
    default="onnxruntime",
    show_default=True,
    help="onnxruntime, openvino, openvino-bf16, litert or tensorflow.",
)
@threads_option
@click.option(
    "--keep-doubtful",
    is_flag=True,
    help="Keep what looks like words and is hardly read, or struck through; JSON marks it as doubtful.",
)
@pages_option
@click.option("--sidecar", is_flag=True, help="With a PDF, write its text, too: into a .txt beside it.")
@click.option(
    "--redo", is_flag=True, help="Replace the invisible text of PDFs, whatever program made it. Default: leave it."
)
@click.option("--force-ocr", is_flag=True, help="Read pages of PDFs that have text of their own, too; that text stays.")
@click.option("--pdfa", is_flag=True, help="Write PDF/A-2b, or say why that cannot be.")
@batch_options
@force_option
def read(
    *,
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    one_pdf: Path | None,
    model: str | None,
    runtime: str,
    threads: int | None,
    keep_doubtful: bool,
    pages: frozenset[int] | None,
    sidecar: bool,
    redo: bool,
    force_ocr: bool,
    pdfa: bool,
    jobs: int | None,
    scheduler: str | None,
    keep_tree: bool,
    log: Path | None,
    force: bool,
) -> None:
    """Read images and PDFs as text, JSON, hOCR, ALTO, PAGE XML or searchable PDF; `-` is standard input.

    FILE is a file, a folder with all below it, a pattern such as `scans/**/*.jpg`, or an address such as
    s3://bucket/scans. Each document becomes one result; in a folder of results, those that would be made the same again
    are skipped. On standard output, several texts get headings and several JSON results become one array; the other
    formats need -o.
    """
    from ocrkit.batch import ReadRecipe, find_inputs, is_several

    many = any(map(is_several, files))
    into_folder = output is not None and (many or len(files) > 1 or output.endswith("/") or is_several(output))
    if one_pdf and (output or sidecar or form not in (None, "pdf")):
        raise click.UsageError("--one-pdf names the only output, a PDF: leave -o, --sidecar and --format out.")
    form = "pdf" if one_pdf else form or _form_of(output, into_folder, many)
    mode = _mode(form, redo, force_ocr, needs_pdf=sidecar or pdfa)
    options = _options(keep_doubtful)
    recipe = ReadRecipe(
        form,
        model,
        runtime,
        threads,
        options,
        pages=None if pages is None else tuple(sorted(pages)),
        mode=mode,
        pdfa=pdfa,
        sidecar=sidecar,
    )
    if one_pdf or (into_folder and output):
        recipe = replace(recipe, threads=threads or 1)
        _read_many(files, output, one_pdf, recipe, jobs, scheduler, keep_tree, log, force)
        return
    if jobs or scheduler or keep_tree or log:
        raise click.UsageError("--jobs, --dask, --keep-tree and --log are for a folder of results: add -o FOLDER/.")
    complete = True
    if many:
        found = find_inputs(files)
        tell_what_was_left_out(found)
        files = tuple(source.name for source in found.sources)
        complete = not found.closed
    if output is None and (form == "pdf" or (len(files) > 1 and form not in ("text", "json"))):
        raise click.UsageError(f"{'A PDF needs' if form == 'pdf' else 'Several results need'} a place: add -o OUT.")
    target = None if output is None else Path(output)
    refuse_to_overwrite(_outputs(target, sidecar), files, force)
    check_writable(_outputs(target, sidecar))

    from ocrkit.documents.reader import Reader
    from ocrkit.images.page import no_memory

    reader = Reader(model, runtime, threads, options=options)
    listed = len(files) > 1
    several: list[str] = []
    give = several.append if listed and form == "json" else _print
    with nullcontext() if output is None else progress_bar("Reading", "files", len(files)) as bar:
        for file in files:
            try:
                if listed and form == "text":
                    _print(harmless(f"==> {file} <==\n"))
                complete &= _read_one(reader, file, target, recipe, give)
            except OcrkitError as error:
                complain(error)
                complete = False
            except MemoryError:
                complain(no_memory(file))
                complete = False
            if bar is not None:
                bar.update()
    if listed and form == "json":
        _print(f"[{','.join(several)}]\n")
    if not complete:
        sys.exit(FAILED)


def _options(keep_doubtful: bool) -> ReadOptions | None:
    if not keep_doubtful:
        return None  # the default, without loading what a process that only hands out work does not need
    from ocrkit.documents.options import ReadOptions

    return ReadOptions(keep_doubtful=True)


def _mode(form: str, redo: bool, force_ocr: bool, needs_pdf: bool) -> Mode:
    """What is done with pages that have text already."""
    if form != "pdf" and (redo or force_ocr or needs_pdf):
        raise click.UsageError("--sidecar, --redo, --force-ocr and --pdfa are for searchable PDFs: add -o OUT.pdf.")
    if redo and force_ocr:
        raise click.UsageError("--force-ocr replaces invisible text, too: leave --redo out.")
    return "redo" if redo else "force" if force_ocr else "skip"


def _outputs(target: Path | None, sidecar: bool) -> list[Path]:
    """The files that reading one document into `target` makes."""
    if target is None:
        return []
    return [target, target.with_suffix(".txt")] if sidecar else [target]


def _read_many(
    files: tuple[str, ...],
    output: str | None,
    one_pdf: Path | None,
    recipe: ReadRecipe,
    jobs: int | None,
    scheduler: str | None,
    keep_tree: bool,
    log: Path | None,
    force: bool,
) -> None:
    """Read all documents into a folder, or into one PDF."""
    from ocrkit.batch import find_inputs, open_batch

    if (
        output
        and Path(output).suffix.lower() in SUFFIXES.values()
        and not (output.endswith("/") or os.path.isdir(output))
    ):
        several = f"{len(files)} results" if len(files) > 1 else f"the results of {files[0]}"
        raise click.UsageError(f"{output} is one file and cannot hold {several}: name a folder, or --one-pdf {output}.")
    if one_pdf and one_pdf.suffix.lower() != ".pdf":
        raise click.UsageError(f"--one-pdf makes a PDF, and {one_pdf} is no name for one: end it in .pdf.")
    found = find_inputs(files, standard_input() if "-" in files else None, output)
    tell_what_was_left_out(found)
    if one_pdf:
        refuse_to_overwrite([one_pdf], [source.name for source in found.sources], force)
        from ocrkit.batch.one_pdf import open_one_pdf

        opened = open_one_pdf(found.sources, one_pdf, recipe)
    else:
        opened = open_batch(found.sources, str(output), recipe, keep_tree=keep_tree, force=force)
    run_batch(opened, found, "Reading", jobs, scheduler, log, one_pdf)


def _read_one(
    reader: Reader, file: str, target: Path | None, recipe: ReadRecipe, give: Callable[[str], object]
) -> bool:
    """Read one document and write it, or `give` its text without a target; whether all its pages could be read."""
    from ocrkit.document import Document

    errors: list[str] = []
    words = 0

    def note(page: Page) -> Page:
        nonlocal words
        words += len(page.words)
        if page.error:
            complain(page.error)
            errors.append(page.error)
        return replace(page, image=None, original=None)

    name = "stdin" if file == "-" else file
    if recipe.form == "pdf" and target is not None:
        _write_searchable(reader, file, name, target, recipe, note)
        return not errors
    pages = tuple(map(note, reader.pages(_content(file), recipe.pages)))
    text = render(Document(pages, name, reader.name), recipe.form)
    if target is None:
        give(text)
    else:
        write_whole(target, text)
    if not words and not errors:
        complain(f"no text was found in {name}.")
    return not errors


def _write_searchable(
    reader: Reader, file: str, name: str, target: Path, recipe: ReadRecipe, note: Callable[[Page], Page]
) -> None:
    """Write one document as a searchable PDF, and say what of it was not read, and why."""
    from ocrkit.documents.searchable import NOT_ASKED, write_searchable

    source = _content(file)
    done = write_searchable(
        source if isinstance(source, bytes) else Path(str(source)),
        target,
        reader,
        pages=recipe.pages,
        mode=recipe.mode,
        pdfa=recipe.pdfa,
        sidecar=_outputs(target, recipe.sidecar)[-1] if recipe.sidecar else None,
        name=name,
        on_page=note,
    )
    for warning in done.warnings:
        complain(warning)
    if is_quiet():
        return
    for why, which in done.left_alone_because().items():
        if why != NOT_ASKED:
            complain(f"{name}: {'page' if which.isdecimal() else 'pages'} {which} left alone ({why}).")
    if done.unchanged:
        complain(f"{target} is a copy: nothing was to be added.")
    elif done.document.pages and not done.document.words and not any(page.error for page in done.document):
        complain(f"no text was found in {name}.")


def _content(file: str) -> Source:
    from ocrkit.batch import fetched, is_remote

    return fetched(file) if is_remote(file) else standard_input_or(file)


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OcrkitError("Standard output is closed: add -o OUT.")
    try:
        # What the terminal's encoding lacks, such as half of a character in a file's name, must not end the reading.
        encoding = sys.stdout.encoding or "utf-8"
        rest = memoryview(text.encode(encoding, "replace"))
        while rest:  # with PYTHONUNBUFFERED, a disk that gets full takes a part, and says so only at the next one
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.flush()
    except OSError as error:
        raise OcrkitError(f"Standard output cannot be written: {error.strerror}.") from None


def _form_of(output: str | None, into_folder: bool, many: bool) -> str:
    if output is None or into_folder:
        return "pdf" if many and into_folder else "text"
    suffix = Path(output).suffix.lower()
    for form, its in SUFFIXES.items():
        if its == suffix:
            return form
    endings = ", ".join(dict.fromkeys(SUFFIXES.values()))
    raise click.UsageError(
        f"{output} names no format: end it in one of {endings}, or in / for a folder, or add --format."
    )
