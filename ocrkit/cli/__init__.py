"""The `ocrkit` command: one thin function a verb, each loading what it needs when it is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit import OcrkitError, __version__
from ocrkit.files import make_folder, write_whole

if TYPE_CHECKING:
    from ocrkit.document import Document, Page
    from ocrkit.documents.reader import Reader
    from ocrkit.images import Source

# Verbs that live beside what they drive and are imported when they are called: "module:command", and what help says.
VERBS = {
    "compare": ("ocrkit.cli.compare:compare", "Read labelled pages with several engines and compare them."),
    "convert": ("ocrkit.learning.convert:convert", "Write a model as LiteRT or in int8, checked against the original."),
    "benchmark": ("ocrkit.cli.benchmark:benchmark", "Measure speed, memory and start of reading on this CPU."),
    "synth": ("ocrkit.cli.synth:synth", "Invent labelled words: fonts, contact sheets, shards, speed."),
    "data": ("ocrkit.cli.data_words:data", "Fetch, check, cut and describe labelled pages or word crops."),
    "evaluate": (
        "ocrkit.learning.materials:evaluate_verb",
        "Say how well a recogniser reads labelled or invented words.",
    ),
    "finetune": ("ocrkit.learning.finetune:finetune", "Let a recogniser go on with labelled real words."),
    "release": (
        "ocrkit.learning.release:release",
        "Check and score a trained recogniser and put it among the released ones.",
    ),
    "train": ("ocrkit.learning.training:train", "Train a recogniser on invented words."),
    "promote": ("ocrkit.cli.promote:promote", "Make a model the champion of the registry, if it is better."),
    "runs": ("ocrkit.experiment.import_runs:runs", "Put recorded trainings into MLflow."),
}

_SUFFIXES = {"text": ".txt", "json": ".json", "hocr": ".hocr", "alto": ".xml", "pdf": ".pdf"}
_FAILED = 2


class Verbs(click.Group):
    """A group that also finds the verbs of `VERBS`, and says errors of the input in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, sorted."""
        return sorted({*super().list_commands(ctx), *VERBS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or `None`."""
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing any."""
        helps = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        helps |= {name: text for name, (_, text) in VERBS.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(helps.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; an `OcrkitError` ends it with its sentence and status 2."""
        try:
            return super().invoke(ctx)
        except OcrkitError as error:
            _complain(error)
            ctx.exit(_FAILED)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ocrkit")
def main() -> None:
    """Read documents, and train and measure what reads them."""


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format", "form", type=click.Choice(list(_SUFFIXES)), help="Default: by OUT's suffix; text without OUT."
)
@click.option("-o", "--output", metavar="OUT", help="File, or folder (FOLDER/) for several. Default: standard output.")
@click.option("--model", help="Name of a released model, or a model's folder. Default: the released one.")
@click.option(
    "--runtime", default="onnxruntime", show_default=True, help="onnxruntime, openvino, litert or tensorflow."
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the runtime.")
def read(
    *,
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    model: str | None,
    runtime: str,
    threads: int | None,
) -> None:
    """Read images and PDFs; `-` is standard input.

    Each FILE becomes one result. On standard output texts have headings where there are several, and JSON is then one
    array; the other forms need a place.
    """
    into_folder = output is not None and (len(files) > 1 or output.endswith("/") or Path(output).is_dir())
    form = form or _form_of(output, into_folder)
    if output is None and (form == "pdf" or (len(files) > 1 and form not in ("text", "json"))):
        raise click.UsageError(f"{'A PDF needs' if form == 'pdf' else 'Several results need'} a place: add -o OUT.")
    targets = _targets(files, output, into_folder, _SUFFIXES[form])

    from ocrkit.documents.reader import Reader

    reader = Reader(model, runtime, threads)
    complete = True
    listed = output is None and len(files) > 1
    several: list[str] = []
    for file, target in zip(files, targets):
        try:
            if listed and form == "text":
                click.echo(f"==> {file} <==")
            complete &= _read_one(reader, file, target, form, several.append if listed and form == "json" else _print)
        except OcrkitError as error:
            _complain(error)
            complete = False
    if listed and form == "json":
        _print(f"[{','.join(several)}]\n")
    if not complete:
        sys.exit(_FAILED)


@main.command()
@click.argument("photo")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A .png, .jpg or .pdf file.")
def scan(photo: str, output: Path) -> None:
    """Cut the page out of a photo, seen from straight above in even light, its lines straightened."""
    from ocrkit.documents.scan import scan as scan_photo

    page = scan_photo(_source(photo))
    page.save(output)
    if page.quad is not None:
        click.echo("A page was found and cut out.")
    else:
        click.echo("No page edges were found: the whole image was kept, in even light.")
    if page.bend is not None:
        click.echo("Its lines were bent, and are straightened.")


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
                _complain(page.error)
                errors.append(page.error)
            yield page

    name = "stdin" if file == "-" else file
    pages = noting(reader.pages(_source(file)))
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
        _complain(f"no text was found in {name}.")
    return not errors


def _render(document: Document, form: str) -> str:
    if form == "json":
        return json.dumps(document.to_dict(), ensure_ascii=False, indent=2) + "\n"
    if form == "hocr":
        return document.to_hocr()
    return document.to_alto() if form == "alto" else document.text + "\n"


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
    except OSError as error:
        raise OcrkitError(f"Standard output cannot be written: {error.strerror}.") from None


def _source(file: str) -> Source:
    return sys.stdin.buffer.read() if file == "-" else file


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
    if Path(output).suffix.lower() in _SUFFIXES.values() and not (output.endswith("/") or Path(output).is_dir()):
        raise click.UsageError(f"{output} is one file and cannot hold {len(files)} results: name a folder instead.")
    taken: dict[str, str] = {}
    for file in files:
        name = ("stdin" if file == "-" else Path(file).stem) + suffix
        if name in taken:
            raise click.UsageError(f"{taken[name]} and {file} would both become {name}: read them into two folders.")
        taken[name] = file
    make_folder(output)
    return [Path(output) / name for name in taken]


def _complain(error: OcrkitError | str) -> None:
    click.echo(f"ocrkit: {error}", err=True)
