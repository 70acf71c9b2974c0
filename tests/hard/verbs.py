"""The verbs that write, each with tiny inputs; how they are called, watched, and what they leave."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mutation import pictures, project
from small import SIZE

from ocrkit.datasets.sample import Sample
from ocrkit.datasets.write import write_crops
from ocrkit.files import checksum, make_folder
from ocrkit.recognition.model import CARD, read_card, verified
from ocrkit.record import Record, Step, save_steps
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import audit, font_files, font_folders, save_verdicts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIMIT_S = 600.0  # of a call that takes seconds where the machine has nothing else to do
_GONE_S = 120.0  # within which the processes of a killed call must be gone
_FONTS = ("Lato-Regular.ttf", "Manrope-Regular.ttf", "Caladea-Regular.ttf")  # to train, validate and test with
_WORDS = ("total", "cash", "change", "date", "Paris", "12", "9.90", "No.")


# --- inputs -----------------------------------------------------------------------------------------------------------


def make_inputs(folder: Path) -> Path:
    """Write pages, labelled ones, crops, books, fonts and answered tasks into `folder`."""
    folder.mkdir(parents=True)
    made = pictures()
    for name in ("one", "two", "three"):
        (folder / f"{name}.png").write_bytes(made["png"])
    (folder / "letter.pdf").write_bytes(made["pdf-text"])
    (folder / "consent.toml").write_text(f'uses = ["train"]\nwording_sha256 = "{"0" * 64}"\ngiven = 2026-01-01\n')
    lines = make_folder(folder / "lines")
    for number in range(3):
        (lines / f"p{number}.png").write_bytes(made["png"])
        quads = [[[5, y], [150, y], [150, y + 35], [5, y + 35]] for y in (8, 48)]
        labels = [{"text": text, "quad": quad} for text, quad in zip(("Hello", "world 42"), quads)]
        (lines / f"p{number}.json").write_text(json.dumps({"lines": labels}))
    texts = ("TOTAL", "CASH", "12.50", "GST", "ok")
    samples = [Sample(_drawn(texts[i % 5]), texts[i % 5], "", f"page {i // 5}") for i in range(30)]
    write_crops(samples, folder / "crops")
    books = make_folder(folder / "books")
    for number in range(1, 5):
        (books / f"pg{number}.txt").write_text(f"The Project Gutenberg eBook {number}\n{'A sentence. ' * 99}\n")
    Vocabulary(_WORDS, *[_WORDS] * 6).save(folder / "vocabulary.json")
    fonts = make_folder(folder / "fonts")
    for path, _ in font_files(font_folders(["packages"])):
        if path.name in _FONTS:
            shutil.copy(path, fonts)
    save_verdicts(audit(font_folders([str(fonts)])), folder / "fonts.json")
    record = Record("one", {"words": 7}, {"stage": "train"}, {}, {"swa": 0.5}, "FINISHED", 1e9, 1e9 + 9)
    record.save(folder / "recorded")
    save_steps(folder / "recorded", [Step(number, 1e9 + number, {"loss": 1 / number}) for number in range(1, 9)])
    subprocess.run([sys.executable, "-c", _ANSWERED, "crops", "jobs.db"], check=True, cwd=folder, env=environment())
    return folder


# By a process of its own: TensorFlow stays out of the one that tests.
_UNTRAINED = "import sys; import small; small.shrink(); small.save_untrained(sys.argv[1])"

# A job whose tasks three people have answered, no two alike.
_ANSWERED = """
import sys
from pathlib import Path
from ocrkit.datasets import load_crops
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.order import Reading
from ocrkit.labelling.simulate import answer_all
from ocrkit.labelling.tasks import word_tasks
from ocrkit.labelling.templates import load_template
samples = load_crops(Path(sys.argv[1]))[:8]
tasks = word_tasks(samples, [Reading(sample.text, 0.5) for sample in samples], "random", None, 7, [], [])
with Store(Path(sys.argv[2]), make=True) as store:
    template = load_template("transcribe").model_copy(update={"redundancy": 3})
    job = store.add_job("words", template, tasks, sys.argv[1], "crops")
    truths = {task.key: sample.text for task, sample in zip(tasks, samples)}
    answer_all(store, job, truths, {"ann": 1.0, "bob": 0.0, "cem": 0.0})
