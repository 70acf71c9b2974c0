"""Which version of MLflow's registry reads a document of the service: the champion, or the challenger of a rollout."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from mlflow.exceptions import MlflowException

from ocrkit.errors import OcrkitError
from ocrkit.experiment import setup
from ocrkit.experiment.kept import connect
from ocrkit.files import make_folder
from ocrkit.recognition.model import CARD, identity, released_folder
from ocrkit.rollout import Follower, Pin, State
from ocrkit.rollout.gate import by_share
from ocrkit.service.queue import Pinned
from ocrkit.studies import rollout

_LOG = logging.getLogger("ocrkit.service")
_FOLLOW_S = 15.0  # so that a move is followed within 30 s, the fetching of a model included


class Versions:
    """Says which version reads a document, as the project's rollout stands; its `choose` is the service's `Choose`.

    Where MLflow does not answer, the versions of before read on, over restarts too.

    Args:
        folder: for what is fetched from the registry, and for the state as it was last known.
        withdraw: told after each question which models read now, by their identities.
        every_s: between questions; 0: only one is asked.
        ask: gives the state now.
        fetch: pin and folder -> the model; by default `fetched`.
        chosen: whether the challenger reads what has a key; see `ocrkit.rollout.flags.assignment` for another.

    Raises:
        OcrkitError: MLflow does not answer and nothing is known from before, or the champion cannot be had.
    """

    def __init__(
        self,
        folder: Path,
        withdraw: Callable[[Collection[str]], object] = lambda serving: None,
        every_s: float = _FOLLOW_S,
        ask: Callable[[], State] = rollout.ask,
        fetch: Callable[[Pin, Path], Pinned] | None = None,
        chosen: Callable[[State, str], bool] = by_share,
    ) -> None:
        self._folder, self._withdraw, self._ask, self._chosen = make_folder(folder), withdraw, ask, chosen
        self._fetch = fetch or fetched
        self._pinned: dict[Pin, Pinned] = {}
        self._complained: set[Pin] = set()
        self._follower = Follower(self._asked, every_s, self._folder / "rollout.json")
        self._make_ready(self._follower.state)  # it may be one of before, of which nothing is loaded yet

    def choose(self, key: str) -> Pinned:
        """The version that reads what has this key: at each step always the same."""
        state = self._follower.state
        champion = self._pinned[state.champion]
        challenger = self._pinned.get(state.challenger) if state.challenger else None
        if challenger and state.is_running and state.share > 0 and self._chosen(state, key):
            return replace(challenger, otherwise=champion)
        return champion

    def refresh(self) -> None:
        """Ask now."""
        self._follower.refresh()

    def close(self) -> None:
        """Ask no more."""
        self._follower.close()

    def _asked(self) -> State:
        state = self._ask()
        self._make_ready(state)
        return state

    def _make_ready(self, state: State) -> None:
        """Have the models here before anybody is told to read with them."""
        if state.champion not in self._pinned:
            self._pinned[state.champion] = self._fetch(state.champion, self._folder)
        serving = [state.champion]
        if state.is_running and state.challenger:
            serving.append(state.challenger)
            self._try(state.challenger)
        self._withdraw([self._pinned[pin].identity for pin in serving if pin in self._pinned])

    def _try(self, challenger: Pin) -> None:
        if challenger in self._pinned:
            return
        try:
            self._pinned[challenger] = self._fetch(challenger, self._folder)
        except OcrkitError as error:
            if challenger not in self._complained:
                _LOG.warning("the champion reads instead of the challenger", extra={"reason": str(error)})
            self._complained.add(challenger)


def fetched(pin: Pin, folder: Path) -> Pinned:
    """The model of a version, from a release where one has it, else from the registry, once.

    Raises:
        OcrkitError: it is another engine, or cannot be fetched.
    """
    if pin.is_engine:
        raise OcrkitError(f"{pin} does not read in the service's jails, which know ocrkit's own models only.")
    registered = _digest(pin)
    model = rollout.packaged(pin, folder)[1]
    if registered and identity(model) != registered:  # it was fetched from another registry
        shutil.rmtree(rollout.package_folder(pin, folder))
        model = rollout.packaged(pin, folder)[1]
    digest = identity(model)
    released = [card.parent for card in released_folder().glob(f"*/{CARD}") if identity(card.parent) == digest]
    model = (released or [model])[0]
    return Pinned(str(model.absolute()), model.name, digest, int(pin.version))


def _digest(pin: Pin) -> str:
    """Of a version's model, as the registry has it; empty where it does not answer."""
    try:
        return str(connect(setup.CHAMPION)[1].get_model_version(pin.name, pin.version).tags.get("digest", ""))
    except (MlflowException, OSError, OcrkitError):
        return ""
