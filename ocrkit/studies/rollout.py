"""A rollout in MLflow's registry: its state is one tag, its moves are runs, its end moves the aliases.

Whoever serves reads the tag as a whole and pins version numbers by it, so nobody can serve by half of a move. Whatever
a process that was killed left behind, the next move settles first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlflow.exceptions import MlflowException

from ocrkit import privacy
from ocrkit.datasets import LabelledPage, book_page
from ocrkit.document import Image, Page
from ocrkit.engines.base import Engine, EngineFailed, refuse_private
from ocrkit.engines.compare import score_page
from ocrkit.engines.packaged import PackagedEngine
from ocrkit.engines.process import EngineProcess
from ocrkit.engines.registry import ENGINES, load_engine, missing_engines
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import params, paths, setup, track
from ocrkit.experiment.kept import StoreDown, alone, close_left, connect, is_down, is_left
from ocrkit.files import make_folder, whole_folder
from ocrkit.labelling.jobs import Job, NewTask, Store
from ocrkit.recognition.model import CARD, find_model
from ocrkit.rollout import Check, Follower, Gate, Ledger, Move, Numbers, Observation, Pin, Policy, State, decide
from ocrkit.rollout.ledger import kind_of, pseudonym
from ocrkit.rollout.state import ENGINE, BadState, percent
from ocrkit.studies.disagreements import (
    MOST_STRIPS,
    Strip,
    disagreements,
    keep_strips,
    load_strips,
    strips_of,
    strips_of_job,
    tasks_of,
    verified,
)
from ocrkit.studies.figures import evidence, readings_sheet
from ocrkit.studies.registry import CHALLENGER, CHAMPION, REGISTRY, Registry
from ocrkit.studies.sections import SECTIONS, Rollout
from ocrkit.studies.traffic import evidence_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LOGGER = logging.getLogger(__name__)
TAG = "rollout"  # of the registered reader: the state, as one text
STAGE = "rollout"  # of the runs
_NICE = 19  # of second readings
_LONGEST_MOVE_S = 300.0
_FOLLOW_S = 30.0
_ALIKE = 1e-9  # F1


class Moved(OcrkitError):
    """Somebody else moved the rollout at the same time."""


@dataclass(frozen=True)
class Judged:
    """What came of reading labelled documents with both."""

    documents: int
    new: int
    better: int
    worse: int


class Rollouts:
    """The rollout of the store of this project: what stands, and what moves it.

    Args:
        folder: of the ledger.

    Raises:
        StoreDown: MLflow's store does not answer; so do all methods.
        BadState: what stands there is no state of a rollout that this version knows; so do all methods.
        BadParams: the section `rollout` of params.yaml cannot be followed.
    """

    def __init__(self, folder: Path) -> None:
        self.options: Rollout = params.params("rollout", SECTIONS)
        self.policy: Policy = self.options.policy
        experiment, self._client = connect(setup.CHAMPION)
        self._experiment, self._folder = experiment, folder
        self.registry = Registry(self._client, experiment)
        self.ledger = Ledger(folder)

    def state(self) -> State:
        """How things stand; where no rollout runs, the champion is what the alias says."""
        return state_of(self._client, self.registry)

    def start(self, challenger: str) -> State:
        """Begin in shadow.

        Args:
            challenger: a released model's name or a model's folder; `version:N` of the registered reader; or
                `engine:NAME`, another engine.

        Raises:
            BadParams: a rollout runs already, or it is the champion, or it does not load; nothing moves then.
        """
        with self._moving() as state:
            if state.is_running:
                raise BadParams(f"A rollout of {state.challenger} runs already: `ocrkit rollout stop` ends it.")
            pin = self._pin(challenger)
            if pin == state.champion:
                raise BadParams(f"{challenger} is the champion already.")
            _try(self.load, pin)
            salt = sha256(f"{self.options.seed}/{state.epoch}/{state.champion}/{pin}".encode()).hexdigest()[:16]
            new = State(state.epoch + 1, state.champion, pin, 0, self.policy.shares, salt, time.time(), by=track.user())
            return self._move(state, replace(new, reason=f"{pin} is tried against {state.champion}."), ())

    def step(self) -> tuple[State, Move]:
        """Do what the policy says now: up, stay, or stop.

        Raises:
            BadParams: no rollout runs.
        """
        with self._moving() as state:
            move = self.next(state)
            if move.to == "stay":
                return state, move
            if move.to == "stop":
                return self._move(state, state.stopped(time.time(), move.reason, track.user()), move.checks), move
            return self._move(state, state.up(time.time(), move.reason, track.user()), move.checks), move

    def stop(self, reason: str) -> State:
        """Give everything back to the champion at once.

        Raises:
            BadParams: no rollout runs.
        """
        with self._moving() as state:
            _check_runs(state)
            return self._move(state, state.stopped(time.time(), reason, track.user()), ())

    def next(self, state: State) -> Move:
        """What the policy says to a state, of which nothing is done.

        Raises:
            BadParams: no rollout runs.
        """
        _check_runs(state)
        p = self.policy
        seen = self.ledger.summary(state.salt, state.step, p.slower, p.drift_alpha)
        return decide(state, seen, p)

    def judge(self, pages: Iterable[LabelledPage]) -> Judged:
        """Read labelled pages with both, and keep who read each better: the evidence that lets a challenger up.

        Args:
            pages: that neither has learnt from; wrap them to show progress.

        Raises:
            BadParams: no rollout runs.
        """
        state = self.state()
        documents, outcomes = 0, []
        strips: list[Strip] = []
        for page, image, both in self._read_by_both(state, pages):
            f1 = {role: score_page(role, page, its.found, its.seconds).words.f1 for role, its in both.items()}
            gain = f1[CHALLENGER] - f1[CHAMPION]
            outcome = 0 if abs(gain) < _ALIKE else 1 if gain > 0 else -1
            if self._count(state, page, both, outcome):
                outcomes.append(outcome)
            if len(strips) < MOST_STRIPS and (read := _pages(both)):
                strips += strips_of(page, image, read)
            documents += 1
        keep_strips(self._strips(state), strips)
        return Judged(documents, len(outcomes), outcomes.count(1), outcomes.count(-1))

    def ask(self, pages: Iterable[LabelledPage], kind: str = "") -> tuple[list[NewTask], dict[str, Any]]:
        """Words that both read differently, as tasks for people, and what the job is to know: see `judge_job`.

        Documents on which both read the same are counted as alike at once, for nobody needs to look at them.

        Args:
            pages: with or without labels, that neither has learnt from; wrap them to show progress.
            kind: of document, where pages say none.

        Raises:
            BadParams: no rollout runs.
        """
        state = self.state()
        tasks: list[NewTask] = []
        for given, image, both in self._read_by_both(state, pages):
            page = replace(given, category=kind) if kind and given.category == "other" else given
            read = _pages(both)
            differing = disagreements(read[CHAMPION], read[CHALLENGER]) if read else []
            about = {"document": _document(state, page), "kind": kind_of(page.category)}
            its = tasks_of(page, image, differing, about)
            self._count(state, page, both, None if its or not read else 0)
            tasks += its
        return tasks, {TAG: state.salt, CHAMPION: str(state.champion), CHALLENGER: str(state.challenger)}

    def judge_job(self, store: Store, job: Job) -> tuple[Judged, int]:
        """Keep what people said about the words of `ask`: who read more of a document's differing words right.

        Returns:
            What came of it, and how many documents wait for answers.

        Raises:
            BadParams: no rollout runs, or the job is about another one.
        """
        state = self.state()
        _check_runs(state)
        if job.about.get(TAG) != state.salt:
            raise BadParams(f"The job {job.name} is not about this rollout: `ocrkit rollout ask` makes one that is.")
        told, waiting = verified(store, job)
        new = [it.outcome for it in told if self.ledger.judge(state.salt, it.document, it.kind, it.outcome)]
        keep_strips(self._strips(state), strips_of_job(store, job))
        return Judged(len(told), len(new), new.count(1), new.count(-1)), waiting

    def _read_by_both(
        self, state: State, pages: Iterable[LabelledPage]
    ) -> Iterator[tuple[LabelledPage, Image, dict[str, _Read]]]:
        """Each page as champion and challenger read it; donated ones are given to no engine that lets them out."""
        _check_runs(state)
        assert state.challenger is not None
        pins = {CHAMPION: state.champion, CHALLENGER: state.challenger}
        engines: dict[str, Engine] = {}
        try:
            for role, pin in pins.items():
                engines[role] = self.load(pin, "shadow")
            foreign = [engine for role, engine in engines.items() if pins[role].is_engine]
            for page in pages:
                refuse_private(foreign, page.private)
                image = page.image()
                yield page, image, {role: _read(engine, image) for role, engine in engines.items()}
        finally:
            for engine in engines.values():
                engine.close()  # type: ignore[attr-defined]  # both kinds of `load` have it

    def _count(self, state: State, page: LabelledPage, both: dict[str, _Read], outcome: int | None) -> bool:
        """Keep the numbers of a page that both have read and, if known, who read it better; whether that is new."""
        numbers = {role: its.numbers for role, its in both.items()}
        differing = abs(numbers[CHAMPION].words - numbers[CHALLENGER].words)
        name, kind = _document(state, page), kind_of(page.category)
        seen = Observation(name, state.step, kind, "champion", numbers[CHAMPION], numbers[CHALLENGER], differing)
        self.ledger.observe(state.salt, seen)
        return outcome is not None and self.ledger.judge(state.salt, name, kind, outcome)

    def _strips(self, state: State) -> Path:
        """Where pictures of disagreements lie until the next move."""
        return self._folder / "strips" / f"{state.salt}-{state.step}.json"

    def load(self, pin: Pin, role: Literal["serve", "shadow"]) -> Engine:
        """As the function of that name."""
        return load(pin, role, self._folder, self.policy.timeout_s)

    def _pin(self, challenger: str) -> Pin:
        from ocrkit.studies.served import READER

        kind, _, name = challenger.partition(":")
        if kind == ENGINE:
            if name not in ENGINES or name == "ours":
                others = ", ".join(other for other in ENGINES if other != "ours")
                raise BadParams(f"There is no other engine {name!r}; choose among {others}.")
            if why := missing_engines([name]):
                raise BadParams(f"{name} cannot be used here: {why[name]}")
            return Pin(ENGINE, name)
        if kind == "version":
            try:
                return Pin(READER.name, str(self._client.get_model_version(READER.name, name).version))
            except MlflowException as error:
                if is_down(error):
                    raise
                raise BadParams(f"The registry has no version {name!r} of {READER.name}.") from None
        return Pin(READER.name, str(self.registry.challenger(find_model(challenger)).version))

    def _move(self, old: State, new: State, checks: tuple[Check, ...]) -> State:
        """Make `new` the state: the run that tells of it first, then the tag, which is the move, then the aliases."""
        from ocrkit.studies.served import READER

        tried = old.challenger if old.is_running else new.challenger
        name = f"{tried} {old.stage} to {new.stage}" if old.is_running else f"{tried} to {new.stage}"
        run = track.start(STAGE, self.options, name=name, experiment=setup.CHAMPION, source="ocrkit/studies/rollout.py")
        new = replace(new, run=run.id)
        try:
            self._client.set_registered_model_tag(READER.name, TAG, new.to_json())
            if self.state() != new:
                raise Moved(f"Somebody else moved the rollout at the same time; it stands at: {self.state().reason}")
            self._settle(new)
            with suppress(OcrkitError):  # a full disk loses a picture, not the move
                self.ledger.moved(new.salt, new.step, new.stage, new.outcome, new.reason, new.since)
            self._tell(run, old, new, checks)
        except BaseException:
            run.close("FAILED")
            raise
        run.close("FINISHED")
        return new

    def _tell(self, run: track.Run, old: State, new: State, checks: tuple[Check, ...]) -> None:
        """What the move's run shows: the reason, every rule, the numbers, and the picture of the evidence."""
        tried = old.challenger if old.is_running else new.challenger
        run.log_params({"champion": str(old.champion), "challenger": str(tried), "from": old.stage, "to": new.stage})
        run.log_params({"by": new.by, "epoch": new.epoch, "salt": new.salt})
        seen = self.ledger.summary(new.salt, new.step, self.policy.slower, self.policy.drift_alpha)
        both = {kind: asdict(tally) for kind, tally in seen.verdicts.items()}
        run.log_metrics({"share": new.share, "step": new.step, "documents": seen.kinds, "verdicts": both})
        rows = "".join(f"| {'yes' if c.passed else '**no**'} | {c.rule} | {c.finding} |\n" for c in checks)
        table = f"\n\n| kept | rule | what was found |\n|---|---|---|\n{rows}" if checks else ""
        run.describe(f"{told(new)} {new.reason}{table}")
        run.client.set_tag(run.id, "rollout.to", new.stage)
        if checks:
            columns = ("rule", "passed", "finding")
            run.log_table("rules", {name: [getattr(check, name) for check in checks] for name in columns})
        if self.ledger.verdicts(new.salt):
            run.log_figure("evidence", self.picture(new))
        strips = load_strips(self._strips(old)) if old.is_running and not privacy.is_open() else []
        if strips:
            readings = {name: [getattr(strip, name) for strip in strips] for name in ("champion", "challenger")}
            crops, truths = [strip.image for strip in strips], [strip.truth for strip in strips]
            run.log_figure("disagreements", readings_sheet(crops, truths, readings))

    def picture(self, state: State) -> Any:
        """The evidence and the guards over the steps of a rollout, as a figure."""
        return evidence(evidence_of(self.ledger, state.salt, self.policy))

    @contextmanager
    def _moving(self) -> Iterator[State]:
        """One mover at a time on this machine; what a killed one left behind is settled first."""
        with alone(REGISTRY):
            try:
                state = self.state()
                self._settle(state)
                yield state
            except MlflowException as error:
                if not is_down(error):
                    raise
                raise StoreDown(
                    f"MLflow's store {paths.tracking_uri()} went down on the way: see `ocrkit rollout status`."
                ) from None

    def _settle(self, state: State) -> None:
        """Make aliases and runs agree with the state, which alone is true."""
        if state.outcome == "won" and not state.champion.is_engine:
            self.registry.point(CHAMPION, state.champion.version)
        if state.epoch and state.is_running and state.challenger and not state.challenger.is_engine:
            self.registry.point(CHALLENGER, state.challenger.version)
        elif state.epoch:
            self.registry.forget(CHALLENGER)
        left = f"tags.stage = '{STAGE}' and attributes.status = 'RUNNING'"
        for run in self._client.search_runs([self._experiment], left):
            if run.info.run_id != state.run:
                close_left(self._client, run)
        if state.run:
            with suppress(MlflowException):
                run = self._client.get_run(state.run)
                is_late = time.time() - run.info.start_time / 1000 > _LONGEST_MOVE_S
                if is_left(run) or (is_late and run.info.status == "RUNNING"):
                    close_left(self._client, run, "FINISHED")  # the move was made