"""

# Two stores of runs: one with a champion, and a comparison that a challenger wins; and one in which that challenger is
# in shadow, with the evidence that lets it up.
_CHALLENGED = """
import json, shutil
from pathlib import Path
from ocrkit.experiment import setup
from ocrkit.experiment.kept import connect
from ocrkit.recognition.model import find_model, identity
from ocrkit.rollout import Numbers, Observation
from ocrkit.rollout.ledger import pseudonym
from ocrkit.studies.registry import Registry
from ocrkit.studies.rollout import Rollouts
experiment, client = connect(setup.CHAMPION)
Registry(client, experiment).champion()
models = {"old": find_model(None), "new": find_model("fast-synthetic")}
real, gain = {"data": "real"}, {"f1": 0.04, "f1_low": 0.02, "f1_high": 0.06}
Path("comparison.json").write_text(json.dumps({
    "engines": [{"engine": name, "model": identity(folder)} for name, folder in models.items()],
    "scores": [{**real, "category": "all", "engine": name, "pages": 99, "f1": 0.8} for name in models],
    "costs": [{**real, "engine": name, "seconds_per_page": 0.1} for name in models],
    "differences": [{**real, "category": "all", "engine": "new", "against": "old", **gain}],
}))
shutil.copy("mlflow.db", "champion.db")
rollouts = Rollouts(Path("data/rollout"))
state = rollouts.start("fast-synthetic")
numbers = Numbers(0.2, words=30, confidence=0.9, letter_height=12.0)
for number in range(60):
    name = pseudonym(state.salt, str(number))
    seen = Observation(name, 0, "receipt", "champion", numbers, numbers, 3, float(number))
    rollouts.ledger.observe(state.salt, seen)
    rollouts.ledger.judge(state.salt, name, "receipt", 1 if number % 4 else -1, float(number))
"""


def _drawn(text: str) -> np.ndarray:
    image = np.full((32, 18 * len(text) + 12), 230, np.uint8)
    cv2.putText(image, text, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 30, 2)
    return image


def environment() -> dict[str, str]:
    """Of processes that run this source tree; what trains has two threads, as their order must not matter."""
    few = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2"}
    return {**os.environ, **few, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "TF_CPP_MIN_LOG_LEVEL": "3"}


# --- what is left -----------------------------------------------------------------------------------------------------


_MADE_ON = re.compile(rb'\d+ \w+ \d{4}, \d\d:\d\d UTC|"date": "[0-9-]{10}"')


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder` and the SHA-256 of what it holds, but for the day and minute; folders by a slash."""
    return {
        f"{path.relative_to(folder)}{'/' if path.is_dir() else ''}": "" if path.is_dir() else _digest(path)
        for path in sorted(folder.rglob("*"))
    }


def _digest(path: Path) -> str:
    if path.suffix not in (".html", ".json"):
        return checksum(path)
    return hashlib.sha256(_MADE_ON.sub(b"", path.read_bytes())).hexdigest()


def is_hidden(name: str) -> bool:
    """Whether nobody sees it who does not look for it, and it is no note of what was read, which is kept."""
    parts = Path(name).parts
    if ".ocrkit" in parts:
        return not ("records" in parts or parts[-1] == ".ocrkit")
    return any(part.startswith(".") for part in parts)


def flaw_of(path: Path) -> str:
    """Why what a file holds cannot be the whole of it; empty where it can."""
    try:
        if path.suffix in _OF_MODELS:
            path = path.with_name(CARD)
        _PARSERS[path.suffix](path.read_bytes())
        if path.name == CARD:
            for name in read_card(path.parent)["files"]:
                verified(path.parent, name)
    except KeyError:
        return "nothing is known of such files"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _picture(data: bytes) -> None:
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None, "no picture"
    assert data.rstrip(b"\0").endswith((b"IEND\xaeB`\x82", b"\xff\xd9")), "its end is missing"


