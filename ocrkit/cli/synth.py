"""`ocrkit synth ...`: fonts, contact sheets, shards of words, speed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
import cv2

from ocrkit.benchmark.generator import measure_speed, measure_steps
from ocrkit.cli.options import fonts_option, optional_form_option
from ocrkit.cli.verbs import verb_group
from ocrkit.datasets.forms import load_pages
from ocrkit.errors import OcrkitError
from ocrkit.files import write_whole
from ocrkit.synth.camera import CameraOptions
from ocrkit.synth.corpus import Vocabulary, build_vocabulary
from ocrkit.synth.distort import DistortionOptions
from ocrkit.synth.engine import Recipe, write_words
from ocrkit.synth.font_set import fetch_fonts as fetch_font_set
from ocrkit.synth.fonts import (
    CLASS_WEIGHTS,
    FontVerdict,
    audit,
    font_folders,
    load_verdicts,
    save_verdicts,
    split_of_family,
)
from ocrkit.synth.generator import SWITCHES, WordOptions
from ocrkit.synth.pages import PageGenerator, PageOptions, write_pages
from ocrkit.synth.preview import contact_sheet, real_words

_FILE = click.Path(path_type=Path)

_SPLITS = click.Choice(["train", "val", "test", "all"])
_verdicts = click.option("--verdicts", "kept", type=_FILE, help="JSON file that caches the audit of the fonts.")


def _audited(fonts: tuple[str, ...], kept: Path | None) -> list[FontVerdict]:
    """The audit of the fonts, with earlier verdicts taken from `kept` and all written there."""
    verdicts = audit(font_folders(fonts), load_verdicts(kept) if kept and kept.exists() else ())
    if kept:
        save_verdicts(verdicts, kept)
    return verdicts


def _makes_words(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a verb the options that decide what words look like, and calls it with the `Recipe` they make."""

    @fonts_option
    @_verdicts
    @click.option("--seed", default=WordOptions().seed, show_default=True, help="Seed of all random choices.")
    @click.option("--split", default="train", show_default=True, type=_SPLITS, help="Which font families.")
    @click.option(
        "--without",
        multiple=True,
        type=click.Choice(list(SWITCHES)),
        help="Switch this improvement of the words off; may be repeated.",
    )
    @click.option("--vocabulary", type=_FILE, help="A saved vocabulary. Default: built from installed word lists.")
    @click.option("--books", type=_FILE, help="Folder of plain-text books to take more words from.")
    @wraps(command)
    def decorated(
        *,
        fonts: tuple[str, ...],
        kept: Path | None,
        seed: int,
        split: str,
        without: tuple[str, ...],
        vocabulary: Path | None,
        books: Path | None,
        **rest: Any,
    ) -> None:
        options = WordOptions(seed=seed)
        options = replace(options, fonts=replace(options.fonts, sources=fonts, split=split))
        for switch in without:
            options = SWITCHES[switch](options)
        words = Vocabulary.load(vocabulary) if vocabulary else build_vocabulary(books)
        command(recipe=Recipe(words, tuple(_audited(fonts, kept)), options), **rest)

    return decorated


@verb_group()
def synth() -> None:
    """Render invented words and simulated pages, with their labels."""


