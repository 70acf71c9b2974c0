"""What verbs share that make something of many documents: their options, the bar, the log and the table at the end."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import click
from tqdm import tqdm

from ocrkit.cli.progress import progress_bar
from ocrkit.cli.verbs import FAILED, complain, harmless, is_quiet
from ocrkit.document import counted
from ocrkit.errors import OcrkitError

if TYPE_CHECKING:
    from ocrkit.batch import Batch, Found, Outcome

_INTERRUPTED = 130  # exit status, as shells have it
_MOST_TOLD = 5  # of sentences about names

_OPTIONS = (
    click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Processes, each on one thread. Default: one for each core, or fewer for a few files.",
    ),
    click.option(
        "--dask",
        "scheduler",
        metavar="ADDRESS",
        help="Let a Dask cluster do it: the address of its scheduler, or `local` for one on this machine.",
    ),
    click.option(
        "--keep-tree", is_flag=True, help="Keep the folders below FOLDER; otherwise results lie side by side."
    ),
    click.option(
        "--log",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Append a line of JSON for each document to FILE.",
    ),
)


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How many documents are handled: `jobs`, `scheduler`, `keep_tree` and `log`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def tell_what_was_left_out(found: Found) -> None:
    """Say what was found in folders and is no document, or cannot be looked at."""
    for sentence in found.closed:
        complain(sentence)
    if found.left_out and not is_quiet():
        kinds = ", ".join(f"{suffix} ({count})" for suffix, count in list(found.left_out.items())[:_MOST_TOLD])
        count = sum(found.left_out.values())
        what = (
            "1 file is no image or PDF by its name and was"
            if count == 1
            else f"{count} files are no images or PDFs by their names and were"
        )
        complain(f"{what} left out: {kinds}{', …' if len(found.left_out) > _MOST_TOLD else ''}.")


def run_batch(
    opened: AbstractContextManager[Batch],
    found: Found,
    doing: str,
    jobs: int | None,
    scheduler: str | None,
    log: Path | None,
    one_pdf: Path | None = None,
) -> None:
    """Do a batch: show its progress, say what went wrong, and print a table at the end.

    Exits with status 2 where something could not be done, and with 130 where it is interrupted; the next run goes on.

    Args:
        opened: the batch.
        found: what it is of.
        doing: "Reading" or "Scanning".
        jobs: number of processes.
        scheduler: address of a Dask cluster's.
        log: file that gets a line a document.
        one_pdf: what all results become together when `opened` ends.
    """
    with opened as batch:
        outcomes = _run(batch, found, doing, jobs, scheduler, log)
    pages = sum(outcome.pages for outcome in outcomes if outcome.state != "failed")
    if one_pdf and not pages:
        complain(f"{one_pdf} is not written: there is no page for it.")
    elif one_pdf and not is_quiet():
        click.echo(harmless(f"{one_pdf}: {counted(pages, 'page')}."))
    if found.closed or not all(outcome.complete for outcome in outcomes):
        sys.exit(FAILED)


def _run(
    batch: Batch, found: Found, doing: str, jobs: int | None, scheduler: str | None, log: Path | None
) -> list[Outcome]:
    if not is_quiet():
        for note in batch.notes[:_MOST_TOLD]:
            complain(note)
        if len(batch.notes) > _MOST_TOLD:
            complain(f"{len(batch.notes) - _MOST_TOLD} more results have other names than their documents; see --log.")
    outcomes: list[Outcome] = []
    begun = time.monotonic()
    with _appended(log) as lines, _Bar(doing, len(batch.tasks)) as bar, _interruptible() as interrupted:
        for outcome in batch.run(jobs, scheduler, bar.tell):
            outcomes.append(outcome)
            bar.finished(outcome)
            _complain_of(outcome)
            if lines:
                _write_line(lines, outcome)
            if interrupted:
                break
    if not is_quiet():
        click.echo(harmless(_table(outcomes, len(batch.tasks), found.closed, doing, time.monotonic() - begun)))
    if interrupted:
        complain("interrupted: run it again to go on.")
        sys.exit(_INTERRUPTED)
    return outcomes


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A context that Ctrl-C ends, and a list that holds something afterwards if it did.

    It does also where Python had to drop the exception, as it does in what runs when an object is collected, and where
    a library made another one of it: tqdm releases a lock that it was about to take.
    """
    interrupted: list[int] = []  # no event: its lock would be taken twice where Ctrl-C is pressed twice

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    except Exception:
        if not interrupted:
            raise
    except KeyboardInterrupt:
        interrupted.append(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


class _Bar:
    """Counts pages; how many there are in all is guessed from the documents that are done: counting would take long."""

    def __init__(self, doing: str, documents: int) -> None:
        self._documents, self._finished, self._pages = documents, 0, 0
        self._bar = progress_bar(doing, "pages", documents)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.close()

    def tell(self, more: int) -> None:
        self._bar.total = max(self._bar.total or 0, self._bar.n + more)
        self._bar.update(more)

    def finished(self, outcome: Outcome) -> None:
        self._finished, self._pages = self._finished + 1, self._pages + max(1, outcome.pages)
        guess = round(self._documents * self._pages / self._finished)
        self._bar.total = self._pages if self._finished == self._documents else max(guess, self._bar.n)
        self._bar.set_postfix_str(f"{self._finished} of {self._documents} documents", refresh=False)
        self._bar.update(max(0, self._pages - self._bar.n))


def _complain_of(outcome: Outcome) -> None:
    with tqdm.external_write_mode(sys.stderr):
        for sentence in (*filter(None, [outcome.reason]), *outcome.faults):
            complain(sentence)
        for note in () if is_quiet() else outcome.notes:
            complain(note)


@contextmanager
def _appended(log: Path | None) -> Iterator[TextIO | None]:
    if log is None:
        yield None
        return
    try:
        with log.open("a+", encoding="utf-8", errors="replace") as lines:
            yield lines
    except OSError as error:
        raise OcrkitError(f"{log} cannot be written: {error.strerror or error}.") from None


def _write_line(lines: TextIO, outcome: Outcome) -> None:
    told = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **asdict(outcome)}
    lines.write(json.dumps(told) + "\n")
    lines.flush()


