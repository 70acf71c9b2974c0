"""`ocrkit submit`: documents into the queue of the reading service, running or not."""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import all_pages_option, champion_option, model_option, shared_option, store_option
from ocrkit.cli.progress import shown
from ocrkit.cli.serve import chosen
from ocrkit.cli.verbs import FAILED, complain, harmless, verb
from ocrkit.document import counted
from ocrkit.errors import MissingExtra, OcrkitError, reason

if TYPE_CHECKING:
    from ocrkit.service.queue import Job, Queue


@verb()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@store_option
@shared_option
@model_option
@champion_option
@all_pages_option
@click.option("--keep-doubtful", is_flag=True, help="Keep what looks like words and is hardly read.")
@click.option("--wait", is_flag=True, help="Wait until all are done, and say what became of each.")
def submit(
    *,
    files: tuple[Path, ...],
    store: Path,
    shared: str,
    model: str | None,
    champion: bool,
    all_pages: bool,
    keep_doubtful: bool,
    wait: bool,
) -> None:
    """Hand FILES to the reading service; print an id for each, by which the service knows it.

    Handing in the same file again changes nothing and gives the same id. Nobody needs to be serving: the queue waits
    for `ocrkit serve` or `ocrkit queue drain`.
    """
    try:
        from ocrkit.service import intake
        from ocrkit.service.queue import JobOptions, Queue
        from ocrkit.service.store import Store
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The service needs {missing.name}: pip install 'ocrkit[service]'.") from None
    opened = Store(store, shared or None)
    queue, choose = Queue(opened.queue), chosen(opened, model, champion, follow=False)
    options = JobOptions(all_pages=all_pages, keep_doubtful=keep_doubtful)
    jobs: list[Job] = []
    for path in shown(files, "Handing in", "files"):
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe may never end, or never begin
                kind = "a folder: name the files in it" if path.is_dir() else "not a regular file"
                raise OcrkitError(f"This is {kind}.")
            with path.open("rb") as file:
                job, _ = intake.hand_in(opened, queue, file, path.name, choose, options, path)
        except OcrkitError as error:
            complain(f"{path}: {error}")
        except OSError as error:
            complain(f"{path} cannot be read: {reason(error)}.")
        else:
            jobs.append(job)
            if not wait:
                click.echo(harmless(f"{job.id} {job.state:7} {path}"))
    failed = len(jobs) < len(files)
    if wait:
        failed |= not _waited(queue, jobs)
    if failed:
        sys.exit(FAILED)


def what_became(job: Job) -> str:
    """Of a document that is done or given up, for people."""
    if job.state != "done":
        return job.reason
    return f"{counted(job.pages, 'page')}, {job.seconds:.1f} s" + f"; {job.reason}" * bool(job.reason)


def _waited(queue: Queue, jobs: list[Job]) -> bool:
    """Say what becomes of each job; whether all were read."""
    good = True
    for job in shown(jobs, "Reading", "files"):
        while (now := queue.job(job.id)).state not in ("done", "dead"):
            time.sleep(0.2)
        good &= now.state == "done"
        click.echo(f"{now.id} {now.state:7} {now.name}: {what_became(now)}")
    return good