def _archive(data: bytes) -> None:
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


def _table(data: bytes) -> None:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows, "empty"
    assert data.endswith(b"\n"), "cut short"
    assert len(set(map(len, rows))) == 1, "rows of several lengths"


def _text(data: bytes) -> None:
    assert data.decode().endswith("\n"), "cut short"


def _lines(data: bytes) -> None:
    assert not data or data.endswith(b"\n"), "cut short"
    for line in data.decode().splitlines():
        json.loads(line)


def _ends(*ends: bytes) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        assert data.rstrip().endswith(ends), "its end is missing"

    return check


_OF_MODELS = (".bin", ".h5", ".onnx", ".tflite")  # of which the card has the checksums
_PARSERS: dict[str, Callable[[bytes], object]] = {
    ".json": lambda data: json.loads(data.decode()),
    ".jsonl": _lines,
    ".png": _picture,
    ".jpg": _picture,
    ".npz": _archive,
    ".csv": _table,
    ".html": _ends(b"</html>"),
    ".pdf": _ends(b"%%EOF"),
    ".txt": _text,
    ".zip": _archive,
    ".md": _ends(b"\n", b".", b"|", b"`"),
    ".db": lambda data: None,
}


# --- verbs ------------------------------------------------------------------------------------------------------------

Command = Callable[[Path, Path], Sequence[str | Path]]


@dataclass(frozen=True)
class Verb:
    """A verb with its options.

    Attributes:
        name: as its test is called.
        command: what is called, for the inputs and the folder that it is called in.
        is_done: whether nothing is left to do in a folder, so that it would be refused; else it is simply called again.
        heavy: it trains, or needs what trains.
        prepare: makes what it needs in the folder that it is called in, of the inputs.
        look: what is compared of that which two calls leave; where names and bytes differ by chance, not all files.
    """

    name: str
    command: Command
    is_done: Callable[[Path], bool] = lambda folder: False
    heavy: bool = False
    prepare: Callable[[Path, Path], object] = lambda i, folder: None
    look: Callable[[Path], dict[str, str]] = tree


def _synth(verb: str, i: Path, *more: str) -> Sequence[str | Path]:
    return ["synth", verb, "--fonts", i / "fonts", "--vocabulary", i / "vocabulary.json", "--split", "all", *more]


def _labelled(i: Path, *command: str) -> Sequence[str | Path]:
    """A command of labelled pages: its first words, then the folder, then its options."""
    at = next(number for number, word in enumerate(command) if word == "PAGES")
    return [*command[:at], i / "lines", "--form", "sroie", *command[at + 1 :]]


def _words(i: Path) -> Sequence[str | Path]:
    return ["--from", i / "crops", "--form", "crops", "--order", "confidence"]


def _train(i: Path, folder: Path) -> Sequence[str | Path]:
    resumed = ["--resume"] if (folder / "run" / "state.npz").exists() else []
    few = ["--words", "96", "--batch-size", "16", "--validation-words", "20", "--validate-every", "1", "--workers", "0"]
    return ["train", "run", "--size", SIZE, *few, "--fonts", i / "fonts", *resumed]


def _finetune(i: Path, folder: Path) -> Sequence[str | Path]:
    resumed = ["--resume"] if any((folder / "tuned").glob("*/state.npz")) else []
    few = ["--epochs", "1", "--batch-size", "32", "--held-out", "0.4", "--seeds", "2", "--patience", "0"]
    places = ["--load", i / _MODEL, "--fonts", i / "fonts", "-o", "tuned"]
    return ["finetune", i / "crops", "--form", "crops", *places, *few, *resumed]


