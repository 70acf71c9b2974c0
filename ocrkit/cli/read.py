"""`ocrkit read`: images and PDFs become text, JSON, hOCR, ALTO or a searchable PDF."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import force_option, model_option, threads_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.verbs import FAILED, complain, standard_input_or, verb
from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder, refuse_to_overwrite, write_whole

if TYPE_CHECKING:
    from ocrkit.document import Document, Page
    from ocrkit.documents.reader import Reader

_SUFFIXES = {"text": ".txt", "json": ".json", "hocr": ".hocr", "alto": ".xml", "pdf": ".pdf"}


@verb()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format", "form", type=click.Choice(list(_SUFFIXES)), help="Output format. Default: by OUT's suffix, else text."
)
@click.option(
    "-o", "--output", metavar="OUT", help="A file, or a folder (FOLDER/) for several results. Default: standard output."
)
@model_option
@click.option(
    "--runtime", default="onnxruntime", show_default=True, help="onnxruntime, openvino, litert or tensorflow."
)
@threads_option
@click.option(
    "--keep-doubtful",
    is_flag=True,
    help="Keep what looks like words and is hardly read, or struck through; JSON marks it as doubtful.",
)
@force_option
def read(
    *,
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    model: str | None,
    runtime: str,
    threads: int | None,
    keep_doubtful: bool,
    force: bool,
) -> None:
    """Read images and PDFs as text, JSON, hOCR, ALTO or searchable PDF; `-` is standard input.

    Each FILE becomes one result. On standard output, several texts get headings and several JSON results become one
    array; the other formats need -o.
    """
    into_folder = output is not None and (len(files) > 1 or output.endswith("/") or os.path.isdir(output))
    form = form or _form_of(output, into_folder)
    if output is None and (form == "pdf" or (len(files) > 1 and form not in ("text", "json"))):
        raise click.UsageError(f"{'A PDF needs' if form == 'pdf' else 'Several results need'} a place: add -o OUT.")
    targets = _targets(files, output, into_folder, _SUFFIXES[form])
    refuse_to_overwrite([target for target in targets if target is not None], files, force)

    from ocrkit.documents.options import ReadOptions
    from ocrkit.documents.reader import Reader
    from ocrkit.images.page import no_memory

    reader = Reader(model, runtime, threads, options=ReadOptions(keep_doubtful=keep_doubtful))
    complete = True
    listed = output is None and len(files) > 1
    several: list[str] = []
    give = several.append if listed and form == "json" else _print
    with nullcontext() if output is None else progress_bar("Reading", "files", len(files)) as bar:
        for file, target in zip(files, targets):
            try:
                if listed and form == "text":
                    _print(f"==> {file} <==\n")
                complete &= _read_one(reader, file, target, form, give)
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


def _read_one(reader: Reader, file: str, target: Path | None, form: str, give: Callable[[str], object]) -> bool:
    """Read one document and write it, or `give` its text without a target; whether all its pages could be read."""
    from ocrkit.document import Document
    from ocrkit.formats.pdf import write_pdf

    errors: list[str] = []
    words = 0

    def noting(pages: Iterable[Page]) -> Iterator[Page]:
        nonlocal words
        for page in pages:
            words += len(page.words)
            if page.error:
                complain(page.error)
                errors.append(page.error)
            yield page

    name = "stdin" if file == "-" else file
    pages = noting(reader.pages(standard_input_or(file)))
    if form == "pdf" and target is not None:
        write_pdf(pages, target, title=Path(name).name)
    else:
        light = tuple(replace(page, image=None, original=None) for page in pages)
        text = _render(Document(light, name, reader.name), form)
        if target is None:
            give(text)
        else:
            write_whole(target, text)
    if not words and not errors:
        complain(f"no text was found in {name}.")
    return not errors


def _render(document: Document, form: str) -> str:
    if form == "json":
        return json.dumps(document.to_dict(), ensure_ascii=False, indent=2) + "\n"
    if form == "hocr":
        return document.to_hocr()
    return document.to_alto() if form == "alto" else document.text + "\n"


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OcrkitError("Standard output is closed: add -o OUT.")
    try:
        # What the terminal's encoding lacks, such as half of a character in a file's name, must not end the reading.
        encoding = sys.stdout.encoding or "utf-8"
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)
    except OSError as error:
        raise OcrkitError(f"Standard output cannot be written: {error.strerror}.") from None


def _form_of(output: str | None, into_folder: bool) -> str:
    if output is None or into_folder:
        return "text"
    suffix = Path(output).suffix.lower()
    for form, its in _SUFFIXES.items():
        if its == suffix:
            return form
    endings = ", ".join(_SUFFIXES.values())
    raise click.UsageError(
        f"{output} names no form: end it in one of {endings}, or in / for a folder, or add --format."
    )


def _targets(files: tuple[str, ...], output: str | None, into_folder: bool, suffix: str) -> list[Path | None]:
    """Where each file's result goes: into the folder under its own name, into the file, or nowhere."""
    if output is None:
        return [None] * len(files)
    if not into_folder:
        return [Path(output)]
    if Path(output).suffix.lower() in _SUFFIXES.values() and not (output.endswith("/") or os.path.isdir(output)):
        raise click.UsageError(f"{output} is one file and cannot hold {len(files)} results: name a folder instead.")
    taken: dict[str, str] = {}
    for file in files:
        name = ("stdin" if file == "-" else Path(file).stem) + suffix
        if name in taken:
            raise click.UsageError(f"{taken[name]} and {file} would both become {name}: read them into two folders.")
        taken[name] = file
    make_folder(output)
    return [Path(output) / name for name in taken]