def _picture_file(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """The path of `-o`, refused before anything is drawn where it names no picture."""
    if path.suffix.lower() not in (".png", ".jpg"):
        raise OcrkitError(f"A contact sheet is a .png or a .jpg file, which {path} is not.")
    return path


@synth.command()
@_makes_words
@click.option("-o", "--output", required=True, type=_FILE, callback=_picture_file, help="Output file: .png or .jpg.")
@click.option(
    "--distortion", multiple=True, help="Show words with only this distortion; may be repeated; `none` for clean words."
)
@click.option(
    "--kind",
    multiple=True,
    type=click.Choice(list(CLASS_WEIGHTS)),
    help="Use only fonts of this class; may be repeated.",
)
@click.option("--rows", type=click.IntRange(min=1), default=12, show_default=True, help="Number of rows.")
@click.option("--real", type=_FILE, metavar="FOLDER", help="Show as many words of these labelled pages above.")
@optional_form_option
def preview(
    recipe: Recipe,
    output: Path,
    distortion: tuple[str, ...],
    kind: tuple[str, ...],
    rows: int,
    real: Path | None,
    form: str | None,
) -> None:
    """Draw a contact sheet of invented words, optionally below real ones."""
    if (real is None) != (form is None):
        raise OcrkitError("--real and --form go together: a folder of labelled pages and the form it is in.")
    options, wanted = recipe.options, 6 * rows
    if distortion:
        only = DistortionOptions.only(*(name for name in distortion if name != "none"))
        options = replace(options, distortions=only, negatives=0.0)
    verdicts = tuple(verdict for verdict in recipe.verdicts if not kind or verdict.kind in kind)
    generator = replace(recipe, verdicts=verdicts, options=options).generator()
    legible = max(
        generator.catalogue.faces, key=lambda face: (face.kind == "sans", face.style == "Regular", len(face.characters))
    )
    groups = [list(generator.samples(0, wanted))]
    if real and form:
        groups.insert(0, real_words(load_pages(real, form), wanted, options.seed))
    sheet = contact_sheet(groups, legible.path)
    write_whole(output, cv2.imencode(output.suffix.lower(), sheet)[1].tobytes())
    click.echo(f"{wanted} words of {len(generator.catalogue.families)} font families: {output}")


@synth.command()
@fonts_option
@_verdicts
@click.option("--table", type=_FILE, help="Write a CSV table with one row per font.")
def fonts(fonts: tuple[str, ...], kept: Path | None, table: Path | None) -> None:
    """Audit fonts: which can be used, which cannot, and why."""
    verdicts = _audited(fonts, kept)
    usable = [verdict for verdict in verdicts if not verdict.fault]
    click.echo(f"{len(usable)} of {len(verdicts)} faces are usable, of {len({v.family for v in usable})} families.")
    for kind, faces in sorted(Counter(verdict.kind for verdict in usable).items()):
        click.echo(f"{faces:>6}  {kind}")
    families = Counter(split_of_family(family) for family in {verdict.family for verdict in usable})
    click.echo(", ".join(f"{split}: {families[split]} families" for split in ("train", "val", "test")) + ".")
    for fault, faces in Counter(verdict.fault.partition(":")[0] for verdict in verdicts if verdict.fault).most_common():
        click.echo(f"{faces:>6}  unfit: {fault}")
    if table:
        write_whole(table, _table(verdicts))


def _table(verdicts: list[FontVerdict]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("family", "style", "class", "split", "characters", "fault", "file"))
    for v in sorted(verdicts, key=lambda v: (v.family, v.style)):
        split = "" if v.fault else split_of_family(v.family)
        rows.writerow((v.family, v.style, v.kind, split, len(v.characters), v.fault, Path(v.path).name))
    return text.getvalue()


@synth.command("fetch-fonts")
@click.option("--to", "folder", type=_FILE, default=Path("data/fonts"), show_default=True, help="Target folder.")
@click.option("--from", "tarballs", type=_FILE, help="Folder of the packages' archives, if there is no network.")
def fetch_fonts(folder: Path, tarballs: Path | None) -> None:
    """Fetch the font set, pinned by version and checksum."""
    files = fetch_font_set(folder, tarballs, told=click.echo)
    click.echo(f"{files} font files lie in {folder}.")


@synth.command()
@_makes_words
@click.option(
    "--out", "folder", required=True, type=_FILE, help="Folder for the shards; an unfinished one is continued."
)
@click.option("--words", "wanted", required=True, type=click.IntRange(min=1), help="Number of words.")
@click.option("--shard-size", type=click.IntRange(min=1), default=10_000, show_default=True, help="Words per file.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Number of processes.")
@click.option("--scheduler", help="`local` for a Dask cluster on this machine, or the address of a Dask scheduler.")
def words(recipe: Recipe, folder: Path, wanted: int, shard_size: int, workers: int, scheduler: str | None) -> None:
    """Write words as shards; the same bytes on every machine."""
    made = write_words(
        folder, recipe, wanted, shard_size=shard_size, workers=workers, scheduler=scheduler, progress=True
    )
    click.echo(f"{made} words made, {wanted - made} were there: {folder}")


@synth.command()
@_makes_words
@click.argument("folder", type=_FILE)
@click.option("--count", required=True, type=click.IntRange(min=1), help="Number of pages.")
@click.option("--photograph", "photographed", is_flag=True, help="Simulate a photo of each page on a desk.")
def pages(recipe: Recipe, folder: Path, count: int, photographed: bool) -> None:
    """Write simulated pages, with the boxes of their words and lines."""
    options = PageOptions(seed=recipe.options.seed, fonts=recipe.options.fonts)
    made = PageGenerator(recipe.vocabulary, list(recipe.verdicts), options)
    write_pages(folder, made, count, CameraOptions() if photographed else None)
    click.echo(f"{count} pages: {folder}")


@synth.command()
@_makes_words
@click.option("--words", "wanted", type=click.IntRange(min=1), default=2000, show_default=True, help="Words per round.")
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Number of rounds, of which the median is shown.",
)
@click.option("--trdg", metavar="PYTHON", help="Python with trdg==1.8.0 and pillow<10, to compare with.")
@click.option("--profile", is_flag=True, help="Show where the time goes.")
def benchmark(recipe: Recipe, wanted: int, repeats: int, trdg: str | None, profile: bool) -> None:
    """Count words rendered per second of processor time on one core, with all distortions."""
    generator = recipe.generator()
    speed = measure_speed(generator, wanted, repeats, trdg)
    click.echo(
        f"ocrkit  {speed.ours:>8.0f} words a second, {speed.cold:.0f} for the first {wanted}; "
        f"{speed.wall:.0f} by the clock"
    )
    if profile:
        for step, us in measure_steps(generator, (repeats + 1) * wanted, wanted).items():
            click.echo(f"{us:>8.0f} µs a word  {step}")
    if speed.trdg is not None:
        click.echo(f"TRDG    {speed.trdg:>8.0f} words a second; ocrkit is {speed.ours / speed.trdg:.1f} times as fast")
