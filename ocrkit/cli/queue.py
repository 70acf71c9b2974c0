"""`ocrkit queue ...`: what waits, what failed and why, and working it off without a server."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import jails_option, no_jail_option, shared_option, store_option
from ocrkit.cli.progress import progress_bar
from ocrkit.cli.serve import cores, jail_mode
from ocrkit.cli.submit import what_became
from ocrkit.cli.verbs import FAILED, verb_group
from ocrkit.document import counted
from ocrkit.errors import MissingExtra, OcrkitError

if TYPE_CHECKING:
    from ocrkit.service.queue import Queue


@verb_group()
def queue() -> None:
    """Look after the queue of the reading service."""


@queue.command()
@store_option
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Number of documents to list.")
def status(*, store: Path, limit: int) -> None:
    """Show how many documents are in each state, and the newest of them with what became of them."""
    opened = _queue(store)
    click.echo(", ".join(f"{count:,} {state}" for state, count in opened.counts().items()))
    for job in opened.jobs(limit=limit):
        doing = f"page {job.page + 1}, jail {job.jail}" if job.state == "reading" else what_became(job)
        click.echo(f"{job.id} {job.state:7} {job.name}: {doing or 'waits'}")


@queue.command()
@click.argument("ids", nargs=-1)
@store_option
def retry(*, ids: tuple[str, ...], store: Path) -> None:
    """Read again what was given up: all documents, or those with these IDS."""
    opened = _queue(store)
    again = sum(opened.retry(opened.job(one).id) for one in ids) if ids else opened.retry()
    click.echo(f"{counted(again, 'document')} will be read again.")


@queue.command()
@click.argument("ids", nargs=-1, required=True)
@store_option
@shared_option
def forget(*, ids: tuple[str, ...], store: Path, shared: str) -> None:
    """Forget the documents with these IDS: what was handed in, what was read, and every byte of the index."""
    opened = _queue(store)
    from ocrkit.service import work
    from ocrkit.service.index import Index
    from ocrkit.service.store import Store

    place = Store(store, shared or None)
    for one in ids:
        work.forget(place, opened, Index(place.index), one)
    click.echo(f"{len(ids)} document{'s are' if len(ids) != 1 else ' is'} forgotten.")


@queue.command()
@store_option
@shared_option
@jails_option
@no_jail_option
@click.option("--dask", metavar="ADDRESS", default="", help="Let the workers of this Dask scheduler read instead.")
def drain(*, store: Path, shared: str, jails: int | None, no_jail: bool, dask: str) -> None:
    """Read all that waits, without a server; what was given up has its reason in `ocrkit queue status`."""
    opened = _queue(store)
    from ocrkit.service.index import Index
    from ocrkit.service.readers import WorkOptions
    from ocrkit.service.store import Store
    from ocrkit.service.work import Work, mend

    place = Store(store, shared or None)
    mend(place, opened, Index(place.index))
    before = opened.counts()
    waiting = before["queued"] + before["reading"]
    options = WorkOptions(jails=jails or cores(), mode=jail_mode(no_jail), dask=dask, shared=shared)
    options = replace(options, queue=replace(options.queue, retry_s=(0.0,)))  # nobody is there to wait for minutes
    work = Work(place, options)
    work.start()
    with progress_bar("Reading", "documents", waiting) as bar:
        while not work.drain(0.3):
            now = opened.counts()
            bar.update(waiting - now["queued"] - now["reading"] - bar.n)
            if not work.is_alive:
                break
    work.stop()
    after = opened.counts()
    read, dead = after["done"] - before["done"], after["dead"] - before["dead"]
    click.echo(f"{read} read, {dead} given up, {after['queued']} waiting.")
    if dead or after["queued"]:
        sys.exit(FAILED)


def _queue(store: Path) -> Queue:
    try:
        from ocrkit.service.queue import Queue
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The service needs {missing.name}: pip install 'ocrkit[service]'.") from None
    if not (store / "queue.db").is_file():
        raise OcrkitError(f"{store} is no store of the reading service: name one with --store.")
    return Queue(store / "queue.db")