def _init(folder: Path) -> Sequence[str | Path]:
    key: Sequence[str | Path] = ("--new-identity", "identity")
    if (folder / "identity").exists():  # an earlier call came so far: then its public key is given
        key = ("--key", (folder / "identity").read_text("utf-8").split()[3])
    return ["vault", "init", "--member", "ann", *key]


def _made(name: str) -> Callable[[Path], bool]:
    """A path says, by being there, that all is done."""
    return lambda folder: (folder / name).exists()


def _project(folder: Path) -> Path:
    for name, (data, _) in project().items():
        (make_folder(folder) / name).write_bytes(data)
    return folder


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy(source, target)


@cache
def _gate_of(i: Path) -> Path:
    subprocess.run([sys.executable, "-c", _CHALLENGED], check=True, cwd=_project(i / "gate"), env=environment())
    return i / "gate"


def _gate(i: Path, folder: Path, store: str) -> None:
    """A project of which some runs and models are there."""
    _project(folder)
    shutil.copy(_gate_of(i) / store, folder / "mlflow.db")
    shutil.copytree(_gate_of(i) / "mlartifacts", folder / "mlartifacts", copy_function=_linked)
    if store == "mlflow.db":
        shutil.copytree(_gate_of(i) / "data", folder / "data")


@cache
def _made_trained(i: Path) -> None:
    trained = i / "trained"
    subprocess.run([sys.executable, "-c", _UNTRAINED, trained / "model"], check=True, env=environment())
    for name in ("vocabulary.json", "fonts.json"):
        shutil.copy(i / name, trained)


def _trained(i: Path, folder: Path) -> None:
    """Nothing in the folder, but a model that has learnt nothing among the inputs."""
    _made_trained(i)


def _answered(i: Path, folder: Path) -> None:
    shutil.copy(i / "jobs.db", make_folder(folder / "labelling"))


def _asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a database says, which must be whole; nothing where it has no tables yet."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return []
        return opened.execute(query).fetchall()


def _besides(folder: Path, *databases: str) -> dict[str, str]:
    """All files but databases, of which SQLite keeps what is not settled yet in files beside them."""
    its = {f"{name}{end}" for name in databases for end in ("", "-wal", "-shm", "-journal")}
    return {name: digest for name, digest in tree(folder).items() if name not in its}


_JOBS, _QUEUE, _INDEX = "labelling/jobs.db", "service/queue.db", "service/index.db"
_TASKS = "SELECT name, (SELECT count(*) FROM tasks WHERE job = jobs.id) FROM jobs"


def _jobs(folder: Path) -> dict[str, str]:
    found = _besides(folder, _JOBS)
    found |= {f"job {name}": f"{count} tasks" for name, count in _asked(folder / _JOBS, _TASKS)}
    return found | {
        f"person {name}": state for name, state in _asked(folder / _JOBS, "SELECT name, state FROM workers")
    }


def _has_job(name: str) -> Callable[[Path], bool]:
    return lambda folder: any(job == name for job, _ in _asked(folder / _JOBS, _TASKS))


def _vault(folder: Path) -> dict[str, str]:
    """A vault, which must be whole and opened by its key, and what is left for the next call to tidy."""
    from ocrkit.vault import keys, read_about, read_roster, verify_closed

    found = {name: "" for name in tree(folder) if name.endswith(".part")}
    if not _made("vault/vault.json")(folder):
        return found
    vault = folder / "vault"
    table = keys.load(vault / keys.TABLE, keys.find_identity(vault, folder / "identity"))
    assert table.vault == read_roster(vault)["vault"] == read_about(vault)["vault"]
    if broken := verify_closed(vault):  # what the next call must make good: an entry not signed yet, or half of one
        assert "behind the signed head" in broken.reason or "half a line" in broken.reason, broken
        found[".log"] = broken.reason
    return found | {"vault": ""}


