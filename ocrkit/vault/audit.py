"""The log: who read which document for what, so that nobody can take an entry out again.

A line of `audit.jsonl` holds its number, the digest of the line before, and the entry, sealed: whoever lacks the log's
key sees how many entries there are, and nothing of them. `audit.head` says where the log ends, signed. So an edited,
deleted or moved line breaks the chain, and a cut tail contradicts the head; an older log put back with its older head
contradicts the runs in MLflow, which carry the heads of their day.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ocrkit.errors import BadVault
from ocrkit.vault import crypto
from ocrkit.vault.crypto import Tampered
from ocrkit.vault.store import StoreDown, write_synced

LOG, HEAD = "audit.jsonl", "audit.head"


@dataclass(frozen=True)
class Head:
    """Where a log ends.

    Attributes:
        count: of its entries.
        digest: SHA-256 of the last line.
        size: of the file, bytes.
        epoch: of the key table when it was signed.
    """

    count: int
    digest: str
    size: int
    epoch: int

    def payload(self, vault: str) -> bytes:
        """What is signed."""
        return _canonical({"vault": vault, **vars(self)})


@dataclass(frozen=True)
class Broken:
    """The first place where a log is not what was written.

    Attributes:
        line: its number, from 1; one past the end where lines are missing there; 0 for the head.
        reason: what is the matter, as the end of a sentence.
    """

    line: int
    reason: str

    def __str__(self) -> str:
        return f"{f'Line {self.line} of {LOG}' if self.line else HEAD} {self.reason}."


class Log:
    """The log of the vault in `folder`.

    Args:
        folder: of the vault.
        vault: its id.
        public: key that proves its head.
        key: that opens entries; without it the chain can be verified and no more.
        signing_key: for new heads.
    """

    def __init__(
        self, folder: Path, vault: str, public: bytes, key: bytes | None = None, signing_key: bytes | None = None
    ) -> None:
        self._path, self._head_path = folder / LOG, folder / HEAD
        self._vault, self._public, self._key, self._signing_key = vault, public, key, signing_key

    def begin(self) -> None:
        """Make an empty log.

        Raises:
            StoreDown: it cannot be written.
        """
        write_synced(self._path, b"")
        self._write_head(Head(0, self._start, 0, 0))

    def head(self) -> Head:
        """Where the log ends.

        Raises:
            BadVault: it is missing.
            Tampered: its signature is not the vault's.
        """
        try:
            text = self._head_path.read_bytes()
        except OSError as error:
            raise BadVault(f"{self._head_path} cannot be read: {error.strerror}. Was the vault copied whole?") from None
        try:
            stored = json.loads(text)
            signature = bytes.fromhex(stored.pop("signature"))
            head = Head(**stored)
            # As it is written, to the byte: nothing about it may be changed without being seen.
            if crypto.is_signed(self._public, head.payload(self._vault), signature) and text == _signed(
                head, signature
            ):
                return head
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        raise Tampered(f"{self._head_path} is not what this vault signed.")

    def settle(self, epoch: int) -> Head:
        """The head, once it is the log's: a writer that was killed may have left lines behind it, and half a line.

        Lines that are whole were sealed by somebody who holds the key, and count; half a line is taken off.

        Raises:
            Tampered: the log is shorter than its head says, or what is behind it is no part of it.
            StoreDown: the log cannot be written.
        """
        head = self.head()
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(head.size)
                behind = file.read()
        except OSError as error:
            raise BadVault(f"{self._path} cannot be read: {error.strerror}. Was the vault copied whole?") from None
        if size < head.size:
            raise Tampered(f"{self._path} was cut: it has {size} bytes, and its head is that of {head.size}.")
        if not behind and head.epoch == epoch:
            return head
        lines, half = behind.split(b"\n")[:-1], behind.rpartition(b"\n")[2]
        count, digest = head.count, head.digest
        for line in lines:
            count += 1
            self._opened(line, count, digest)
            digest = hashlib.sha256(line).hexdigest()
        if half:
            self._truncate(size - len(half))
        return self._write_head(Head(count, digest, size - len(half), epoch))

    def append(self, entries: Sequence[Mapping[str, Any]], epoch: int) -> Head:
        """Write entries, each with the time; they are safe once this returns. Only with the vault's lock.

        Raises:
            Tampered: as `settle`.
            StoreDown: the log cannot be written; then nothing of it counts.
        """
        if self._key is None:
            raise BadVault("A log is written with the vault's keys only.")
        head = self.settle(epoch)
        count, digest, lines = head.count, head.digest, b""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for entry in entries:
            count += 1
            body = crypto.seal(self._key, _canonical({"time": now, **entry}), self._about(count, digest))
            line = _canonical({"body": base64.b64encode(body).decode(), "n": count, "prev": digest})
            digest = hashlib.sha256(line).hexdigest()
            lines += line + b"\n"
        try:
            with self._path.open("ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreDown(f"{self._path} cannot be written: {error.strerror}. Nothing is read unlogged.") from None
        return self._write_head(Head(count, digest, head.size + len(lines), epoch))

    def entries(self) -> Iterator[dict[str, Any]]:
        """All entries, opened, each with its number `n`.

        Raises:
            Tampered: at the first line that is not what was written.
        """
        digest = self._start
        for number, line in enumerate(self._lines(), 1):
            yield {"n": number, **self._opened(line, number, digest)}
            digest = hashlib.sha256(line).hexdigest()

    def verify(self, witnesses: Iterable[tuple[int, str]] = ()) -> Broken | None:
        """The first place where the log is not what was written; `None` where all of it is.

        Args:
            witnesses: counts and digests that heads had at other times, as records outside the vault tell.
        """
        try:
            head, lines, rest = self.head(), self._lines(), self._rest()
        except BadVault as error:
            return Broken(0, f"cannot be trusted: {error}".rstrip("."))
        seen = dict(witnesses)
        digest = self._start
        for number, line in enumerate(lines, 1):
            broken = self._fault(line, number, digest)
            digest = hashlib.sha256(line).hexdigest()
            if not broken and seen.pop(number, digest) != digest:
                broken = "is not the one that a run outside the vault was recorded with"
            if not broken and number == head.count and digest != head.digest:
                broken = "is not the last one that was signed"
            if broken:
                return Broken(number, broken)
        end = len(lines) + 1
        ways = {
            f"is missing: the head is signed for {head.count} entries": len(lines) < head.count,
            "is behind the signed head: the vault's keys tell whether it is real": self._key is None
            and len(lines) > head.count,
            "is half a line: what writes the log next takes it off": bool(rest),
            f"is missing: a run outside the vault was recorded at entry {max(seen, default=0)}": bool(seen),
        }
        return next((Broken(end, reason) for reason, holds in ways.items() if holds), None)

    @property
    def _start(self) -> str:
        return hashlib.sha256(self._vault.encode()).hexdigest()

    def _about(self, number: int, previous: str) -> str:
        return f"{self._vault}|log|{number}|{previous}"

    def _lines(self) -> list[bytes]:
        try:
            return self._path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise BadVault(f"{self._path} cannot be read: {error.strerror}. Was the vault copied whole?") from None

    def _rest(self) -> bytes:
        return self._path.read_bytes().rpartition(b"\n")[2]

    def _fault(self, line: bytes, number: int, previous: str) -> str:
        """What is wrong with a line, as the end of a sentence; empty where nothing is."""
        try:
            stored = json.loads(line)
            body = base64.b64decode(stored["body"], validate=True)
            if stored["n"] != number:
                return f"stands in the place of entry {number} and is entry {stored['n']}"
            if stored["prev"] != previous:
                return "does not follow the one before it, which was changed, moved or taken out"
            if line != _canonical({"body": base64.b64encode(body).decode(), "n": number, "prev": previous}):
                return "was written anew"
        except (ValueError, TypeError, KeyError, AttributeError):
            return "is no entry"
        if self._key is not None:
            try:
                crypto.unseal(self._key, body, self._about(number, previous))
            except Tampered:
                return "was not written with the vault's key"
        return ""

    def _opened(self, line: bytes, number: int, previous: str) -> dict[str, Any]:
        if self._key is None:
            raise BadVault("Entries of the log open with the vault's keys only.")
        if broken := self._fault(line, number, previous):
            raise Tampered(str(Broken(number, broken)))
        body = base64.b64decode(json.loads(line)["body"])
        return dict(json.loads(crypto.unseal(self._key, body, self._about(number, previous))))

    def _truncate(self, size: int) -> None:
        try:
            with self._path.open("r+b") as file:
                file.truncate(size)
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreDown(f"{self._path} cannot be written: {error.strerror}.") from None

    def _write_head(self, head: Head) -> Head:
        if self._signing_key is None:
            raise BadVault("A log's head is signed with the vault's keys only.")
        signature = crypto.sign(self._signing_key, head.payload(self._vault))
        write_synced(self._head_path, _signed(head, signature))
        return head


def _signed(head: Head, signature: bytes) -> bytes:
    return _canonical({**vars(head), "signature": signature.hex()}) + b"\n"


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
