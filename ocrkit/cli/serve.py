"""`ocrkit serve`: the reading service on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import (
    champion_option,
    jails_option,
    model_option,
    no_jail_option,
    shared_option,
    store_option,
)
from ocrkit.cli.verbs import verb
from ocrkit.errors import BadParams, MissingExtra

if TYPE_CHECKING:
    from ocrkit.service.intake import Choose
    from ocrkit.service.store import Store


@verb()
@store_option
@shared_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer at; others need a --token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8018, show_default=True, help="Port; 0 for a free one.")
@click.option(
    "--token", envvar="OCRKIT_TOKEN", default="", help="What everybody must know who asks; also from OCRKIT_TOKEN."
)
@jails_option
@no_jail_option
@click.option(
    "--jail",
    "mode",
    type=click.Choice(["fork", "worker"]),
    default="fork",
    show_default=True,
    help="A new jail for each document, or long-lived ones that read 200 pages each.",
)
@click.option(
    "--memory", type=click.IntRange(min=256), default=2048, show_default=True, help="MB that a document may take."
)
@click.option(
    "--seconds", type=click.IntRange(min=1), default=120, show_default=True, help="Seconds that a document may take."
)
@click.option(
    "--rate", type=click.FloatRange(min=0.1), default=20.0, show_default=True, help="Requests a second of each client."
)
@model_option
@champion_option
@click.option("--dask", metavar="ADDRESS", default="", help="Let the workers of this Dask scheduler read instead.")
def serve(
    *,
    store: Path,
    shared: str,
    host: str,
    port: int,
    token: str,
    jails: int | None,
    no_jail: bool,
    mode: str,
    memory: int,
    seconds: int,
    rate: float,
    model: str | None,
    champion: bool,
    dask: str,
) -> None:
    """Serve a page and REST that read documents in jails and search them.

    Documents that are dropped on the page, or handed in by REST or `ocrkit submit`, wait in a queue, are read by
    processes that can do nothing else, and can be searched. Logs are lines of JSON on standard error.
    """
    try:
        from ocrkit.service import logs
        from ocrkit.service.app import FaceOptions
        from ocrkit.service.readers import WorkOptions
        from ocrkit.service.server import serve as serve_store
        from ocrkit.service.store import Store
        from ocrkit.service.walls import Limits
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The service needs {missing.name}: pip install 'ocrkit[service]'.") from None
    opened = Store(store, shared or None)
    choose = chosen(opened, model, champion)
    work = WorkOptions(
        jails=jails or cores(),
        mode=jail_mode(no_jail, mode),
        limits=Limits(cpu_s=seconds, wall_s=2.0 * seconds, memory_mb=memory),
        dask=dask,
        shared=shared,
        model=choose("").folder,
    )
    logs.structured()
    face = FaceOptions(token=token.strip(), a_second=rate, at_once=int(3 * rate) + 1)
    serve_store(opened, work, face, choose, host, port)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jail_mode(no_jail: bool, mode: str = "fork") -> str:
    """What the service calls the mode that the options ask for."""
    return "open" if no_jail else {"fork": "fork", "worker": "kept"}[mode]


def chosen(store: Store, model: str | None, champion: bool, follow: bool = True) -> Choose:
    """What reads the documents of a store; where `follow`, asked for again as long as this process runs."""
    if champion and model:
        raise BadParams("Either --champion or --model says what reads: leave one out.")
    from ocrkit.service.intake import choose_model
    from ocrkit.service.queue import Queue

    if not champion:
        return choose_model(model)
    try:
        from ocrkit.studies.versions import Versions
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The registry needs {missing.name}: pip install 'ocrkit[notebooks]'.") from None
    folder, withdraw = store.folder / "models", Queue(store.queue).withdraw
    return (Versions(folder, withdraw) if follow else Versions(folder, withdraw, 0)).choose
