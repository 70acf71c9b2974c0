"""A vault to try things on, pages to put into it, and what is done to vaults on purpose.

A little of the latter is done in every run of the tests, and all of it in tests/hard.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterable
from datetime import date
from itertools import count, permutations
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from ocrkit.errors import BadVault
from ocrkit.vault import Consent, Donated, Tampered, Vault, crypto, new_identity, verify_closed
from ocrkit.vault.public import roster_of

WORD = "zqxjcanary"  # stands on no page but donated ones


def consent(donor: str, *uses: str, **more) -> Consent:
    allowed = uses or ("train", "evaluate", "label")
    return Consent(donor=donor, uses=allowed, wording_sha256="0" * 64, **{"given": date(2026, 1, 1), **more})


class Lab:
    """A vault's folder, its identity, and what is in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.identity = root, root / "vault", root / "identity"
        Vault.create(self.folder, "ann", new_identity(self.identity), contact="privacy@example.org")

    def open(self) -> Vault:
        return Vault.open(self.folder, self.identity)

    def add(self, donor: str, *uses: str, pages: int = 2, **more) -> list[str]:
        documents = [Donated(f"{donor}-{i}.png", f"page {i} of {donor}".encode() * 20, b"{}") for i in range(pages)]
        with self.open() as vault:
            return vault.add(donor, documents, consent(donor, *uses, **more))


