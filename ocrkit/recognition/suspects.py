"""Labels that may be wrong, found by a recogniser and decided on by a person.

A network that has learnt from enough right labels disagrees with the wrong ones: what it finds far likelier than the
label is shown to somebody who keeps, fixes or drops the label. The decisions are a file of their own, `decisions.csv`
beside the labels, which are never changed.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.datasets import Sample
from ocrkit.datasets.write import write_table
from ocrkit.document import counted
from ocrkit.errors import BadDataset, BadLabel
from ocrkit.files import write_whole
from ocrkit.html import picture, render
from ocrkit.origin import made
from ocrkit.recognition.align import align, evidence_against, log_probabilities
from ocrkit.recognition.decode import greedy_texts
from ocrkit.recognition.recognizer import Recognizer

DECISIONS = "decisions.csv"
_COLUMNS = ("id", "decision", "new_label", "label", "reading", "evidence", "document")
_TEMPLATE = Path(__file__).with_name("suspects.html")
_CHUNK = 512  # crops whose outputs are held at a time


@dataclass(frozen=True, eq=False)
class Suspect:
    """A sample whose label is doubted.

    Attributes:
        reading: what the network reads instead.
        evidence: see `evidence_against`; infinite for a label that the network cannot emit at all.
    """

    sample: Sample
    reading: str
    evidence: float


def sample_id(sample: Sample) -> str:
    """Twelve figures that stand for a sample's pixels, label and document, wherever it is stored."""
    digest = hashlib.sha256(repr((sample.image.shape, sample.text, sample.document)).encode())
    digest.update(sample.image.tobytes())
    return digest.hexdigest()[:12]


def find_suspects(samples: Sequence[Sample], recognizer: Recognizer) -> list[Suspect]:
    """Samples that are read otherwise than labelled, the most doubtful label first."""
    suspects = []
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK]
        for sample, logits in zip(chunk, recognizer.logits([sample.image for sample in chunk])):
            reading = greedy_texts(logits[None], recognizer.alphabet)[0]
            if reading != sample.text:
                suspects.append(Suspect(sample, reading, _evidence(logits, sample.text, recognizer.alphabet)))
    return sorted(suspects, key=lambda suspect: -suspect.evidence)


def _evidence(logits: np.ndarray, label: str, alphabet: Alphabet) -> float:
    log_probs = log_probabilities(logits)
    try:
        alignment = align(log_probs, [(number,) for number in alphabet.encode(label).tolist()])
    except BadLabel:  # characters it does not know, or more than its time steps
        return float("inf")
    return evidence_against(log_probs, alignment)


# --- what a person sees and decides -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """What is to become of a label: `keep`, `fix` (to `new_label`) or `drop`."""

    decision: str
    new_label: str = ""


def write_page(suspects: Sequence[Suspect], path: Path, folder: Path) -> None:
    """Write an HTML page on which a person looks at the crops, decides, and saves `DECISIONS`.

    Args:
        suspects: to be shown.
        path: of the page.
        folder: of the labels, where the decisions are obeyed.

    Raises:
        OcrkitError: it cannot be written.
    """
    rows = _rows(suspects)
    shown = [
        dict(zip(_COLUMNS, row)) | {"picture": picture(suspect.sample.image)} for row, suspect in zip(rows, suspects)
    ]
    title = f"{counted(len(suspects), 'label')} to look at"
    place = f"in {folder.resolve()}"
    if (folder / DECISIONS).exists() and folder.resolve() != path.parent.resolve():
        place += ", its rows below those of the table that lies there already"
    page = render(
        _TEMPLATE, title, made(), suspects=shown, rows=rows, columns=_COLUMNS, decisions=DECISIONS, place=place
    )
    write_whole(path, page)


def write_decisions(suspects: Iterable[Suspect], path: Path) -> None:
    """Write the table that a person fills in; every decision is `keep` to begin with.

    Raises:
        OcrkitError: it cannot be written.
    """
    write_table(path, _COLUMNS, _rows(suspects))


def _rows(suspects: Iterable[Suspect]) -> list[tuple[str, ...]]:
    """The table of decisions, by `_COLUMNS`, before anything is decided."""
    return [
        (sample_id(s.sample), "keep", "", s.sample.text, s.reading, f"{s.evidence:.1f}", s.sample.document)
        for s in suspects
    ]


def read_decisions(path: Path) -> dict[str, Decision]:
    """The decisions of a file by sample id; none where there is no such file.

    Raises:
        BadDataset: it cannot be read, or a row decides nothing that can be done.
    """
    if not path.exists():
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise BadDataset(f"{path} cannot be read as a UTF-8 table: {error}.") from None
    decisions = {}
    for number, row in enumerate(rows, 2):
        decision = Decision((row.get("decision") or "").strip().lower(), (row.get("new_label") or "").strip())
        if not row.get("id") or decision.decision not in ("keep", "fix", "drop"):
            raise BadDataset(f"Line {number} of {path} needs an id and a decision: keep, fix or drop.")
        if decision.decision == "fix" and not decision.new_label:
            raise BadDataset(f"Line {number} of {path} says fix, but has no new_label.")
        decisions[row["id"]] = decision
    return decisions


def decided(samples: Iterable[Sample], decisions: dict[str, Decision]) -> list[Sample]:
    """The samples with the decisions carried out: labels fixed, dropped ones left out."""
    kept = []
    for sample in samples:
        decision = decisions.get(sample_id(sample), Decision("keep"))
        if decision.decision == "fix":
            kept.append(replace(sample, text=decision.new_label))
        elif decision.decision == "keep":
            kept.append(sample)
    return kept
