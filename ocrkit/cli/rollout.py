"""`ocrkit rollout`: from champion to everybody, and back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import form_option, half_option
from ocrkit.cli.progress import shown
from ocrkit.cli.verbs import complain, verb_group
from ocrkit.errors import MissingExtra, OcrkitError

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
@click.argument("folder", type=click.Path(path_type=Path))
@form_option
@half_option
@click.option("--limit", type=click.IntRange(min=1), help="Read at most so many pages.")
@store_option
def judge(folder: Path, form: str, half: str | None, limit: int | None, store: Path) -> None:
    """Read the labelled pages of FOLDER with champion and challenger: the evidence that lets a challenger up.

    Neither may have learnt from them. A page counts once in a rollout.
    """
    from ocrkit.datasets import half_of
    from ocrkit.datasets.forms import load_pages

    rollouts = _opened(store)
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))][:limit]
    judged = rollouts.judge(shown(pages, "Reading", "pages"))
    alike = judged.new - judged.better - judged.worse
    click.echo(
        f"{judged.documents} pages, {judged.new} of them new: the challenger read {judged.better} better, "
        f"{judged.worse} worse, {alike} alike."
    )


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
