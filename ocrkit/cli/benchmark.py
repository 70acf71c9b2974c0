"""`ocrkit benchmark ...`: speed, memory and start of reading, measured on this machine."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from ocrkit.benchmark import machine, photos, precision, printed, rollout, speed
from ocrkit.benchmark.soak import WARM_UP
from ocrkit.benchmark.soak import soak as soak_pages
from ocrkit.cli.options import (
    folder_argument,
    fonts_option,
    form_option,
    half_option,
    model_option,
    one_thread_option,
    optional_form_option,
)
from ocrkit.cli.progress import progress_bar, shown
from ocrkit.cli.verbs import verb_group
from ocrkit.datasets import LabelledPage, Sample, half_of, load_pages
from ocrkit.datasets.forms import PAGE_FORMS
from ocrkit.engines import load_engine, missing_engines
from ocrkit.errors import BadDataset, BadParams, BadPlugin, MissingExtra
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.materials import Materials, real_words
from ocrkit.learning.trainer import TrainOptions
from ocrkit.metrics import PrecisionRecall, bootstrap_interval, wilson_interval
from ocrkit.quiet import quieten_tensorflow
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.model import find_model, load_lexicon
from ocrkit.recognition.recognizer import DECODERS
from ocrkit.recognition.runtimes import RUNTIMES
from ocrkit.synth.camera import CameraOptions
from ocrkit.synth.corpus import build_vocabulary
from ocrkit.synth.fonts import audit, font_folders
from ocrkit.synth.printed import PAGES, PrintedPages

_MOST_COLUMNS = 10  # of a table of one row
_WORST = 12  # photos or pages that are shown
_PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf"}

_SERVICE = ("throughput", "jail", "kills", "hostile", "search", "clients")
_KILL_PAUSE_S = (0.1, 8.0)  # a reader that is started anew takes some seconds

_runtime = click.option(
    "--runtime",
    type=click.Choice(list(RUNTIMES)),
    default="onnxruntime",
    show_default=True,
    help="What runs the model.",
)
_repeats = click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True, help="Number of rounds.")


def _words(command: Callable[..., None]) -> Callable[..., None]:
    """Which labelled words are read."""
    limit = click.option(
        "--limit", type=click.IntRange(min=1), default=2048, show_default=True, help="Number of words."
    )
    return _pages(limit(command))


def _pages(command: Callable[..., None]) -> Callable[..., None]:
    """Which labelled pages are taken."""
    for option in (
        half_option,
        form_option,
        folder_argument,
    ):
        command = option(command)
    return command


@verb_group()
def benchmark() -> None:
    """Measure speed, memory and start-up time on this CPU.

    `cpu_ms` is processor time, which other programs hardly affect; all other times are wall-clock time.
    """


@benchmark.command()
@_words
@model_option
@one_thread_option
@_repeats
@click.option("--runtimes", default=",".join(RUNTIMES), show_default=True, help="Runtimes, separated by commas.")
@click.option("--batches", default="1,8,64", show_default=True, help="Batch sizes, separated by commas.")
@click.option(
    "--decoder", type=click.Choice(DECODERS), default=DECODERS[0], show_default=True, help="How logits become text."
)
def runtimes(
    *,
    folder: Path,
    form: str,
    half: str | None,
    limit: int,
    model: str | None,
    threads: int,
    repeats: int,
    runtimes: str,
    batches: str,
    decoder: str,
) -> None:
    """Read the labelled words of FOLDER on every runtime, in batches of several sizes."""
    sizes = _whole_numbers(batches)
    crops = _crops(real_words(folder, form, half)[:limit])
    recognizers = {}
    for name in (name.strip() for name in runtimes.split(",")):
        try:
            recognizers[name] = load_recognizer(model, name, threads, decoder)
        except (MissingExtra, BadPlugin) as reason:
            click.echo(f"{name} is left out. {reason}", err=True)
    rows = [
        {"runtime": name, "batch": size, **speed.latency(recognizer.recognize, crops, size, repeats)}
        for name, recognizer in recognizers.items()
        for size in sizes
    ]
    _print_rows(rows, f"{len(crops)} words, {threads} threads")


@benchmark.command()
@_words
@model_option
@_runtime
def cores(*, folder: Path, form: str, half: str | None, limit: int, model: str | None, runtime: str) -> None:
    """Count words per second on one core to all cores: threads of one process, or one-thread processes."""
    crops, path = _crops(real_words(folder, form, half)[:limit]), find_model(model)
    rows = []
    for count in range(1, (os.cpu_count() or 1) + 1):
        for processes, threads in ((1, count), (count, 1)) if count > 1 else ((1, 1),):
            words = speed.words_per_second(path, crops, processes, threads, runtime)
            rows.append({"processes": processes, "threads each": threads, "words_per_second": words})
    _print_rows(rows, f"{len(crops)} words again and again on {runtime}")


@benchmark.command()
@_words
@one_thread_option
@_repeats
@click.option("--engines", default="ours,tesseract,rapidocr", show_default=True, help="Engines, separated by commas.")
def engines(*, folder: Path, form: str, half: str | None, limit: int, threads: int, repeats: int, engines: str) -> None:
    """Time several engines on the same words of FOLDER, in turns; median and spread over all rounds."""
    samples = real_words(folder, form, half)[:limit]
    names, usable = [name.strip() for name in engines.split(",")], []
    missing = missing_engines(names)
    for name in names:
        if name in missing:
            click.echo(f"{name} is left out. {missing[name]}", err=True)
        else:
            usable.append(load_engine(name, threads=threads))
    if not usable:
        raise BadParams("None of these engines can be used here.")
    kept = (
        "engine",
        "exact",
        "exact_low",
        "exact_high",
        "ms_per_word",
        "fastest",
        "slowest",
        "cpu_ms",
        "cpu_times_first",
    )
    rows = [{column: row[column] for column in kept} for row in speed.beside(usable, samples, repeats)]
    _print_rows(rows, f"{len(samples)} words, {threads} threads, {repeats} turns")
    click.echo("; ".join(f"{engine.name} is {engine.version}" for engine in usable))


@benchmark.command()
@_words
@model_option
@one_thread_option
@_repeats
@click.option(
    "--synthetic",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Number of invented words to read, too.",
)
@click.option(
    "--calibration",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Number of invented words to calibrate with.",
)
def int8(
    *,
    folder: Path,
    form: str,
    half: str | None,
    limit: int,
    model: str | None,
    threads: int,
    repeats: int,
    synthetic: int,
    calibration: int,
) -> None:
    """Show what int8 gains in speed and loses in accuracy, for each part of the network, and where time goes.

    Speed is the network's; words are read by the default decoder, and the interval of what is gained or lost is a
    bootstrap over the words.
    """
    path = find_model(model)
    materials = Materials.of_training(path)
    sets = {"invented": materials.words(synthetic, "test"), folder.name: real_words(folder, form, half)[:limit]}
    known = _crops(materials.words(calibration, "val"))
    with tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch:
        models = precision.quantised(path, known, Path(scratch))
        rows = precision.precision_rows(models, sets, threads, repeats)
        parts = precision.part_rows(models, _crops(next(iter(sets.values()))), repeats)
    for row in rows:
        for name in sets:
            gain, low, high = (row.pop(f"{name}_{bound}") for bound in ("gain", "gain_low", "gain_high"))
            row[f"{name}: more"] = f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
    _print_rows(rows, ", ".join(f"{len(samples)} words {name}" for name, samples in sets.items()))
    _print_rows(parts, "\nms a word of each part, one thread")
    gain = precision.int8_gain()
    click.echo(
        f"A bare int8 matrix multiply is {gain:.2f} times as fast as float32 here; were all but the rest nothing else, "
        f"the network would be {precision.most_gain(parts[0], gain):.2f} times as fast."
    )


@benchmark.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@optional_form_option
@half_option
@click.option(
    "--builds",
    default="fast/keras/text,fast/fused/print,mix/fused/print",
    show_default=True,
    help="Each SIZE/KERNELS/WIDTHS, with commas between.",
)
@click.option("--minutes", type=click.FloatRange(min=0.1), default=3.0, show_default=True, help="CPU time of each.")
@click.option("--words", type=click.IntRange(min=1), default=2000, show_default=True, help="Invented ones to judge by.")
@click.option("--books", type=click.Path(path_type=Path), help="Folder of plain-text books whose words are used too.")
@fonts_option
@one_thread_option
def training(
    *,
    folder: Path | None,
    form: str | None,
    half: str | None,
    builds: str,
    minutes: float,
    words: int,
    books: Path | None,
    fonts: tuple[str, ...],
    threads: int,
) -> None:
    """Train several builds from nothing, by turns, for equal CPU time; judge by invented words and those of FOLDER.

    A build is a network's size, `keras` or `fused` kernels, and the widths of its words: as the `text` has them, or as
    `print` does. The drawing of words is counted. Invented words to judge by are of unseen fonts, as wide as text.
    """
    if (folder is None) != (form is None):
        raise BadParams("FOLDER and --form go together: give both, or none.")
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    quieten_tensorflow()
    try:
        from ocrkit.benchmark import training as trainings

        chosen = [trainings.Build.parse(text.strip()) for text in builds.split(",")]
        materials = Materials(build_vocabulary(books), audit(font_folders(fonts)))
        judges = {"invented": materials.words(words, "val")}
        if folder and form:
            judges[folder.name] = real_words(folder, form, half)
        options = TrainOptions(learning_rate=2e-3)
        with progress_bar("Training", "words") as bar:
            rows = trainings.side_by_side(chosen, materials, judges, 60 * minutes, options, bar.update)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Training needs {error.name}: pip install 'ocrkit[train]'.") from None
    table = [{"build": row.build, "words": row.words, "cpu_s": row.cpu_s} for row in rows]
    for shown_row, row in zip(table, rows):
        shown_row |= {"words/cpu_s": row.words_per_cpu_s, "words/s": row.words_per_s}
        shown_row |= {"times first": row.words_per_cpu_s / rows[0].words_per_cpu_s}
        shown_row |= {name: row.right[name] for name in judges}
    sizes = ", ".join(f"{len(samples)} words {name}" for name, samples in judges.items())
    _print_rows(table, f"{threads} threads, {sizes}")


@benchmark.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@model_option
@_repeats
def start(*, page: Path, model: str | None, repeats: int) -> None:
    """Time how long a fresh process takes to import ocrkit, and to read PAGE."""
    _print_rows([vars(row) for row in machine.starts(page, repeats, model)], f"median of {repeats} processes")


@benchmark.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--pages",
    type=click.IntRange(min=WARM_UP + 1),
    default=1000,
    show_default=True,
    help="Number of pages to read in all.",
)
@click.option(
    "--files", type=click.IntRange(min=1), default=20, show_default=True, help="Number of different files to read."
)
@model_option
@_runtime
@one_thread_option
def soak(*, folder: Path, pages: int, files: int, model: str | None, runtime: str, threads: int) -> None:
    """Read the images of FOLDER again and again in one process: do memory and speed stay the same?"""
    from ocrkit.documents.reader import Reader

    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)[:files]
    if not found:
        raise BadDataset(f"{folder} holds no picture or PDF.")
    if pages < 2 * len(found):
        raise BadParams(f"Each of {len(found)} files must be read twice: give more --pages or fewer --files.")
    reader = Reader(model, runtime, threads)
    with progress_bar("Reading", "pages", pages) as bar:
        done = soak_pages(reader.read, found, pages, bar.update)
    at = [n - 1 for n in (1, WARM_UP, *range(200, pages, 200), pages)]
    rows = [{"page": n + 1, "resident_mb": done.resident_mb[n]} for n in at]
    _print_rows(rows, f"{pages} pages, {len(found)} files, {runtime}")
    click.echo(f"Memory after {WARM_UP} pages grew by {done.growth:.1%}; a page took {done.slowdown:+.1%} longer.")


@benchmark.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@model_option
@click.option("--only", default=",".join(_SERVICE), show_default=True, help="What is measured, with commas between.")
@click.option("--pages", type=click.IntRange(min=2), default=200, show_default=True, help="Files of FOLDER to read.")
@click.option(
    "--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often both ways read all files."
)
@click.option("--jails", type=click.IntRange(min=1), default=2, show_default=True, help="Number of jails.")
@click.option("--documents", type=click.IntRange(min=1), default=500, show_default=True, help="Read while killing.")
@click.option("--kills", type=click.IntRange(min=1), default=100, show_default=True, help="Number of kills.")
@click.option("--hostile", type=click.IntRange(min=9), default=300, show_default=True, help="Bombs, crashes and such.")
@click.option(
    "--fuzzed", type=click.IntRange(min=0), default=10_000, show_default=True, help="Documents damaged by chance."
)
@click.option(
    "--index-pages", type=click.IntRange(min=500), default=100_000, show_default=True, help="Simulated pages searched."
)
@click.option("--clients", type=click.IntRange(min=1), default=50, show_default=True, help="Number of clients at once.")
@click.option(
    "--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="For which the clients ask."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Also keep all figures in this JSON file."
)
def service(
    *,
    folder: Path,
    model: str | None,
    only: str,
    pages: int,
    rounds: int,
    jails: int,
    documents: int,
    kills: int,
    hostile: int,
    fuzzed: int,
    index_pages: int,
    clients: int,
    minutes: float,
    output: Path | None,
) -> None:
    """Put the reading service under load: throughput, jails, killed processes, hostile documents, search, many clients.

    `throughput` reads files of FOLDER by `ocrkit read --jobs` and in jails, by turns; `jail` times one that reads
    nothing; `kills` ends server, worker and zygote at random moments; `hostile` hands in what means harm; `search`
    fills an index with simulated pages; `clients` hand in and search at once.
    """
    try:
        from ocrkit.service import hostile as hostility
        from ocrkit.service import soak as load
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The service needs {missing.name}: pip install 'ocrkit[service]'.") from None
    wanted = [name.strip() for name in only.split(",")]
    if unknown := set(wanted) - set(_SERVICE):
        raise BadParams(f"{', '.join(sorted(unknown))} cannot be measured; choose from {', '.join(_SERVICE)}.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)[:pages]
    if len(files) < jails:
        raise BadDataset(f"{folder} holds fewer than {jails} pictures or PDFs.")
    options = load.WorkOptions(jails=jails, model=str(find_model(model).resolve()))
    retried = replace(options, queue=load.QueueOptions(lease_s=3.0, tries=50, retry_s=(0.0,)))
    figures: dict[str, Any] = {"cores": os.cpu_count(), "jails": jails}

    def keep(name: str, rows: Sequence[Mapping[str, Any]], title: str) -> None:
        _print_rows(rows, f"\n{name}: {title}")
        figures[name] = {"load": os.getloadavg()[0], "rows": rows}
        if output:
            write_whole(output, json.dumps(figures, indent=1, default=float) + "\n")

    for name in wanted:
        with load.scratch() as place:
            if name == "throughput":
                with progress_bar("Reading", "rounds", rounds) as bar:
                    done = load.throughput(files, model, jails, rounds, bar.update)
                rows = [vars(one) | {"ratio": one.ratio} for one in done]
                keep(name, rows, f"`ocrkit read --jobs {jails}` and {jails} jails, by turns")
                median = np.median([one.ratio for one in done])
                click.echo(f"Jailed reading has {median:.3f} of the throughput (median).")
            elif name == "jail":
                taken = {mode: load.jail_ms(model, 100, mode) for mode in ("fork", "kept")}
                keep(name, [{"mode": mode, "median_ms": np.median(ms), "p95_ms": np.quantile(ms, 0.95)}
                            for mode, ms in taken.items()], "100 documents of nothing each")  # fmt: skip
            elif name == "kills":
                with progress_bar("Killing", "processes", kills) as bar:
                    killed = load.kills(documents, kills, place, 0, retried, shown=bar.update, pause_s=_KILL_PAUSE_S)
                row = vars(killed) | {"kills": sum(killed.kills.values())}
                keep(name, [row | killed.kills | killed.states], f"{documents} documents")
            elif name == "hostile":
                with progress_bar("Reading", "documents") as bar:
                    bad = hostility.documents(hostile, fuzzed)
                    endured = hostility.endure(bad, place, jails, model, bar.update)
                for part, rows in endured.tables().items():
                    keep(f"hostile, {part}", rows, f"{hostile} hostile documents, {fuzzed} fuzzed")
            elif name == "search":
                with progress_bar("Indexing", "pages", index_pages) as bar:
                    keep(name, [load.searches(index_pages, place, shown=bar.update).row()], "simulated pages")
            else:
                keep(name, [vars(load.clients(clients, 60 * minutes, place, options))],
                     f"{clients} at once for {minutes:g} minutes")  # fmt: skip


@benchmark.command("rollout")
@click.option("--seeds", type=click.IntRange(min=2), default=500, show_default=True, help="Replays without difference.")
@click.option("--replays", type=click.IntRange(min=2), default=100, show_default=True, help="Replays of every other.")
@click.option("--pages", type=click.IntRange(min=1), default=40, show_default=True, help="Pages read with a shadow.")
def rollout_rules(*, seeds: int, replays: int, pages: int) -> None:
    """What the rules of a rollout do to challengers whose truth is known, and what a shadow costs the answer."""
    from ocrkit.rollout.policy import Policy

    policy = Policy()
    for name, challenger in rollout.CHALLENGERS.items():
        count = seeds if challenger == rollout.ALIKE else replays
        with progress_bar(name, "replays", count) as bar:
            runs = [rollout.replay(challenger, policy, seed) for seed in range(count) if not bar.update()]
        _print_rows([{"replays": count, **rollout.shares(runs)}], f"A challenger that is {name}")
    _print_rows(
        [rollout.assigned(policy.shares)], f"{rollout.KEYS:,} keys: the share of them in the group, at each step"
    )
    _print_rows([rollout.shadow_cost(pages)], "The answer's time with a second reading behind it, against none")


@benchmark.command("photos")
@_pages
@model_option
@one_thread_option
@click.option("--photos", "count", type=click.IntRange(min=1), default=200, show_default=True, help="Number of photos.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for camera, desk and light.")
@click.option(
    "--zoom",
    type=click.FloatRange(0.1, 4),
    default=0.6,
    show_default=True,
    help="Pixels of the photo per pixel of the page.",
)
@click.option("--read", "reads", is_flag=True, help="Also read the photos; works best with --zoom above 1.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the worst photos, with the true outline and the one that was found.",
)
def photographed(
    *,
    folder: Path,
    form: str,
    half: str | None,
    model: str | None,
    threads: int,
    count: int,
    seed: int,
    zoom: float,
    reads: bool,
    output: Path | None,
) -> None:
    """Photograph the pages of FOLDER with a simulated camera: are they found, and are they read?

    A page counts as found if every corner lies within 1 % of the photo's diagonal of its true place; `low` and `high`
    are the ends of the 95 % interval. The worst photos show the true outline in green and the one that was found in
    red.
    """
    from ocrkit.documents.reader import Reader

    pages, camera = photos.papers(_labelled_pages(folder, form, half)), CameraOptions(zoom=zoom)
    read = Reader(model, threads=threads).read if reads else None
    errors, seconds, megapixels, words = [], 0.0, 0.0, []
    for number in shown(range(count), "Photographing", "photos"):
        shot = photos.shoot(pages, number, seed, camera)
        errors.append(shot.error)
        seconds, megapixels = seconds + shot.cpu_seconds, megapixels + shot.megapixels
        if read:
            words.append(shot.read(read))
    found = sum(error <= photos.NEAR for error in errors)
    share = wilson_interval(found, count)
    row = {"found": share.value, "low": share.low, "high": share.high}
    row |= {"median_error_%": 100 * float(np.median(errors)), "cpu_ms_a_megapixel": 1000 * seconds / megapixels}
    _print_rows([row], f"{count} photos of {len(pages)} pages, seed {seed}, {1e6 * megapixels / count:.0f} px each")
    if words:
        _print_rows([_words_row(how, [counts[how] for counts in words]) for how in words[0]], "words, caseless")
    if output:
        for number in np.argsort(errors)[::-1][:_WORST]:
            worst = photos.shoot(pages, int(number), seed, camera).overlay()
            _, picture = cv2.imencode(".jpg", cv2.cvtColor(worst, cv2.COLOR_RGB2BGR))
            write_whole(make_folder(output) / f"photo-{number}.jpg", picture.tobytes())


@benchmark.command("print")
@click.option(
    "--half",
    type=click.Choice(["tune", "report"]),
    default="report",
    show_default=True,
    help="Half of the layouts and typefaces; thresholds are chosen on `tune` alone.",
)
@click.option(
    "--pages",
    "count",
    type=click.IntRange(min=1),
    default=PAGES // 2,
    show_default=True,
    help="Number of pages.",
)
@click.option("--engines", default="ours,tesseract,rapidocr", show_default=True, help="Engines, separated by commas.")
@one_thread_option
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is drawn.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for all figures (print.json), and for the worst pages of the first engine as pictures.",
)
def print_pages(*, half: str, count: int, engines: str, threads: int, seed: int, output: Path | None) -> None:
    """Read rendered pages of plain print whose every word's ink is known, with several engines.

    A word is right if a box found it (IoU of 0.5) and its text is exactly the same, marks and capitals included. A mark
    is right if it is read in the box of its word. Pictures of the worst pages show words read right in green, lost ones
    in red, invented ones in blue, and others in orange under what was read.
    """
    names = [name.strip() for name in engines.split(",")]
    missing = missing_engines(names)
    for name, reason in missing.items():
        click.echo(f"{name} is left out. {reason}", err=True)
    readers = {name: load_engine(name, threads=threads) for name in names if name not in missing}
    if not readers:
        raise BadParams("None of these engines can be used here.")
    pages = PrintedPages(build_vocabulary(), half, seed)
    for lacking in pages.missing:
        click.echo(f"{lacking.name} is not installed, so others take its place: it is in {lacking.source}.", err=True)
    scores: dict[str, list[printed.PrintScore]] = {name: [] for name in readers}
    seconds, drawn = dict.fromkeys(readers, 0.0), []
    for number in shown(range(count), "Reading", "pages"):
        page = pages[number]
        drawn.append((page.layout, page.typeface, page.copy))
        for name, reader in readers.items():
            begun = time.perf_counter()
            words = reader.read(page.page.image()).words
            seconds[name] += time.perf_counter() - begun
            scores[name].append(printed.score_page(page, words))
    report = printed.Report(half, drawn, scores, {name: total / count for name, total in seconds.items()})
    _print_rows(report.summary(), f"{count} pages, {report.words} words; typefaces: {', '.join(pages.typefaces)}")
    for title, rows in (
        ("right words by layout: recall and precision", report.by_layout()),
        ("right words by kind of copy", report.by_copy()),
        ("words read right, by kind", report.by_kind()),
        ("marks read right", report.by_mark()),
        ("what became of the words", report.budget()),
    ):
        click.echo("")
        _print_rows(rows, title)
    click.echo("; ".join(f"{name} is {reader.version}" for name, reader in readers.items()))
    if output:
        folder = make_folder(output)
        write_whole(folder / "print.json", json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n")
        first = next(iter(scores.values()))
        for number in sorted(range(count), key=lambda n: first[n].words.f1)[:_WORST]:
            picture = cv2.cvtColor(printed.overlay(pages[number], first[number]), cv2.COLOR_RGB2BGR)
            write_whole(folder / f"{drawn[number][0]}-{number}.png", cv2.imencode(".png", picture)[1].tobytes())


@benchmark.command()
@_pages
@model_option
@one_thread_option
@click.option("--pages", "limit", type=click.IntRange(min=1), help="Read at most this many pages.")
@click.option("--turned", is_flag=True, help="Also turn each page by 90, 180 and 270 degrees.")
def upright(
    *, folder: Path, form: str, half: str | None, model: str | None, threads: int, limit: int | None, turned: bool
) -> None:
    """Read the upright pages of FOLDER: how many are turned by mistake, and are turned ones corrected?"""
    from ocrkit.documents.reader import Reader

    pages, read = _labelled_pages(folder, form, half)[:limit], Reader(model, threads=threads).read
    wrong: dict[int, list[str]] = {degrees: [] for degrees in ((0, 90, 180, 270) if turned else (0,))}
    for page in shown(pages, "Reading", "pages"):
        for degrees, ids in wrong.items():
            if photos.turned_wrongly(read, page, degrees):
                ids.append(page.id)
    rows = [{"stored_at": k, "wrong": len(ids), "share": len(ids) / len(pages)} for k, ids in wrong.items()]
    _print_rows(rows, f"{len(pages)} pages")
    for degrees, ids in wrong.items():
        if ids:
            click.echo(f"Wrong at {degrees} degrees: {', '.join(ids)}")


@benchmark.command("folder")
@_pages
@model_option
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes of each engine.")
@click.option("--share", type=click.FloatRange(0.01, 1), default=1.0, show_default=True, help="Of the 40 documents.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="Number of turns.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the simulated camera.")
def searchable(
    *,
    folder: Path,
    form: str,
    half: str | None,
    model: str | None,
    jobs: int,
    share: float,
    repeats: int,
    seed: int,
) -> None:
    """Make 40 documents searchable, by turns with OCRmyPDF and Tesseract: size, words, time and memory.

    The documents are made from the labelled pages of FOLDER: 20 scans, 10 simulated photos, 5 PDFs that were never on
    paper, 5 PDFs of both. Memory is that of all processes of an engine together, what they share counted once.
    """
    from ocrkit.benchmark import folder as folders

    folders.commands(jobs, model)  # what is missing is said before anything is made
    with tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch:
        documents = folders.make_folder_of(_labelled_pages(folder, form, half), Path(scratch) / "in", share, seed)
        with progress_bar("Reading", "turns", 2 * repeats) as bar:
            rows, kinds = folders.side_by_side(documents, Path(scratch), jobs, repeats, model, bar.update)
    _print_rows(rows, f"{len(documents)} documents, {jobs} jobs, {repeats} turns")
    _print_rows(kinds, "\nsize as a multiple of the document's; words as PDFium finds them")


@benchmark.command("vault")
@_pages
@click.option(
    "--pages", "count", type=click.IntRange(min=100), default=1000, show_default=True, help="Pages in a pass."
)
@_repeats
def sealed(*, folder: Path, form: str, half: str | None, count: int, repeats: int) -> None:
    """Read the pages of FOLDER, again and again, from plain files and from a vault: what do sealing and log cost?

    Read are labels and pixels; both places are made in a folder for temporary files.
    """
    from ocrkit.benchmark.vault import reading_cost

    pages = [page for page in _labelled_pages(folder, form, half) if page.path]
    if not pages:
        raise BadDataset(f"{folder} holds no page with an image file.")
    with (
        tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch,
        progress_bar("Reading", "passes", 2 * repeats + 2) as bar,
    ):
        cost = reading_cost(pages, count, repeats, Path(scratch), bar.update)
    _print_rows([vars(cost)], f"{len(pages)} different pages, median of {repeats} rounds")


@benchmark.command()
@click.option("--tasks", type=click.IntRange(min=1), default=500, show_default=True, help="Number of tasks.")
@click.option("--people", type=click.IntRange(1, 200), default=1, show_default=True, help="Simulated people at once.")
@click.option(
    "--kills", type=click.IntRange(min=0), default=0, show_default=True, help="How often the server is killed."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of people and moments.")
def labelling(tasks: int, people: int, kills: int, seed: int) -> None:
    """Let simulated people answer tasks by HTTP, also while the server is killed: what is lost, how long does it take?

    One person shows the server's time a task. The exit status is 2 if an answer is lost or a task answered twice.
    """
    from ocrkit.benchmark.labelling import soak as soak_labelling

    with progress_bar("Killing", "servers", kills) as bar:
        result = soak_labelling(tasks, people, kills, seed, lambda _: bar.update())
    p50, p95 = (1000 * float(np.quantile(result.times_s, share)) for share in (0.5, 0.95))
    row: dict[str, Any] = {
        "answers": result.answers,
        "lost": result.lost,
        "twice": result.twice,
        "unanswered": result.unanswered,
    }
    row["cpu_ms"] = 1000 * result.cpu_s
    row |= {"kills": result.kills, "answers/s": result.answers / result.seconds, "p50_ms": p50, "p95_ms": p95}
    _print_rows([row], f"{tasks:,} tasks, {people} people at once, seed {seed}")
    if result.lost or result.twice or result.unanswered:
        raise BadDataset("Answers were lost, or tasks answered twice.")


@benchmark.command("ranking")
@click.option(
    "--real",
    "folders",
    multiple=True,
    required=True,
    type=(click.Path(path_type=Path), click.Choice(sorted(PAGE_FORMS)), click.Choice(["tune", "report", "all"])),
    metavar="FOLDER FORM HALF",
    help="Labelled pages: HALF is tune, report or all; may be repeated.",
)
@model_option
@one_thread_option
@click.option("--synthetic", type=click.IntRange(min=0), default=0, help="Number of invented words beside them.")
@fonts_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write weights fitted on all of them, as JSON.")
def rank(
    *,
    folders: tuple[tuple[Path, str, str], ...],
    model: str | None,
    threads: int,
    synthetic: int,
    fonts: tuple[str, ...],
    output: Path | None,
) -> None:
    """Choose among what two looks at a word found, by weights that other documents' words have taught.

    Counts only words of which the looks found several texts. `without` is the share of them right by what the looks and
    the lexicon say, `with` by the ranking, which is used where `DecodeOptions.ranked` says so.
    """
    from ocrkit.learning.ranking import PRIOR, as_json, choices_of, cross_validated, fit_ranking
    from ocrkit.recognition.options import DecodeOptions
    from ocrkit.recognition.ranking import Ranking, likeliest

    path, options = find_model(model), DecodeOptions()
    recognizer, lexicon = load_recognizer(path, threads=threads, options=options), load_lexicon(path)
    if lexicon is None:
        raise BadParams(f"The model {path.name} has no lexicon, so its texts are not ranked.")
    sets = {
        folder.name if half == "all" else f"{folder.name}, {half} half": real_words(
            folder, form, None if half == "all" else half
        )
        for folder, form, half in folders
    }
    if synthetic:
        # Of other fonts than those that models are scored on; a hundred words pass for a document.
        invented = Materials.of_training(path, fonts).words(synthetic, "val")
        sets["invented"] = [replace(s, document=f"invented {place // 100}") for place, s in enumerate(invented)]
    sizes = {name: len(samples) for name, samples in sets.items()}
    choices, ends = [], []
    for samples in shown(list(sets.values()), "Reading", "sets"):
        choices += choices_of(recognizer, samples, lexicon, options)
        ends.append(len(choices))
    prior = Ranking(PRIOR).weights
    without = np.array([choice.right == likeliest(choice.features, prior) for choice in choices])
    ranked = cross_validated(choices)
    right = [choice.right is not None and choice.texts[choice.right] == text for choice, text in zip(choices, ranked)]
    rows = []
    for (name, words), begin, end in zip(sizes.items(), [0, *ends], ends):
        before, after = without[begin:end], np.array(right[begin:end], bool)
        row = {"set": name, "words": words, "choices": end - begin}
        row |= {"without": before.mean(), "with": after.mean()} if end > begin else {}
        rows.append(row | {"gained": int((after & ~before).sum()), "lost": int((before & ~after).sum())})
    _print_rows(rows, f"ranking by other documents' words, {path.name}")
    if output:
        write_whole(output, json.dumps(as_json(fit_ranking(choices), sizes), indent=1, ensure_ascii=False) + "\n")
        click.echo(f"Written: {output}")


@benchmark.command("label-order")
@folder_argument
@form_option
@click.option("--judge", required=True, type=click.Path(path_type=Path), help="Folder of crops of other documents.")
@click.option("--words", type=click.IntRange(min=2), default=400, show_default=True, help="Words in random order.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Number of repetitions.")
@click.option("--pool", type=click.IntRange(min=2), default=5000, show_default=True, help="Words to choose from.")
@click.option("--judges", type=click.IntRange(min=1), default=1500, show_default=True, help="Words to judge by.")
@click.option("--model", default="fast-synthetic", show_default=True, help="Model that must not know FOLDER.")
@click.option("--other-model", help="Second reader that must not know FOLDER. Default: MODEL's look at closer crops.")
@fonts_option
def label_order(
    *,
    folder: Path,
    form: str,
    judge: Path,
    words: int,
    seeds: int,
    pool: int,
    judges: int,
    model: str,
    other_model: str | None,
    fonts: tuple[str, ...],
) -> None:
    """Replay labelling on the known words of FOLDER: does half of them, in order of disagreement, teach as much?"""
    quieten_tensorflow()
    from random import Random

    from ocrkit.benchmark.labelling import Point, errors_found, replay
    from ocrkit.labelling.tasks import read_by
    from ocrkit.learning.finetune import usable
    from ocrkit.recognition.model import alphabet_of
    from ocrkit.recognition.recognizer import Closer
    from ocrkit.synth.generator import WordGenerator, WordOptions

    path = find_model(model)
    alphabet = alphabet_of(path)
    known, other_words = (usable(real_words(place, form, None), alphabet) for place in (folder, judge))
    known = Random("pool").sample(known, min(pool, len(known)))
    other_words = Random("judges").sample(other_words, min(judges, len(other_words)))
    first = load_recognizer(path, threads=1, decoder="greedy")
    second = load_recognizer(other_model, threads=1, decoder="greedy") if other_model else Closer(first)
    readings = read_by(known, first, second)
    apart = float(np.mean([reading.text != reading.other for reading in readings]))
    click.echo(f"{len(known):,} words to choose from, of which the two readers read {apart:.1%} differently.")
    shares, numbers = (0.05, 0.1, 0.2), range(7, 7 + seeds)
    finds = [
        {
            "order": order,
            **{f"first {s:.0%}": v for s, v in errors_found(known, readings, order, numbers, shares).items()},
        }
        for order in ("random", "confidence", "disagreement")
    ]
    _print_rows(finds, "Share of the misread words found")
    invented = WordGenerator(build_vocabulary(), audit(font_folders(fonts)), WordOptions()).samples
    sizes = {"random": [0, words // 2, words], "disagreement": [words // 2, words]}

    def say(point: Point) -> None:
        click.echo(f"{point.order:>13} {point.words:>6,} words, seed {point.seed}: {point.right:.4f}")

    points = replay(known, readings, other_words, invented, path, sizes, numbers, said=say)
    rows = []
    for order, counts in sizes.items():
        for count in counts:
            right = np.array([point.right for point in points if (point.order, point.words) == (order, count)])
            interval = bootstrap_interval(right)
            rows.append(
                {"order": order, "words": count, "right": right.mean(), "low": interval.low, "high": interval.high}
            )
    _print_rows(rows, f"{len(other_words):,} words to judge by, caseless, {seeds} seeds")


def _labelled_pages(folder: Path, form: str, half: str | None) -> list[LabelledPage]:
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))]
    if not pages:
        raise BadParams(f"No page of {folder} is in that half.")
    return pages


def _words_row(how: str, counts: Sequence[PrecisionRecall]) -> dict[str, Any]:
    together = sum(counts, PrecisionRecall())
    table = np.array([(page.matched, page.truth + page.found) for page in counts])
    interval = bootstrap_interval(table, lambda means: 2 * means[:, 0] / means[:, 1])
    row = {"read": how, "precision": together.precision, "recall": together.recall}
    return row | {"f1": together.f1, "low": interval.low, "high": interval.high}


def _crops(samples: Sequence[Sample]) -> list[Any]:
    return [sample.image for sample in samples]


def _whole_numbers(text: str) -> list[int]:
    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in numbers):
        raise BadParams(f"{text!r} is no list of whole numbers such as 1,8,64.")
    return [int(part) for part in numbers]


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_figure(one)}" for name, one in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(map(_figure, value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _print_rows(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """A table under the machine's state, which decides what the numbers mean."""
    busy = os.getloadavg()[0]
    click.echo(f"{title}; {os.cpu_count()} cores with {busy:.1f} processes waiting for them")
    if not rows:
        return
    shown = [[_figure(value) for value in row.values()] for row in rows]
    table = [list(rows[0]), *shown]
    if len(rows) == 1 and len(rows[0]) > _MOST_COLUMNS:  # too wide for a line: one figure a line
        table = [list(cells) for cells in zip(*table)]
    widths = [max(map(len, cells)) for cells in zip(*table)]
    for cells in table:
        click.echo("  ".join(cell.rjust(width) for cell, width in zip(cells, widths)))