def state_of(client: MlflowClient, registry: Registry) -> State:
    """The state in a registry; see `Rollouts.state`."""
    from ocrkit.studies.served import READER

    champion = registry.champion()
    pin = Pin(READER.name, str(champion.version))
    text = client.get_registered_model(READER.name).tags.get(TAG)
    if text is None:
        return State(0, pin, None, 0, (0.0, 1.0), "", 0.0, "won", "No rollout has been yet.")
    state = State.from_json(text)
    if state.is_running or state.champion.is_engine or state.champion == pin:
        return state
    if state.outcome == "won" and float(champion.last_updated_timestamp or 0) < 1000 * state.since:
        return state  # its aliases are not settled yet
    return replace(state, champion=pin)  # `ocrkit promote` came later


def ask() -> State:
    """The state of this project's store as it stands now, as `ocrkit.rollout.Follower` asks for it.

    Raises:
        StoreDown: MLflow's store does not answer.
        BadState: what stands there is no state that this version knows.
    """
    experiment, client = connect(setup.CHAMPION)
    try:
        return state_of(client, Registry(client, experiment))
    except (MlflowException, OSError) as error:
        if not is_down(error):
            raise BadState(f"The registry's answer cannot be used: {error}.") from None
        raise StoreDown(f"MLflow's store {paths.tracking_uri()} does not answer.") from None