def draw_page(words: list[str], seed: int = 0) -> tuple[np.ndarray, list[dict]]:
    """A page with words on it, and their labels."""
    image, labels, x, y = np.full((420, 420), 255, np.uint8), [], 10, 40
    for word in words:
        (width, _), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
        if x + width > 350:
            x, y = 10, y + 45
        cv2.putText(image, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
        labels.append({"text": word, "quad": [[x, y - 22], [x + width, y - 22], [x + width, y + 8], [x, y + 8]]})
        x += width + 20
    return image, labels


def write_pages(folder: Path, count: int, words: list[str]) -> None:
    """A folder of labelled pages in the form `phone`."""
    folder.mkdir()
    for number in range(count):
        image, labels = draw_page([*words, f"page{number}"])
        cv2.imwrite(str(folder / f"p{number}.png"), image)
        (folder / f"p{number}.json").write_text(json.dumps({"words": labels}))


def manipulations(lab: Any, most: int) -> int:
    """Change objects in every way there is, each way so often that there are at most `most`; all must be refused."""
    with lab.open() as vault:
        vault.relabel({vault.grant("train", "x")[0]: b"second labels"}, "so that there are two versions")
        whole = {path.name: path for path in (lab.folder / "objects").rglob("*") if path.is_file()}
        contents = {name: path.read_bytes() for name, path in whole.items()}
        table = vault._fresh()
        placed = {
            (name, kind): blob
            for donor in table.donors.values()
            for name, document in donor.documents.items()
            for kind, blob in document.blobs.items()
        }
        tried = 0

        def refused(name: str, kind: str, content: bytes) -> None:
            nonlocal tried
            path = whole[placed[name, kind]]
            path.write_bytes(content)
            try:
                vault.fetch(name, kind)
            except Tampered:
                tried += 1
            else:
                raise AssertionError(f"{kind} of {name} was delivered, changed")
            finally:
                path.write_bytes(contents[path.name])

        vault.grant("train", "x")
        for (name, kind), (other, its_kind) in permutations(placed, 2):  # swapped, also page for labels
            refused(name, kind, contents[placed[other, its_kind]])
        first = vault.grant("train", "x")[0]
        key = table.donors["one"].key
        for about in ("", vault._about(first, "labels", 1), f"{vault.id}|{first}|labels|3", f"x|{first}|labels|2"):
            replayed = crypto.seal(bytes.fromhex(key), b"an older version", about)
            refused(first, "labels", replayed)
        rounds = 0
        while tried < most:
            for name, kind in placed:
                content = contents[placed[name, kind]]
                at = rounds % len(content)
                flipped = bytes([content[at] ^ (1 << rounds % 8)])
                refused(name, kind, content[:at] + flipped + content[at + 1 :])  # in the end every byte
                refused(name, kind, content[:at])  # cut at the end
                refused(name, kind, content[at + 1 :])  # cut at the start
                refused(name, kind, content + bytes(rounds + 1))
            rounds += 1
        assert vault.verify().faults == ()
        return tried


def single_edits(lab: Any, with_keys: bool, r: Random, lines: Iterable[int], bytes_a_line: int) -> int:
    """Edit the log in one place in every way there is; `verify` must find each at its line or before the next."""
    log, head = lab.folder / "audit.jsonl", lab.folder / "audit.head"
    whole, signed = log.read_bytes(), head.read_bytes()
    rows = whole.splitlines(keepends=True)
    tried = 0
    vault = lab.open()

    def found(line: int, content: bytes, what: str) -> None:
        nonlocal tried
        log.write_bytes(content)
        broken = vault._log.verify() if with_keys else verify_closed(lab.folder)
        assert broken, f"line {line}: {what}"
        assert broken.line in (line, line + 1), f"line {line}: {what}: {broken}"
        tried += 1

    for line in lines:
        before, row, after = b"".join(rows[: line - 1]), rows[line - 1], b"".join(rows[line:])
        places = range(len(row)) if bytes_a_line >= len(row) else r.sample(range(len(row)), bytes_a_line)
        for at in places:
            flipped = bytes([row[at] ^ (1 << r.randrange(8))])
            found(line, before + row[:at] + flipped + row[at + 1 :] + after, f"byte {at}")
        found(line, before + after, "taken out")
        found(line, before + row + row + after, "twice")
        found(line, before + b"\n" + row + after, "an empty line before it")
        found(line, before, "cut here")
        found(line, before + row[: len(row) // 2], "cut in the middle")
        if line < len(rows):
            found(line, before + rows[line] + row + b"".join(rows[line + 1 :]), "changed places")
    log.write_bytes(whole)
    for at in range(len(signed)):
        head.write_bytes(signed[:at] + bytes([signed[at] ^ (1 << r.randrange(8))]) + signed[at + 1 :])
        broken = verify_closed(lab.folder)
        assert broken, f"byte {at} of the head"
        assert broken.line == 0
        tried += 1
    head.write_bytes(signed)
    assert verify_closed(lab.folder) is None
    return tried


TASKS = {
    "add": lambda v: v.add("new", [Donated(f"{i}.png", b"page" * 9, b"{}") for i in range(3)], consent("new")),
    "add more": lambda v: v.add("there", [Donated(f"{i}.png", b"page", b"{}") for i in range(14)], consent("there")),
    "withdraw": lambda v: v.withdraw("there"),
    "invite": lambda v: v.invite("bob", next(iter(v.members.values()))),
    "relabel": lambda v: v.relabel({next(iter(v.donors["there"].documents)): b"new labels"}, "reason"),
    "read": lambda v: list(v.read("train", "reason")),
}


def state(vault: Any) -> Any:
    """What is in a vault, but for names and times given by chance."""
    donors = {
        name: (
            donor.key is None,
            len(donor.documents),
            len(donor.withdrawn),
            [d.version for d in donor.documents.values()],
        )
        for name, donor in vault.donors.items()
    }
    return donors, sorted(vault.members)


def killed_at(lab: Any, task: str, points: Iterable[int] | None = None) -> int:
    """Kill a process that does `task` before or after its n-th sync, for each of `points` or all there are.

    Afterwards the vault must be as before or as after, with log and roster to match, and every object readable.

    Returns:
        How many processes were killed.
    """
    kept = lab.root / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(lab.folder, kept)
    with lab.open() as vault:
        before = state(vault)
        entries = len(list(vault.log()))
        TASKS[task](vault)
        after = state(vault)
        whole_entries = len(list(vault.log())) - entries
    killed = 0
    for point in count() if points is None else sorted(points):
        shutil.rmtree(lab.folder)
        shutil.copytree(kept, lab.folder)
        if not _killed(lab, task, point):
            break
        killed += 1
        with lab.open() as vault:
            now = state(vault)
            assert now in (before, after), f"{task}, point {point}: half done"
            new = len(list(vault.log())) - entries
            if before != after:
                assert new == (whole_entries if now == after else 0), f"{task}, point {point}: log and table differ"
            assert roster_of(vault._fresh()) == (lab.folder / "roster.json").read_bytes()
            found = vault.verify()
            assert found.faults == (), f"{task}, point {point}: {found.faults}"
            assert len(list(vault.read("train", "after all"))) == sum(len(d.documents) for d in vault.donors.values())
    shutil.rmtree(lab.folder)
    shutil.copytree(kept, lab.folder)
    return killed


def _killed(lab: Any, task: str, point: int) -> bool:
    """Whether a child that does `task` was killed at `point`: an even one is before a sync, an odd one after it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, f"{task} failed by itself"
        return os.WIFSIGNALED(status)
    code = 1
    try:
        with lab.open() as vault:
            real, syncs = os.fsync, 0

            def sync(handle: int) -> None:
                nonlocal syncs
                if syncs == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                real(handle)
                if syncs + 1 == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                syncs += 2

            os.fsync = sync
            TASKS[task](vault)
        code = 0
    except BadVault:
        code = 2
    finally:
        os._exit(code)