@cache
def _made_by(i: Path, name: str, *commands: tuple[str, ...]) -> Path:
    """A folder beside the inputs in which these commands were called, once."""
    folder = make_folder(i.parent / name)
    for command in commands:
        words = [sys.executable, "-m", "ocrkit", *(word.format(inputs=i) for word in command)]
        subprocess.run(words, check=True, cwd=folder, env=environment(), capture_output=True)
    return folder


_OWN_KEY = ("--identity", "identity")
_SERVED = (("submit", "{inputs}/one.png", "{inputs}/letter.pdf"), ("queue", "drain", "--jails", "1", "--no-jail"))
_DONATED = (
    ("vault", "init", "--member", "ann", "--new-identity", "identity"),
    ("vault", "add", "{inputs}/one.png", "--keep", *_OWN_KEY, "--donor", "one", "--consent", "{inputs}/consent.toml"),
)


def _served(i: Path, folder: Path) -> None:
    """A store of the reading service with two documents that were read."""
    shutil.copytree(_made_by(i, "served", *_SERVED), folder, dirs_exist_ok=True)


def _given_up(i: Path, folder: Path) -> None:
    """The same, as if none could be read."""
    _served(i, folder)
    with closing(sqlite3.connect(folder / _QUEUE)) as queue, queue:
        queue.execute("UPDATE job SET state = 'dead'")


def _donated(i: Path, folder: Path) -> None:
    """A vault with a page."""
    shutil.copytree(_made_by(i, "donated", *_DONATED), folder, dirs_exist_ok=True)


def _first_job(folder: Path) -> str:
    return next((identity for (identity,) in _asked(folder / _QUEUE, "SELECT id FROM job ORDER BY name")), "none")


def _is_forgotten(folder: Path) -> bool:
    return len(_asked(folder / _QUEUE, "SELECT id FROM job")) < 2


def _kept_by_service(folder: Path) -> dict[str, str]:
    """Jobs, documents and results, and of which of them pages can be found."""
    indexed = _asked(folder / _INDEX, "SELECT DISTINCT document FROM page")
    jobs = _asked(folder / _QUEUE, "SELECT name, state FROM job ORDER BY name")
    files = _besides(folder, _QUEUE, _INDEX)
    return files | {f"page of {name}": "" for (name,) in indexed} | {f"job {name}": state for name, state in jobs}


def _about_donor(folder: Path) -> dict[str, str]:
    """The vault, and what was written for the donor, which names the day."""
    found = {name: "" for name in tree(folder) if not name.startswith("vault/")}
    for name in found:
        flaw = "" if is_hidden(name) or name == "identity" else flaw_of(folder / name)
        assert not flaw, f"{name} is half-written: {flaw}"
    return found | _vault(folder)


def _handed_in(folder: Path) -> dict[str, str]:
    """Jobs and documents; uploads that broke off are swept by whoever serves, once they are an hour old."""
    jobs = _asked(folder / _QUEUE, "SELECT name, state FROM job ORDER BY name")
    files = _besides(folder, _QUEUE)
    kept = {name: digest for name, digest in files.items() if not name.startswith("service/incoming/tmp")}
    return kept | {f"job {name}": state for name, state in jobs}


_RUNS = (
    "SELECT name, count(*) FROM runs WHERE status = '{}' AND lifecycle_stage = 'active' AND name IS NOT NULL "
    "GROUP BY name"
)
_PENDING = "SELECT DISTINCT name FROM logged_models WHERE status = 1"  # as MLflow counts what a model may be
_VERSIONS = "SELECT name, version FROM model_versions"
_ALIASES = "SELECT alias, name, version FROM registered_model_aliases ORDER BY alias"


def _collected(folder: Path) -> dict[str, str]:
    """The runs that are there whole, and those that are not."""
    runs = _asked(folder / "mlflow.db", _RUNS.format("FINISHED"))
    return {f"run {name}": "" for name, _ in runs} | _unseen(folder)


