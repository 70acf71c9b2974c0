"""The gate between challenger and champion: what it asks, what a comparison shows, and a record of both."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocrkit.errors import BadParams
from ocrkit.experiment import params, setup, track
from ocrkit.experiment.kept import alone, connect
from ocrkit.metrics import Interval
from ocrkit.recognition.model import identity
from ocrkit.rollout import Check
from ocrkit.studies import donated
from ocrkit.studies.figures import Outcome, decisions
from ocrkit.studies.registry import REGISTRY, Registry
from ocrkit.studies.rollout import state_of
from ocrkit.studies.sections import SECTIONS, Promote

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

_ALL, _REAL = "all", "real"
_PASSED = "passed"
_BROKEN = "gate.broken"  # tag of a decision's run: the rules that the challenger did not keep
_MOST_DECISIONS = 12  # of the chart


@dataclass(frozen=True)
class Decision:
    """What came of a challenge.

    Attributes:
        champion: name and version that was in use until then.
        challenger: name and version that was to replace it.
        checks: all rules of the gate.
    """

    champion: str
    challenger: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every rule is kept."""
        return not self.broken

    @property
    def broken(self) -> list[Check]:
        """The rules that are not kept."""
        return [check for check in self.checks if not check.passed]

    @property
    def sentence(self) -> str:
        """The outcome for people, with the reason of a refusal."""
        if self.passed:
            return f"{self.challenger} is the champion now, in place of {self.champion}."
        why = "; ".join(f"{check.rule}: {check.finding}" for check in self.broken)
        return f"{self.challenger} is refused and {self.champion} stays champion. Rules not kept: {why}."


def promote(folder: Path, comparison: Path) -> Decision:
    """Let the model in `folder` challenge the champion of MLflow's registry.

    Both are registered where they are not yet. The aliases move only when all checks pass; a run in the experiment
    `Champion` and tags of both versions say why or why not. In the comparison the models are known by what they read
    with, so that no folder that was renamed or written over is judged by another model's figures.

    Args:
        folder: of the model.
        comparison: figures as `ocrkit.engines.compare.Comparison.to_dict` gives them, of which `judge` takes some.

    Raises:
        BadParams: the comparison is missing, is of something else, or lacks the figures.
        BadModel: `folder` holds no model, or one that learnt from documents which were withdrawn.
        StoreDown: the registry does not answer.
    """
    donated.check_consent(folder)  # before anything of it is registered
    gate = params.params("promote", SECTIONS)
    figures = _read(comparison)
    experiment, client = connect(setup.CHAMPION)
    registry = Registry(client, experiment)
    with alone(REGISTRY):
        return _challenged(registry, folder, comparison, figures, gate)


def _challenged(
    registry: Registry, folder: Path, comparison: Path, figures: Mapping[str, Any], gate: Promote
) -> Decision:
    client = registry.client
    running = state_of(client, registry)
    if running.is_running:
        raise BadParams(f"A rollout of {running.challenger} runs: let it end, or `ocrkit rollout stop` first.")
    registry.settle()
    digest = identity(folder)  # told before anything is registered
    champion = registry.champion()
    if champion.tags["digest"] == digest:
        raise BadParams(f"{folder} holds the very model that is the champion already.")
    names = [
        _compared_as(figures, champion.tags["digest"], f"the champion, {_called(champion)}", comparison),
        _compared_as(figures, digest, f"{folder} as it is now", comparison),
    ]
    challenger = registry.challenger(folder)
    decision = Decision(_called(champion), _called(challenger), tuple(judge(figures, names[0], names[1], gate)))

    run = track.start(
        "promote",
        gate,
        name=f"{challenger.tags['model']} against {champion.tags['model']}",
        experiment=setup.CHAMPION,
        source="ocrkit/studies/promote.py",
    )
    run.log_params({"champion": decision.champion, "challenger": decision.challenger})
    run.log_input("comparison", comparison)
    run.log_artifact(comparison)
    run.log_metrics(_metrics(figures, *names))
    columns = ("rule", "passed", "finding")
    run.log_table("gate", {name: [getattr(check, name) for check in decision.checks] for name in columns})
    run.describe(_told(decision))
    run.client.set_tag(run.id, "gate", _outcome(decision))
    run.client.set_tag(run.id, _BROKEN, "; ".join(check.rule for check in decision.broken))
    registry.note(challenger, decision.sentence, {"gate": _outcome(decision), "gate.run": run.id})
    if decision.passed:
        registry.crown()  # last, so that whoever is killed before can do all of it again
    run.log_figure("decisions", decisions(_outcomes(client, registry.experiment), "gain in F1 on all real pages"))
    run.close("FINISHED")
    return decision