def load(pin: Pin, role: Literal["serve", "shadow"], folder: Path, timeout_s: float) -> Engine:
    """The engine of a pin, in a process of its own; one for second readings yields to all else.

    Args:
        pin: what is to read.
        role: what for.
        folder: in which versions are kept that were fetched from the registry.
        timeout_s: for a page.

    Raises:
        OcrkitError: it cannot be loaded.
    """
    nice = _NICE if role == "shadow" else 0
    if pin.is_engine:
        return EngineProcess(partial(_nicely, nice, pin.version), timeout_s)
    code, model = packaged(pin, folder)
    return PackagedEngine(code, model, timeout_s, nice)


def packaged(pin: Pin, folder: Path) -> tuple[Path, Path]:
    """The folders of a version's code and model, fetched from the registry once: a version never changes.

    Raises:
        OcrkitError: it cannot be fetched.
    """
    package = _package(pin, folder)
    models = list((package / "artifacts").glob(f"*/{CARD}"))
    if not models:
        raise OcrkitError(f"{pin} is a version without a model.")
    return package / "code", models[0].parent


def package_folder(pin: Pin, folder: Path) -> Path:
    """Where a version is kept that was fetched."""
    return folder / "versions" / f"{pin.name}-{pin.version}"


def _package(pin: Pin, folder: Path) -> Path:
    """The folder that MLflow packaged a version in, brought here once."""
    from mlflow.artifacts import download_artifacts

    here = package_folder(pin, folder)
    if here.is_dir():  # a version never changes
        return here
    try:
        with whole_folder(here) as part:
            uri = f"models:/{pin.name}/{pin.version}"
            download_artifacts(artifact_uri=uri, dst_path=str(part), tracking_uri=paths.tracking_uri())
    except (MlflowException, OSError) as error:
        raise OcrkitError(f"{pin} cannot be fetched from the registry: {error}.") from None
    return here


