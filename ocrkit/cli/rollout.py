"""`ocrkit rollout`: from champion to everybody, and back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ocrkit.cli.options import half_option, jobs_option, optional_form_option, redundancy_option
from ocrkit.cli.progress import shown
from ocrkit.cli.verbs import complain, verb_group
from ocrkit.errors import BadParams, MissingExtra, OcrkitError

if TYPE_CHECKING:
    from ocrkit.rollout import Check, State
    from ocrkit.studies.rollout import Rollouts

_STOPPED = 1  # exit status

store_option = click.option(
    "--store",
    default="data/rollout",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of what is counted; numbers only.",
)


@verb_group()
def rollout() -> None:
    """Bring a challenger to everybody by steps: shadow, 1 %, 5 %, 25 %, all; and back at once.

    `rollout` in params.yaml is the policy. The state stands in MLflow's registry, each move is a run in the experiment
    Champion.
    """


@rollout.command()
@click.argument("challenger")
@store_option
def start(challenger: str, store: Path) -> None:
    """Let CHALLENGER read in the champion's shadow.

    CHALLENGER is a released model's name or a model's folder; version:N of the registered reader; or engine:NAME,
    such as engine:tesseract.
    """
    click.echo(_told(_opened(store).start(challenger)))


@rollout.command()
@store_option
def status(store: Path) -> None:
    """Say where the rollout stands, what was counted, and what the policy would do now."""
    rollouts = _opened(store)
    state = rollouts.state()
    click.echo(_told(state))
    since = time.strftime("Since %d %b %Y %H:%M: ", time.localtime(state.since)) if state.epoch else ""
    click.echo(since + state.reason)
    if state.is_running:
        move = rollouts.next(state)
        _show(move.checks)
        for why, documents in rollouts.ledger.skipped(state.salt).items():
            click.echo(f"{documents} documents were read by one only: {why}.")
        click.echo(f"The policy says: {move.to}.")


@rollout.command()
@store_option
def step(store: Path) -> None:
    """Do what the policy says now: a step up, stay, or stop. The exit status is 1 if it stops."""
    if _stepped(_opened(store)) == "stop":
        sys.exit(_STOPPED)


@rollout.command()
@click.option("--reason", default="A person stopped it.", show_default=True, help="For the record.")
@store_option
def stop(reason: str, store: Path) -> None:
    """Give everything back to the champion at once."""
    click.echo(_told(_opened(store).stop(reason)))


@rollout.command()
@click.option("--looks", type=click.IntRange(min=1), help="End after so many looks.")
@store_option
def watch(looks: int | None, store: Path) -> None:
    """Do what the policy says, again and again, until the rollout ends. The exit status is 1 if it is stopped."""
    rollouts = _opened(store)
    number = 0
    if not rollouts.state().is_running:
        complain("no rollout runs: there is nothing to watch.")
    while rollouts.state().is_running:
        number += 1
        try:
            if _stepped(rollouts, briefly=True) == "stop":
                sys.exit(_STOPPED)
        except OcrkitError as error:  # such as a store that is down: the next look may find it again
            complain(error)
        if looks and number >= looks:
            return
        time.sleep(rollouts.options.look_every_s)


@rollout.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@optional_form_option
@half_option
@click.option("--limit", type=click.IntRange(min=1), help="Read at most so many pages.")
@click.option("--job", help="In place of FOLDER: the job that `ocrkit rollout ask` made.")
@jobs_option
@store_option
def judge(
    *, folder: Path | None, form: str | None, half: str | None, limit: int | None, job: str | None, jobs_path: Path,
    store: Path,
) -> None:  # fmt: skip
    """Collect the evidence that lets a challenger up, from labelled pages of FOLDER or the answers to a job.

    Neither of the two readers may have learnt from the pages. A page counts once in a rollout.
    """
    from ocrkit.datasets import half_of
    from ocrkit.datasets.forms import load_pages

    if (folder is None) == (job is None):
        raise BadParams("Name either a folder of labelled pages or, with --job, a job of `ocrkit rollout ask`.")
    rollouts, waiting = _opened(store), 0
    if job:
        from ocrkit.labelling.jobs import Store

        with Store(jobs_path) as opened:
            judged, waiting = rollouts.judge_job(opened, opened.job(job))
    else:
        if form is None:
            raise BadParams(
                "Say with --form how FOLDER is labelled; pages without labels are for `ocrkit rollout ask`."
            )
        loaded = load_pages(cast(Path, folder), form)
        pages = [page for page in loaded if half in (None, half_of(page.document or page.id))][:limit]
        judged = rollouts.judge(shown(pages, "Reading", "pages"))
    alike = judged.new - judged.better - judged.worse
    click.echo(
        f"{judged.documents} pages, {judged.new} of them new: the challenger read {judged.better} better, "
        f"{judged.worse} worse, {alike} alike."
    )
    if waiting:
        click.echo(f"{waiting} pages wait for answers, or for people to agree.")


@rollout.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@optional_form_option
@click.option("--kind", default="", help="Kind of the documents, such as receipt, where the form says none.")
@click.option("--limit", type=click.IntRange(min=1), help="Read at most so many pages.")
@click.option("--template", default="verify", show_default=True, help="Built-in template, or a TOML file.")
@redundancy_option
@jobs_option
@store_option
def ask(
    *, name: str, folder: Path, form: str | None, kind: str, limit: int | None, template: str, redundancy: int | None,
    jobs_path: Path, store: Path,
) -> None:  # fmt: skip
    """Make the labelling job NAME of the words in FOLDER that champion and challenger read differently.

    FOLDER holds pictures of pages; they need no labels. People say what is printed, and `judge --job NAME` counts which
    of the two was right. Pages that both read alike count at once.
    """
    from ocrkit.labelling.jobs import Store
    from ocrkit.labelling.tasks import pages_of
    from ocrkit.labelling.templates import load_template

    changes = {"alphabet": "any", **({"redundancy": redundancy} if redundancy else {})}
    chosen = load_template(template).model_copy(update=changes)
    rollouts = _opened(store)
    with Store(jobs_path, make=True) as opened:
        opened.check_new(name)
        pages, private = pages_of(folder, form)
        tasks, about = rollouts.ask(shown(pages[:limit], "Reading", "pages"), kind)
        if not tasks:
            click.echo("Both read every page alike: nobody needs to be asked.")
            return
        job = opened.add_job(name, chosen, tasks, str(folder.resolve()), form or "pictures", private, about)
        told = opened.progress(job)
    click.echo(f"{name}: {told['tasks']:,} words of {len({task.document for task in tasks}):,} pages differ.")
    click.echo(f"Have them answered (`ocrkit label serve {name}`), then: ocrkit rollout judge --job {name}")


def _opened(store: Path) -> Rollouts:
    try:
        from ocrkit.studies.rollout import Rollouts
    except ImportError as missing:
        raise MissingExtra(f"{missing.name} is not installed: pip install 'ocrkit[notebooks]'.") from None
    return Rollouts(store)


def _told(state: State) -> str:
    from ocrkit.studies.rollout import told

    return told(state)


def _stepped(rollouts: Rollouts, briefly: bool = False) -> str:
    state, move = rollouts.step()
    if not briefly or move.to != "stay":
        _show(move.checks)
    click.echo(f"{_told(state)} {move.reason}")
    return move.to


def _show(checks: tuple[Check, ...]) -> None:
    for check in checks:
        click.echo(f"{'kept' if check.passed else 'NOT KEPT':8} {check.rule}: {check.finding}")
