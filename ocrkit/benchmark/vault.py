"""What it costs to read pages through a vault rather than from plain files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from ocrkit.datasets import LabelledPage, load_pages
from ocrkit.datasets.vault import donated_pages
from ocrkit.files import make_folder
from ocrkit.vault import Consent, Vault, new_identity

_WARM_UP = 50  # pages, after which memory should not grow any more
_PLAIN, _SEALED = "plain", "sealed"


@dataclass(frozen=True)
class Cost:
    """Labels and pixels of the same pages from both places, the log included.

    Attributes:
        pages: that were read in a pass.
        plain_s: of the median pass, s of wall-clock time.
        vault_s: of the median pass.
        ratio: median over the rounds of the times of two passes, one after the other.
        cpu_ratio: the same of processor times.
        grown_mb: memory after the last page of all passes through the vault, less that after the first few pages.
        largest_mb: the largest page as pixels.
    """

    pages: int
    plain_s: float
    vault_s: float
    ratio: float
    cpu_ratio: float
    grown_mb: float
    largest_mb: float


def reading_cost(
    pages: Sequence[LabelledPage], count: int, rounds: int, scratch: Path, tick: Callable[[int], object]
) -> Cost:
    """Read `count` pages, those of `pages` again and again, from plain files and from a vault, by turns.

    Args:
        pages: with image files.
        count: pages in a pass; each has a file and an object of its own.
        rounds: passes through each, one of the two first in turn.
        scratch: an empty folder for both.
        tick: called after each pass.
    """
    plain, vault, identity = make_folder(scratch / _PLAIN), scratch / _SEALED, scratch / "identity"
    for number in range(count):
        _write(pages[number % len(pages)], plain, number)
    Vault.create(vault, "benchmark", new_identity(identity))
    os.environ["OCRKIT_VAULT_IDENTITY"] = str(identity)
    consent = Consent(donor="simulated", uses=("evaluate",), wording_sha256="0" * 64, given=date(2026, 1, 1))
    with Vault.open(vault, identity) as opened:
        opened.add("simulated", donated_pages(load_pages(plain, "phone")), consent)
    times: dict[str, list[tuple[float, float]]] = {"phone": [], "vault": []}
    places = {"phone": plain, "vault": vault}
    grown, largest, begun = 0.0, 0.0, 0.0
    for number in range(rounds + 1):  # the first one only fills the system's cache
        for form in sorted(places, reverse=bool(number % 2)):
            started, cpu = time.perf_counter(), time.process_time()
            for place, page in enumerate(load_pages(places[form], form)):
                largest = max(largest, page.image().nbytes / 2**20)
                if form == "vault" and place == _WARM_UP and not begun:
                    begun = _resident_mb()
            if number:
                times[form].append((time.perf_counter() - started, time.process_time() - cpu))
            if form == "vault":
                grown = _resident_mb() - begun
            tick(1)
    (plain_s, plain_cpu), (vault_s, vault_cpu) = (zip(*times[form]) for form in places)
    return Cost(
        count,
        median(plain_s),
        median(vault_s),
        median(b / a for a, b in zip(plain_s, vault_s)),
        median(b / a for a, b in zip(plain_cpu, vault_cpu)),
        grown,
        largest,
    )


def _write(page: LabelledPage, folder: Path, number: int) -> None:
    """A page's file and its labels, in the form `phone`."""
    assert page.path
    (folder / f"{number:06d}{page.path.suffix}").write_bytes(page.path.read_bytes())
    words = [{"text": word.text, "quad": word.quad.tolist()} for word in page.words or page.lines]
    (folder / f"{number:06d}.json").write_text(json.dumps({"words": words}), encoding="utf-8")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