def open_gate(folder: Path, every_s: float = _FOLLOW_S) -> Gate:
    """What a service reads by: it follows the rollout of this project within `every_s` seconds.

    Where MLflow's store does not answer, the versions that were last pinned stay in use, over restarts too.

    Args:
        folder: of the ledger, and of what is remembered.
        every_s: how often the state is asked for.

    Raises:
        OcrkitError: nobody answers and nothing is remembered, or the champion cannot be loaded.
    """
    policy = params.params("rollout", SECTIONS).policy
    follower = Follower(ask, every_s, make_folder(folder) / "state.json")
    return Gate(follower, partial(load, folder=folder, timeout_s=policy.timeout_s), Ledger(folder), policy)


def told(state: State) -> str:
    """A state in a sentence."""
    if state.is_running:
        who = "nobody is served by it yet" if state.share == 0 else f"it serves {percent(state.share)} of the documents"
        return f"{state.challenger} is tried against {state.champion}, step {state.step} ({state.stage}): {who}."
    if state.outcome == "won" and state.epoch:
        return f"{state.champion} is the champion, for everybody."
    if state.epoch == 0:
        return f"{state.champion} is the champion."
    return f"{state.champion} is the champion; {state.challenger} was stopped."


def _check_runs(state: State) -> None:
    if not state.is_running:
        raise BadParams(f"No rollout runs. {told(state)} `ocrkit rollout start MODEL` begins one.")