def _unseen(folder: Path) -> dict[str, str]:
    """What a kill may leave and the next call must end: hidden files, and runs that are open for ever."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")
    found = {name: "" for name in names if is_hidden(name)}
    if any(folder.glob("scratch/unsent/*")):  # said, and kept there for `ocrkit runs import`, which ends the run
        return found
    return found | {f".open run {name}": "" for name, _ in _asked(folder / "mlflow.db", _RUNS.format("RUNNING"))}


def _champions(folder: Path) -> dict[str, str]:
    """The versions of the registered models, and the aliases that stand at each."""
    store = folder / "mlflow.db"
    found = {f"{name} {version}": "" for name, version in _asked(store, _VERSIONS)}
    for alias, name, version in _asked(store, _ALIASES):
        found[f"{name} {version}"] += f"{alias} "
    for name, aliases in list(found.items()):
        if aliases == "challenger champion ":  # killed between the two: the next call takes the first away
            found |= {name: "champion ", f".challenger {name}": ""}
    pending = _asked(store, _PENDING)
    return found | {f".half-logged {name}": "" for (name,) in pending} | _unseen(folder)


def _is_champion(folder: Path) -> bool:
    return _champions(folder).get("ocrkit-reader 2") == "champion "


def _rollout(folder: Path) -> dict[str, str]:
    """The same, and how the rollout stands."""
    found = _champions(folder)
    for (value,) in _asked(folder / "mlflow.db", "SELECT value FROM registered_model_tags WHERE key = 'rollout'"):
        state = json.loads(value)
        found["rollout"] = f"{state['step']} {state['outcome']}"
        for name in [name for name in found if found[name] == "challenger " and state["outcome"] == "stopped"]:
            found |= {name: "", f".challenger {name}": ""}  # killed before that was taken away: the next move does it
    return found


def _imported(folder: Path) -> dict[str, str]:
    """The runs of the store that are there whole, those that are not yet, and what lies beside it unseen."""
    found = _unseen(folder)
    if not (folder / "mlflow.db").exists():
        return found
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        runs = store.execute("SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active'").fetchall()
        whole = [run for (run,) in store.execute("SELECT run_uuid FROM tags WHERE key = 'record.digest'")]
        for run, name in runs:
            tables = ("metrics", "params", "tags")
            counts = [store.execute(f"SELECT count(*) FROM {t} WHERE run_uuid = ?", (run,)).fetchone() for t in tables]
            if run in whole:
                found[f"run {name}"] = f"{counts}, {len(runs)} runs in all"
    return found


def _convert(i: Path, *more: str) -> Sequence[str | Path]:
    return ["convert", i / _MODEL, "other", "--words", "20", *more]


_MODEL = Path("trained", "model")
_SEVERAL = ("one.png", "two.png", "three.png", "letter.pdf")
_SHARDS = ("--out", "words", "--words", "120", "--shard-size", "8")
_TABLES = ("--verdicts", "v.json", "--table", "t.csv")
VERBS = [
    Verb("read", lambda i, _: ["read", i / "one.png", "-o", "out.json", "--force"]),
    Verb("read-several", lambda i, _: ["read", *map(i.joinpath, _SEVERAL), "-o", "out/", "--format", "pdf", "--force"]),
    Verb("read-folder", lambda i, _: ["read", i / "lines", "-o", "out/", "--jobs", "2"]),
    Verb("read-one-pdf", lambda i, _: ["read", i / "lines", "--one-pdf", "all.pdf", "--jobs", "2", "--force"]),
    Verb("scan", lambda i, _: ["scan", i / "one.png", "-o", "page.png", "--force"]),
    Verb("synth-words", lambda i, _: _synth("words", i, *_SHARDS)),
    Verb("synth-words-by-two", lambda i, _: _synth("words", i, *_SHARDS, "--workers", "2")),
    Verb("synth-pages", lambda i, _: _synth("pages", i, "pages", "--count", "3")),
    Verb("synth-preview", lambda i, _: _synth("preview", i, "-o", "sheet.png", "--rows", "2")),
    Verb("synth-fonts", lambda i, _: ["synth", "fonts", "--fonts", i / "fonts", *_TABLES]),
    Verb("data-words", lambda i, _: _labelled(i, "data", "words", "PAGES", "-o", "cut", "--test"), _made("cut")),
    Verb(
        "data-suspects",
        lambda i, _: ["data", "suspects", i / "crops", "--form", "crops", "-o", "seen"],
        _made("seen/decisions.csv"),
    ),
    Verb("data-fetch", lambda i, _: ["data", "fetch", "gutenberg", "books", "--ids", "1,2,3,4", "--from", i / "books"]),
    Verb("evaluate", lambda i, _: ["evaluate", "fast-print", i / "crops", "--form", "crops", "-o", "report"]),
    Verb("compare", lambda i, _: _labelled(i, "compare", "PAGES", "--engines", "ours", "-o", "b.html", "-o", "b.json")),
    Verb("benchmark-photos", lambda i, _: _labelled(i, "benchmark", "photos", "PAGES", "--photos", "2", "-o", "worst")),
    Verb("label-new", lambda i, _: ["label", "new", "mine", *_words(i)], _has_job("mine"), look=_jobs),
    Verb("label-invite", lambda i, _: ["label", "invite", "dan"], prepare=_answered, look=_jobs),
    Verb("label-worker", lambda i, _: ["label", "worker", "bob", "paused"], prepare=_answered, look=_jobs),
    Verb(
        "label-adjudicate",
        lambda i, _: ["label", "collect", "words", "--adjudicate", "again"],
        _has_job("again"),
        prepare=_answered,
        look=_jobs,
    ),
    Verb(
        "label-export",
        lambda i, _: ["label", "export", "words", "-o", "labels", "--unsure"],
        _made("labels"),
        prepare=_answered,
        look=_jobs,
    ),
    Verb("vault-init", lambda _, folder: _init(folder), _made("vault/vault.json"), look=_vault),
    Verb(
        "vault-audit",
        lambda i, _: ["vault", "audit", *_OWN_KEY, "--donor", "one", "-o", "page.html", "--force"],
        prepare=_donated,
        look=_about_donor,
    ),
    Verb(
        "vault-export-donor",
        lambda i, _: ["vault", "export-donor", "one", *_OWN_KEY, "-o", "donor.zip", "--force"],
        prepare=_donated,
        look=_about_donor,
    ),
    Verb("submit", lambda i, _: ["submit", *map(i.joinpath, _SEVERAL)], look=_handed_in),
    Verb(
        "search",
        lambda i, _: ["search", "world", "--image", "hit.png", "--force"],
        prepare=_served,
        look=_kept_by_service,
    ),
    Verb("queue-retry", lambda i, _: ["queue", "retry"], prepare=_given_up, look=_kept_by_service),
    Verb(
        "queue-forget",
        lambda i, folder: ["queue", "forget", _first_job(folder)],
        _is_forgotten,
        prepare=_served,
        look=_kept_by_service,
    ),
    Verb(
        "convert-litert",
        lambda i, _: _convert(i, "--to", "litert"),
        _made("other"),
        heavy=True,
        prepare=_trained,
    ),
    Verb(
        "convert-int8",
        lambda i, _: _convert(i, "--to", "int8", "--calibration", "20"),
        _made("other"),
        heavy=True,
        prepare=_trained,
    ),
    Verb(
        "release",
        lambda i, _: ["release", i / "trained", "mine", "--into", "all", "--synthetic", "20", "--replace"],
        heavy=True,
        prepare=_trained,
    ),
    Verb("train", _train, heavy=True),
    Verb("finetune", _finetune, heavy=True, prepare=_trained),
    Verb(
        "runs-import",
        lambda i, _: ["runs", "import", i / "recorded"],
        heavy=True,
        prepare=lambda i, folder: _project(folder),
        look=_imported,
    ),
    Verb(
        "label-collect",
        lambda i, _: ["label", "collect", "words", "--jobs", i / "jobs.db"],
        heavy=True,
        prepare=lambda i, folder: _gate(i, folder, "champion.db"),
        look=_collected,
    ),
    Verb(
        "promote",
        lambda i, _: ["promote", "fast-synthetic", "--comparison", i / "gate" / "comparison.json"],
        _is_champion,
        heavy=True,
        prepare=lambda i, folder: _gate(i, folder, "champion.db"),
        look=_champions,
    ),
    Verb(
        "rollout-start",
        lambda i, _: ["rollout", "start", "fast-synthetic"],
        lambda folder: "rollout" in _rollout(folder),
        heavy=True,
        prepare=lambda i, folder: _gate(i, folder, "champion.db"),
        look=_rollout,
    ),
    Verb(
        "rollout-step",
        lambda i, _: ["rollout", "step"],
        heavy=True,
        prepare=lambda i, folder: _gate(i, folder, "mlflow.db"),
        look=_rollout,
    ),
    Verb(
        "rollout-stop",
        lambda i, _: ["rollout", "stop"],
        lambda folder: _rollout(folder)["rollout"].endswith(" stopped"),
        heavy=True,
        prepare=lambda i, folder: _gate(i, folder, "mlflow.db"),
        look=_rollout,
    ),
]


# --- calls ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        status: negative for a signal, `None` for one that took too long.
        said: what it printed.
        writing_s: from its first change of the disk to its end, where it was not killed.
        cpu_s: processor time.
        events: times that it changed the disk.
        mark: by which its processes are known.
    """

    status: int | None
    said: str
    writing_s: float
    cpu_s: float
    events: int
    mark: str

    @property
    def faults(self) -> list[str]:
        """What no call may do, whatever became of it."""
        found = ["it took too long"] if self.status is None else []
        return found + (["a traceback"] if "Traceback" in self.said else [])