def judge(figures: Mapping[str, Any], champion: str, challenger: str, gate: Promote) -> Iterator[Check]:
    """Each rule of the gate on the real pages of a comparison.

    Args:
        figures: `differences`, `scores` and `costs`, lists of rows.
        champion: its name in the comparison.
        challenger: its name in the comparison.
        gate: the limits.

    Raises:
        BadParams: the comparison has no real pages that both read.
    """
    pages = max((row["pages"] for row in figures["scores"] if _is_real(row, champion)), default=0)
    yield Check("enough pages", pages >= gate.pages, f"{pages} real pages, {gate.pages} are asked for")
    gains = dict(_gains(figures, champion, challenger))
    if _ALL not in gains:
        raise BadParams(f"The comparison has no real pages that both {champion} and {challenger} have read.")
    whole, low, high = gains.pop(_ALL)
    sure = low is not None and low > gate.gain
    yield Check("better overall", sure, f"F1 {_interval(whole, low, high)}, all of it must lie above {gate.gain:+.3f}")
    for category, (value, low, high) in gains.items():
        kept = high is None or high >= -gate.loss
        yield Check(f"not worse on {category}", kept, f"F1 {_interval(value, low, high)}")
    mine, theirs = (_seconds(figures, name) for name in (challenger, champion))
    finding = f"{mine:.3f} s a page, the champion {theirs:.3f} s, at most {gate.slower:g} times that"
    yield Check("not slower", mine <= gate.slower * theirs, finding)


def _read(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_text("utf-8"))
        missing = [name for name in ("engines", "scores", "costs", "differences") if name not in figures]
    except (OSError, ValueError, TypeError) as error:
        raise BadParams(f"{path} is no comparison: {error}.") from None
    if missing:
        raise BadParams(
            f"{path} lacks {' and '.join(missing)}: write it with `ocrkit compare FOLDER --model CHAMPION "
            f"--model CHALLENGER -o FILE.json`."
        )
    return dict(figures)


def _compared_as(figures: Mapping[str, Any], digest: str, what: str, comparison: Path) -> str:
    """The name in the comparison of the engine that reads with the model of that digest."""
    names = [row["engine"] for row in figures["engines"] if row.get("model") == digest]
    if not names:
        raise BadParams(f"No engine of {comparison} reads with {what}: compare both by `ocrkit compare` first.")
    return str(names[0])


def _called(version: ModelVersion) -> str:
    return f"{version.tags['model']} (version {version.version})"


def _outcome(decision: Decision) -> str:
    return _PASSED if decision.passed else "refused"


def _is_real(row: Mapping[str, Any], engine: str) -> bool:
    return bool(row["engine"] == engine and row["data"] == _REAL)


def _gains(
    figures: Mapping[str, Any], champion: str, challenger: str
) -> Iterator[tuple[str, tuple[float, float | None, float | None]]]:
    """The challenger's gain in F1 by category with its interval, whichever of the two was written first."""
    for row in figures["differences"]:
        pair, gain = (row["engine"], row["against"]), (row["f1"], row["f1_low"], row["f1_high"])
        if row["data"] == _REAL and pair == (challenger, champion):
            yield row["category"], gain
        elif row["data"] == _REAL and pair == (champion, challenger):
            value, high, low = (None if number is None else -number for number in gain)
            yield row["category"], (value, low, high)  # type: ignore[misc]  # only the bounds may be missing


def _seconds(figures: Mapping[str, Any], engine: str) -> float:
    return float(next(row["seconds_per_page"] for row in figures["costs"] if _is_real(row, engine)))


def _interval(value: float, low: float | None, high: float | None) -> str:
    bounds = "too few pages for an interval" if low is None or high is None else f"{low:+.3f} to {high:+.3f}"
    return f"{value:+.3f} ({bounds})"


def _metrics(figures: Mapping[str, Any], champion: str, challenger: str) -> dict[str, Any]:
    """The numbers of the decision, by the same names in every run."""
    gains = {
        category: {"gain": value, "gain_low": low, "gain_high": high}
        for category, (value, low, high) in _gains(figures, champion, challenger)
    }
    f1 = {
        role: {row["category"]: row["f1"] for row in figures["scores"] if _is_real(row, name)}
        for role, name in (("champion", champion), ("challenger", challenger))
    }
    seconds = {role: _seconds(figures, name) for role, name in (("champion", champion), ("challenger", challenger))}
    return {"f1": f1 | {"gain": gains}, "seconds_per_page": seconds}


def _outcomes(client: MlflowClient, experiment: str) -> list[Outcome]:
    """The last decisions that the store has, the oldest first."""
    latest = client.search_runs([experiment], "tags.stage = 'promote'", max_results=_MOST_DECISIONS)
    return [_outcome_of(run) for run in reversed(latest) if "gate" in run.data.tags]


def _outcome_of(run: Run) -> Outcome:
    def number(name: str) -> float:
        return float(run.data.metrics.get(name, run.data.params.get(name, math.nan)))

    champion_s = number("seconds_per_page.champion")

    return Outcome(
        name=run.info.run_name,
        when=time.strftime("%d %b %Y %H:%M", time.localtime(run.info.start_time / 1000)),
        passed=run.data.tags["gate"] == _PASSED,
        broken=run.data.tags.get(_BROKEN, ""),
        gain=Interval(*(number(f"f1.gain.{_ALL}.{name}") for name in ("gain", "gain_low", "gain_high"))),
        least_gain=number("gain"),
        times=number("seconds_per_page.challenger") / champion_s if champion_s else math.nan,
        most_times=number("slower"),
    )


def _told(decision: Decision) -> str:
    """The decision as Markdown."""
    rows = "".join(f"| {'yes' if c.passed else '**no**'} | {c.rule} | {c.finding} |\n" for c in decision.checks)
    return f"{decision.sentence}\n\n| kept | rule | what was found |\n|---|---|---|\n{rows}"