def _try(load: Callable[[Pin, Literal["serve", "shadow"]], Engine], pin: Pin) -> None:
    """Let a challenger read one page before anything depends on it."""
    try:
        engine = load(pin, "serve")
        try:
            engine.read(book_page().image())
        finally:
            engine.close()  # type: ignore[attr-defined]
    except OcrkitError as error:
        raise BadParams(f"{pin} does not load or read, so nothing moves: {error}") from None


def _nicely(nice: int, name: str) -> Engine:
    import os

    os.nice(nice)
    return load_engine(name)


@dataclass(frozen=True)
class _Read:
    """What one reader made of a page: the page, or why there is none."""

    found: Page | str
    seconds: float

    @property
    def numbers(self) -> Numbers:
        if isinstance(self.found, str):
            return Numbers(self.seconds, failed=True)
        return Numbers.of(self.found, self.seconds)


def _read(engine: Engine, image: Image) -> _Read:
    begun = time.perf_counter()
    try:
        found: Page | str = engine.read(image)
    except EngineFailed as error:
        found = str(error)
    return _Read(found, time.perf_counter() - begun)


def _pages(both: dict[str, _Read]) -> dict[str, Page]:
    """The pages of both; nothing where one has failed."""
    pages = {role: its.found for role, its in both.items() if not isinstance(its.found, str)}
    return pages if len(pages) == len(both) else {}


def _document(state: State, page: LabelledPage) -> str:
    return pseudonym(state.salt, f"{page.source}/{page.id}")