class Warm:
    """The process of `warm.py`; see there."""

    def __init__(self, folder: Path, heavy: bool) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        verbs = sorted({verb.command(folder, folder)[0] for verb in VERBS if heavy or not verb.heavy})
        command = [sys.executable, str(HERE / "warm.py"), json.dumps(verbs)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, **pipes)
        assert self._process.stdout
        assert json.loads(self._process.stdout.readline()) == "ready"

    def call(self, commands: Sequence[Sequence[str | Path]], folders: Sequence[Path], **fault: Any) -> list[Ended]:
        """Call verbs at once, each in its folder, and wait for all of them."""
        calls = []
        for command, folder in zip(commands, folders):
            mark = secrets.token_hex(8)
            temporary = self._folder / f"temporary-{mark}"
            temporary.mkdir()
            output = self._folder / f"output-{mark}"
            call = {"command": list(map(str, command)), "folder": str(folder), "output": str(output), "mark": mark}
            calls.append({**call, "temporary": str(temporary), "limit_s": LIMIT_S, **fault})
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(calls), file=self._process.stdin, flush=True)
        answers = json.loads(self._process.stdout.readline())
        return [self._told(call) for call in answers]

    def _told(self, call: dict[str, Any]) -> Ended:
        output, events = Path(call["output"]), Path(f"{call['output']}.events")
        said = output.read_text("utf-8", "replace") if output.exists() else ""
        noted = events.read_text() if events.exists() else ""  # empty where it was killed at the end
        count, writing_s = json.loads(noted or "[0, 0]")
        return Ended(call["status"], said, writing_s, call["cpu_s"], count, call["mark"])

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def left_running(mark: str, within_s: float = _GONE_S) -> list[str]:
    """Processes that a call started and that are there still after some seconds."""
    until = time.monotonic() + within_s
    while there := [pid for pid in filter(str.isdigit, os.listdir("/proc")) if _has_mark(pid, mark)]:
        if time.monotonic() > until:
            return [_command_line(pid) for pid in there]
        time.sleep(0.1)
    return []


def _has_mark(pid: str, mark: str) -> bool:
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:200]
    except OSError:
        return pid