def _table(outcomes: list[Outcome], documents: int, closed: Sequence[str], doing: str, seconds: float) -> str:
    """What became of all, by state, and why some failed."""
    count = Counter[str](outcome.state for outcome in outcomes)
    are_read = doing == "Reading"  # what is only cut out has no words that anybody counts
    rows = [f"{'':12}{'documents':>10}{'pages':>9}" + f"{'words':>11}" * are_read]
    for state, why in (("done", ""), ("skipped", "unchanged since they were done"), ("failed", "")):
        mine = [outcome for outcome in outcomes if outcome.state == state]
        pages, words = sum(outcome.pages for outcome in mine), sum(outcome.words for outcome in mine)
        numbers = f"{pages:>9,}" + f"{words:>11,}" * are_read if state != "failed" else ""
        rows.append(f"{state:<12}{count[state]:>10,}{numbers}{'   ' + why if why and mine else ''}".rstrip())
    if documents > len(outcomes):
        rows.append(f"{'not reached':<12}{documents - len(outcomes):>10,}")
    if closed:
        folders = "a folder" if len(closed) == 1 else f"{len(closed):,} folders"
        rows.append(f"{'not found':<12}{'?':>10}   in {folders} that cannot be looked into")
    done = [outcome for outcome in outcomes if outcome.state == "done"]
    if left := sum(outcome.left_alone for outcome in done):
        it, they = ("was", "it has") if left == 1 else ("were", "they have")
        rows.append(f"{left:,} of the pages {it} left alone: {they} text already, or {it} not asked for.")
    ready = sum(outcome.pages - outcome.left_alone for outcome in done)
    speed = f", {ready / max(seconds, 1e-3):.1f} pages {'read' if are_read else 'scanned'} a second" if ready else ""
    rows.append(f"{seconds:.1f} s{speed}")
    failed = [outcome for outcome in outcomes if not outcome.complete]
    if failed or closed:
        rows.append("")
    for outcome in failed:
        why = " ".join(filter(None, [outcome.reason, *outcome.faults]))
        what = "failed" if outcome.state == "failed" else "in part"
        rows.append(f"{what:<9}{'' if outcome.source in why else f'{outcome.source}: '}{why}")
    rows += [f"{'closed':<9}{why}" for why in closed]
    return "\n".join(rows)
