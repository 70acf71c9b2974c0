"""A vault: donated documents that are read in memory, for what their donors agreed to, and never without a trace.

    vault/
      vault.json      id, public key, where the objects lie, whom donors write to
      roster.json     ids of the objects and what they may be used for, and ids of those withdrawn: for git
      keys.age        the key table, see `ocrkit.vault.keys`: never in git, DVC or a place that keeps versions
      members/        identities encrypted by passphrases
      audit.jsonl     the log, see `ocrkit.vault.audit`, and audit.head
      objects/        sealed pages and labels by random names, or a bucket

Whatever changes a vault writes sealed objects first, then the key table, which alone decides what there is. The log
and the roster follow from it: the table carries the entries of its own change, and who opens the vault next writes what
a writer that was killed has left out.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ocrkit import privacy
from ocrkit.errors import BadVault, PrivateData, Withdrawn
from ocrkit.vault import crypto, keys
from ocrkit.vault.audit import HEAD, LOG, Head, Log
from ocrkit.vault.consent import USES, Consent, Use
from ocrkit.vault.crypto import Tampered
from ocrkit.vault.keys import Document, Donor, Identity, Table
from ocrkit.vault.public import ABOUT, FORMAT, ROSTER, as_json, read_about, read_roster, roster_of
from ocrkit.vault.store import Store, StoreDown, write_synced

OBJECTS = "objects"
_LOCK = ".lock"
_BEFORE_ABOUT = {".gitignore", ".dvcignore", _LOCK, keys.MEMBERS, keys.TABLE, LOG, HEAD, ROSTER}
# What git and DVC may have of a vault: nothing that opens anything.
_GITIGNORE = f"/*\n!/.gitignore\n!/.dvcignore\n!/{ABOUT}\n!/{ROSTER}\n!/*.dvc\n"
_DVCIGNORE = f"/{keys.TABLE}\n/{keys.MEMBERS}/\n/{LOG}\n/{HEAD}\n/{_LOCK}\n*.part\n"


@dataclass(frozen=True)
class Donated:
    """A page to be added.

    Attributes:
        name: of its file.
        page: the bytes of the picture.
        labels: what stands on it, in a form that the vault does not know; empty for nothing.
        first: whether it is the first page of its document; others belong to the one before.
    """

    name: str
    page: bytes
    labels: bytes = b""
    first: bool = True


@dataclass(frozen=True)
class Item:
    """A donated page that was delivered: its id, the bytes of the picture, and its labels."""

    id: str
    page: bytes
    labels: bytes


@dataclass(frozen=True)
class Withdrawal:
    """What came of a withdrawal.

    Attributes:
        donor: whose.
        objects: ids that nobody can read any more.
        models: identities and names of the models that learnt from them.
        sessions: ids of all sessions that read them to learn from.
        unfinished: reasons of those that left no model, but may have left weights.
        left: what could not be done besides: sealed objects that are still in the store, where they are noise, or a
            broken log.
    """

    donor: str
    objects: tuple[str, ...]
    models: Mapping[str, str]
    sessions: tuple[str, ...]
    unfinished: tuple[str, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Attributes:
        faults: sentences; none where all is as it was written.
        notes: sentences on what was put right or cannot be ruled out.
        entries: in the log.
        objects: that were unsealed.
    """

    faults: tuple[str, ...]
    notes: tuple[str, ...]
    entries: int
    objects: int


class Vault:
    """An open vault; made by `Vault.create` and `Vault.open`. Use it as a context manager, or call `close`."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder, self._identity = folder, identity
        about = read_about(folder)
        self.id, self.contact = str(about["vault"]), str(about["contact"])
        self._store = Store(str(about["objects"]) or str(folder.resolve() / OBJECTS))
        self._path = folder / keys.TABLE
        self._stamp: tuple[int, ...] = ()
        self._table = self._load()
        public = crypto.public_key(bytes.fromhex(self._table.signing_key))
        if self._table.vault != self.id or public.hex() != about["public_key"]:
            raise Tampered(f"{folder / ABOUT} and {keys.TABLE} are not of the same vault.")
        self._log = Log(
            folder, self.id, public, bytes.fromhex(self._table.log_key), bytes.fromhex(self._table.signing_key)
        )
        self.session = secrets.token_hex(8)
        self.member = identity.member(self._table)
        self._used: dict[str, set[str]] = {use: set() for use in USES}
        if self._known_epoch() > self._table.epoch:
            raise Tampered(
                f"{self._path} is from before a withdrawal that log or roster know of: an old copy was put back."
            )
        if self._is_behind():
            with self._locked():
                pass

    # --- its life -----------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: Path,
        member: str,
        recipient: str | None,
        objects: str = "",
        contact: str = "",
        passphrase: str = "",
    ) -> None:
        """Make an empty vault, which `open` opens.

        Args:
            folder: must be new or empty.
            member: name of who makes it.
            recipient: that member's public key of age or ssh; `None` for an identity protected by `passphrase`.
            objects: where they lie, such as `s3://bucket/prefix`; by default in the folder.
            contact: whom donors write to.
            passphrase: of the member.

        Raises:
            BadVault: the folder holds something, or the key cannot be used.
            StoreDown: it cannot be written.
        """
        _check_free(folder)
        _check_name(member)
        recipient = keys.check_recipient(recipient) if recipient else None
        Store(objects or str(folder.resolve() / OBJECTS))
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreDown(f"The folder {folder} cannot be made: {error.strerror}.") from None
        with _to_oneself(folder):
            _check_free(folder)  # still
            shutil.rmtree(folder / keys.MEMBERS, ignore_errors=True)
            _fill(folder, member, recipient or keys.new_passphrase(folder, member, passphrase), objects, contact)

    @classmethod
    def open(cls, folder: Path | str, identity: Path | None = None, ask: Callable[[str], str] | None = None) -> Vault:
        """Open a vault; from now on this process writes nothing of a page down, see `ocrkit.privacy`.

        Args:
            folder: of the vault.
            identity: file of an identity; by default as `ocrkit.vault.keys.find_identity` finds one.
            ask: asks for a passphrase.

        Raises:
            BadVault: no vault, damaged, tampered with, copied in part, or of a newer version of ocrkit.
            NoIdentity: closed to this person.
        """
        folder = Path(folder)
        read_about(folder)
        vault = cls(folder, keys.find_identity(folder, identity, ask))
        privacy.begin(vault)
        return vault

    def close(self) -> None:
        """Forget the keys; the process stays one that has opened a vault."""
        self._identity = Identity(())
        self._table = self._table.model_copy(update={"donors": {}})
        self._stamp = ()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what there is ------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return bool(self._identity.keys)

    @property
    def members(self) -> dict[str, str]:
        """Who may open it: public keys by name."""
        return dict(self._fresh().members)

    @property
    def donors(self) -> dict[str, Donor]:
        """All donors by name, also those who have withdrawn."""
        return dict(self._fresh().donors)

    def log(self) -> Iterator[dict[str, Any]]:
        """All entries of the log.

        Raises:
            Tampered: at the first that is not what was written.
        """
        return self._log.entries()

    # --- changing it --------------------------------------------------------------------------------------------------

    def invite(self, name: str, recipient: str | None, passphrase: str = "") -> None:
        """Let another person open the vault, as in `create`.

        Raises:
            BadVault: the name is taken, or the key cannot be used.
        """
        _check_name(name)
        with self._locked() as table:
            if name in table.members:
                raise BadVault(f"There is a member {name!r} already; members: {keys.known_names(table.members)}.")
            key = keys.check_recipient(recipient) if recipient else keys.new_passphrase(self.folder, name, passphrase)
            self._commit({"members": {**table.members, name: key}}, [{"what": "invited", "member": name, "key": key}])

    def lacking(self, donor: str, documents: Iterable[Donated]) -> Iterator[Donated]:
        """Those of `documents` that are not sealed for the donor yet, so that adding files again adds nothing.

        Pages are told by their digest, which those that were sealed before it was kept do not have. Within one
        document, equal pages are pages of their own.
        """
        its = self._fresh().donors.get(donor)
        known = {document.sha256 for document in (its.documents.values() if its else ())}
        whole: set[str] = set()  # of the document that is being gone through
        begins = False  # its first page was left out
        for document in documents:
            if document.first:
                known |= whole
                whole, begins = set(), False
            digest = hashlib.sha256(document.page).hexdigest()
            if digest in known:
                begins |= document.first
                continue
            whole.add(digest)
            yield replace(document, first=document.first or begins)
            begins = False

    def newly_labelled(self, donor: str, documents: Iterable[Donated]) -> dict[str, bytes]:
        """The labels of those of `documents` that are sealed for the donor without any, by id; for `relabel`."""
        its = self._fresh().donors.get(donor)
        bare: dict[str, list[str]] = {}
        for name, there in its.documents.items() if its else ():
            if not there.version:
                bare.setdefault(there.sha256, []).append(name)
        given = {hashlib.sha256(document.page).hexdigest(): document.labels for document in documents}
        return {name: labels for digest, labels in given.items() if labels for name in bare.get(digest, ())}

    def add(self, donor: str, documents: Iterable[Donated], consent: Consent, renew: bool = False) -> list[str]:
        """Seal documents of a donor; all of them or none.

        Args:
            donor: a new one, or one who gives more.
            documents: pages, those of one document in a row.
            consent: the donor's, who has one for all documents.
            renew: it takes the place of another one that the donor gave earlier.

        Returns:
            Their ids.

        Raises:
            BadVault: the donor has withdrawn, or has agreed to something else and that is not to be renewed, or a
                document is too large.
            StoreDown: the objects cannot be written; then nothing was added.
        """
        _check_name(donor)
        with self._locked() as table:
            there = table.donors.get(donor)
            if there and there.key is None:
                raise BadVault(
                    f"{donor} has withdrawn, and the key is gone for good: who gives again is given another name."
                )
            if there and there.consent != consent and not renew:
                raise BadVault(
                    f"{donor} has agreed to something else: {there.consent}. A donor has one consent, so the new one "
                    "would hold for earlier documents, too: add --renew if that was agreed to, or name another donor."
                )
            key = there.key if there and there.key else crypto.new_key().hex()
            added, written, group = {}, [], ""
            try:
                for document in documents:
                    name = secrets.token_hex(16)
                    group = name if document.first or not group else group
                    blobs = {"page": self._put(key, document.page, name, "page", 1)}
                    written.append(blobs["page"])
                    if document.labels:
                        blobs["labels"] = self._put(key, document.labels, name, "labels", 1)
                        written.append(blobs["labels"])
                    added[name] = Document(
                        name=document.name,
                        group=group,
                        added=str(_today()),
                        version=int(bool(document.labels)),
                        blobs=blobs,
                        sha256=hashlib.sha256(document.page).hexdigest(),
                    )
                if not added and there and there.consent == consent:
                    return []
                together = {**(there.documents if there else {}), **added}
                new = Donor(key=key, consent=consent, documents=together)
                entry = {
                    "what": "added",
                    "donor": donor,
                    "objects": list(added),
                    "consent": consent.model_dump(mode="json"),
                }
                self._commit({"donors": {**table.donors, donor: new}}, [entry])
            except BaseException:
                with suppress(StoreDown):  # nothing refers to them; `verify` finds what is left
                    self._store.delete(set(written) - self._blobs(self._load()))
                raise
        return list(added)

    def relabel(self, labels: Mapping[str, bytes], reason: str) -> None:
        """Seal new labels in place of those of some objects; all of them or none.

        Raises:
            BadVault: an object that is not there.
            Withdrawn: one whose donor has withdrawn.
        """
        with self._locked() as table:
            donors, entries, old = dict(table.donors), [], []
            for name, content in labels.items():
                donor = self._owner(table, name)
                its = donors[donor].documents[name]
                version = its.version + 1
                blob = self._put(str(donors[donor].key), content, name, "labels", version)
                old += [its.blobs[kind] for kind in ("labels",) if kind in its.blobs]
                new = its.model_copy(update={"version": version, "blobs": {**its.blobs, "labels": blob}})
                donors[donor] = donors[donor].model_copy(update={"documents": {**donors[donor].documents, name: new}})
                entries.append({"what": "labelled", "donor": donor, "object": name, "reason": reason})
            self._commit({"donors": donors}, entries)
            with suppress(StoreDown):
                self._store.delete(old)

    def withdraw(self, donor: str) -> Withdrawal:
        """Take a donor's key out of the table: no copy of what the donor gave can be read any more, wherever it is.

        Neither a broken log nor a store that is down can stop it.

        Raises:
            BadVault: no such donor, or withdrawn already.
            StoreDown: the key table cannot be written; then nothing has changed.
        """
        with self._locked(whole_log=False) as table:
            its = table.donors.get(donor)
            if its is None:
                raise BadVault(f"There is no donor {donor!r}.")
            if its.key is None:
                raise BadVault(f"{donor} has withdrawn already, on {its.consent.withdrawn}.")
            objects = tuple(its.documents)
            sessions, models, unfinished = self._learnt_by(set(objects))
            consent = its.consent.model_copy(update={"withdrawn": _today()})
            gone = Donor(key=None, consent=consent, withdrawn=objects)
            entry = {"what": "withdrawn", "donor": donor, "objects": list(objects), "models": models}
            left = []
            try:
                self._commit({"donors": {**table.donors, donor: gone}, "epoch": table.epoch + 1}, [entry])
            except BadVault as error:
                if self._load().donors[donor].key:
                    raise
                left.append(str(error))
            try:
                self._store.delete(blob for document in its.documents.values() for blob in document.blobs.values())
            except StoreDown as error:
                left.append(str(error))
        return Withdrawal(donor, objects, models, sessions, unfinished, tuple(left))

    # --- reading ------------------------------------------------------------------------------------------------------

    def grant(self, use: Use, reason: str, only: Iterable[str] | None = None) -> list[str]:
        """The ids of all objects that may be read for `use`, each written into the log before this returns.

        Args:
            use: what for.
            reason: what for, in words, for the donors.
            only: ids; by default all.

        Raises:
            BadVault: an unknown use, no reason, or an id that is not there.
            StoreDown: the log cannot be written.
        """
        if not reason.strip():
            raise BadVault("Donors see the reason for which a page is read: give one.")
        if use not in USES:
            raise BadVault(f"There is no use {use!r}; choose one of {', '.join(USES)}.")
        wanted = None if only is None else set(only)
        with self._locked() as table:
            for name in wanted or ():
                self._owner(table, name)
            granted, entries = [], []
            for donor, its in table.donors.items():
                names = [name for name in its.documents if wanted is None or name in wanted]
                refusal = its.consent.refusal(use, _today())
                common = {"donor": donor, "use": use, "reason": reason, "session": self.session}
                if refusal and names:
                    entries.append({"what": "refused", "objects": len(names), "why": refusal, **common})
                if not refusal:
                    granted += names
                    entries += [{"what": "read", "object": name, **common} for name in names]
            if entries:
                self._append(entries)
        self._used[use].update(granted)
        return granted

    def fetch(self, name: str, kind: str) -> bytes:
        """The bytes of an object that was granted: its `page`, or its `labels`, empty where it has none.

        Raises:
            PrivateData: it was not granted to this session.
            Withdrawn: its donor has withdrawn since.
            Tampered: it is not what was sealed there.
            BadVault: it is missing.
            StoreDown: it cannot be read.
        """
        if not any(name in granted for granted in self._used.values()):
            raise PrivateData(f"The object {name} was not asked for: nothing is read that the log does not say.")
        table = self._fresh()
        its = table.donors[self._owner(table, name)]
        document = its.documents[name]
        if kind not in document.blobs:
            return b""
        version = document.version if kind == "labels" else 1
        try:
            return crypto.unseal(
                bytes.fromhex(str(its.key)), self._store.get(document.blobs[kind]), self._about(name, kind, version)
            )
        except Tampered:
            raise Tampered(
                f"The {kind} of the object {name} are not what was sealed: run `ocrkit vault verify`."
            ) from None

    def group(self, name: str) -> str:
        """The id of the first page of the document that an object is a page of."""
        table = self._fresh()
        return table.donors[self._owner(table, name)].documents[name].group

    def read(self, use: Use, reason: str, only: Iterable[str] | None = None) -> Iterator[Item]:
        """Every object that may be read for `use`, one in memory at a time, each logged once; arguments as of `grant`.

        What is withdrawn meanwhile does not come any more.
        """
        for name in self.grant(use, reason, only):
            try:
                item = Item(name, self.fetch(name, "page"), self.fetch(name, "labels"))
            except Withdrawn:
                continue
            yield item

    def export(self, donor: str) -> dict[str, bytes]:
        """All that the vault holds of a donor, for the donor: files by name.

        Raises:
            BadVault: no such donor.
        """
        with self._locked() as table:
            if donor not in table.donors:
                raise BadVault(f"There is no donor {donor!r}.")
            its = table.donors[donor]
            self._append([{"what": "exported", "donor": donor, "objects": list(its.documents)}])
        files = {"consent.json": as_json(its.consent.model_dump(mode="json"))}
        for name, document in its.documents.items():
            for kind, blob in document.blobs.items():
                version = document.version if kind == "labels" else 1
                plain = crypto.unseal(
                    bytes.fromhex(str(its.key)), self._store.get(blob), self._about(name, kind, version)
                )
                ending = Path(document.name).suffix if kind == "page" else ".labels.json"
                files[f"documents/{name}{ending}"] = plain
        files["documents.json"] = as_json(
            {name: document.model_dump(exclude={"blobs"}) for name, document in its.documents.items()}
        )
        lines = (json.dumps(entry, ensure_ascii=False) for entry in self.log() if entry.get("donor") == donor)
        files["log.jsonl"] = "".join(f"{line}\n" for line in lines).encode()
        return files

    # --- proof --------------------------------------------------------------------------------------------------------

    def verify(self, witnesses: Iterable[tuple[int, str]] = (), objects: bool = True) -> Verdict:
        """Whether log, roster and objects are what was written; removes objects that nothing refers to.

        Args:
            witnesses: of the log, as `Log.verify` takes them.
            objects: unseal each of them too.
        """
        faults, notes, unsealed = [], [], 0
        with self._locked() as table:
            head = self._log.head()
            if broken := self._log.verify(witnesses):
                faults.append(str(broken))
            blobs = self._blobs(table)
            try:
                there = self._store.names()
                if orphans := there - blobs:
                    self._store.delete(orphans)
                    notes.append(f"{len(orphans)} objects that nothing referred to were removed.")
                if missing := blobs - there:
                    faults.append(f"{len(missing)} objects are missing from {self._store.url}.")
            except StoreDown as error:
                faults.append(str(error))
                objects = False
            for donor in table.donors.values() if objects else ():
                for name, document in donor.documents.items():
                    for kind, blob in document.blobs.items():
                        version = document.version if kind == "labels" else 1
                        try:
                            crypto.unseal(
                                bytes.fromhex(str(donor.key)),
                                self._store.get(blob),
                                self._about(name, kind, version),
                            )
                            unsealed += 1
                        except Tampered:
                            faults.append(f"The {kind} of the object {name} are not what was sealed.")
                        except BadVault:
                            pass  # missing, as said
            if damaged := [fault for fault in faults if "sealed" in fault]:
                self._append([{"what": "damaged", "found": damaged}])
        if areas := privacy.swap_in_clear():
            notes.append(
                f"Swap is on and not encrypted ({', '.join(areas)}): what is in memory may get to that disk. `swapoff`."
            )
        return Verdict(tuple(faults), tuple(notes), head.count, unsealed)

    def tags(self) -> dict[str, str]:
        """What a run's record says of this vault; with each run the log has a witness."""
        head = self._log.head()
        used = sorted(set().union(*self._used.values()))
        return {
            "vault.id": self.id,
            "vault.head": head.digest,
            "vault.entries": str(head.count),
            "vault.epoch": str(head.epoch),
            "vault.objects": hashlib.sha256("\n".join(used).encode()).hexdigest(),
        }

    def learnt(self) -> dict[str, Any] | None:
        """What this session read to learn from, for a model's card."""
        if not self._used["train"]:
            return None
        head = self._log.head()
        return {
            "vault": self.id,
            "session": self.session,
            "epoch": head.epoch,
            "head": head.digest,
            "entries": head.count,
            "objects": sorted(self._used["train"]),
        }

    def record_model(self, identity: str, name: str) -> str:
        """Write into the log which model came of what this session read to learn from."""
        with self._locked() as table:
            gone = self._used["train"] & {name for donor in table.donors.values() for name in donor.withdrawn}
            entry = {"what": "model", "model": identity, "name": name, "session": self.session}
            self._append([{**entry, "withdrawn": sorted(gone)} if gone else entry])
        if not gone:
            return ""
        return (
            f"{len(gone)} of the documents that {name} learnt from were withdrawn meanwhile: delete it and train anew."
        )

    # --- inside -------------------------------------------------------------------------------------------------------

    def _load(self) -> Table:
        """The table as it is on disk."""
        for _ in range(2):  # once more where it was replaced between the two
            stamp = self._stamp_now()
            table = keys.load(self._path, self._identity)
            if stamp == self._stamp_now():
                break
        self._stamp, self._table = stamp, table
        self._owners = {name: donor for donor, its in table.donors.items() for name in its.documents}
        return table

    def _stamp_now(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError as error:
            raise BadVault(f"The vault's key table {self._path} cannot be read: {error.strerror}.") from None
        return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def _fresh(self) -> Table:
        """The table, read anew if anybody has changed it."""
        return self._table if self._stamp and self._stamp == self._stamp_now() else self._load()

    def _known_epoch(self) -> int:
        """The latest epoch that log and roster tell of."""
        epoch = 0
        with suppress(BadVault):  # whatever needs the log says that it is broken
            epoch = self._log.head().epoch
        with suppress(BadVault):  # written anew below
            epoch = max(epoch, read_roster(self.folder)["epoch"])
        return epoch

    def _is_behind(self) -> bool:
        """Whether log or roster lack something that the table says, which a writer that was killed has left."""
        try:
            head = self._log.head()
        except BadVault:
            return False
        whole = head.count >= self._table.log_count + len(self._table.outbox) and head.epoch == self._table.epoch
        return not whole or _read(self.folder / ROSTER) != roster_of(self._table)

    @contextmanager
    def _locked(self, whole_log: bool = True) -> Iterator[Table]:
        """With the vault to oneself: the table as it is, and all that follows from it in place.

        A broken log stops everything, unless `whole_log` is not asked for.
        """
        with _to_oneself(self.folder):
            table = self._load()
            try:
                self._settle(table)
            except BadVault:
                if whole_log:
                    raise
            yield table

    def _commit(self, changes: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> None:
        """Replace the table, and bring log and roster after it."""
        count = self._table.log_count
        with suppress(BadVault):  # a broken log, which only a withdrawal gets past
            count = self._log.head().count
        now = datetime.now(UTC).isoformat(timespec="seconds")
        outbox = tuple({"time": now, **entry, "by": _by(self.member)} for entry in entries)
        table = self._table.model_copy(update={**changes, "log_count": count, "outbox": outbox})
        keys.save(self._path, table)
        self._settle(self._load())

    def _settle(self, table: Table) -> None:
        """Write what follows from the table: the entries of its change, and the roster."""
        head = self._log.settle(table.epoch)
        if head.count < table.log_count:
            raise Tampered(
                f"{self.folder / LOG} was cut: it has {head.count} entries, and the key table knows "
                f"of {table.log_count}."
            )
        if missing := table.outbox[head.count - table.log_count :]:
            self._log.append(missing, table.epoch)
        if (roster := roster_of(table)) != _read(self.folder / ROSTER):
            write_synced(self.folder / ROSTER, roster)

    def _append(self, entries: Sequence[Mapping[str, Any]]) -> Head:
        return self._log.append([{**entry, "by": _by(self.member)} for entry in entries], self._table.epoch)

    def _put(self, key: str, data: bytes, name: str, kind: str, version: int) -> str:
        return self._store.put(crypto.seal(bytes.fromhex(key), data, self._about(name, kind, version)))

    def _about(self, name: str, kind: str, version: int) -> str:
        return f"{self.id}|{name}|{kind}|{version}"

    @staticmethod
    def _blobs(table: Table) -> set[str]:
        documents = (document for donor in table.donors.values() for document in donor.documents.values())
        return {blob for document in documents for blob in document.blobs.values()}

    def _owner(self, table: Table, name: str) -> str:
        if name in self._owners:
            return self._owners[name]
        for its in table.donors.values():
            if name in its.withdrawn:
                raise Withdrawn(f"The object {name} was withdrawn by its donor on {its.consent.withdrawn}.")
        raise BadVault(f"There is no object {name} in this vault.")

    def _learnt_by(self, objects: set[str]) -> tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]:
        """The sessions that read any of `objects` to learn from, their models, and the reasons of those without."""
        reasons: dict[str, str] = {}
        models: dict[str, str] = {}
        finished = set()
        try:
            for entry in self._log.entries():
                if entry["what"] == "read" and entry["use"] == "train" and entry["object"] in objects:
                    reasons[entry["session"]] = entry["reason"]
                elif entry["what"] == "model" and entry["session"] in reasons:
                    models[entry["model"]] = entry["name"]
                    finished.add(entry["session"])
        except BadVault as error:
            reasons["?"] = f"what came after the log breaks off: {error}"
        unfinished = dict.fromkeys(reason for session, reason in reasons.items() if session not in finished)
        return tuple(reasons), models, tuple(unfinished)


def _check_free(folder: Path) -> None:
    """Refuse a folder that holds more than what a `Vault.create` that was killed left, which nobody ever used."""
    names = {path.name for path in folder.iterdir() if path.suffix != ".part"} if folder.exists() else set()
    is_unused = LOG in names and not (folder / LOG).stat().st_size
    if names - _BEFORE_ABOUT or (names & {LOG, keys.TABLE} and not is_unused):
        raise BadVault(f"{folder} holds something already: name a new folder for the vault.")


def _fill(folder: Path, member: str, recipient: str, objects: str, contact: str) -> None:
    """Write the files of an empty vault."""
    signing_key, log_key, name = crypto.new_signing_key(), crypto.new_key(), secrets.token_hex(16)
    public = crypto.public_key(signing_key)
    log = Log(folder, name, public, log_key, signing_key)
    for file, text in ((".gitignore", _GITIGNORE), (".dvcignore", _DVCIGNORE)):
        write_synced(folder / file, text.encode())
    log.begin()
    entry = {"what": "created", "member": member, "by": _by(member)}
    table = Table(
        vault=name,
        members={member: recipient},
        log_key=log_key.hex(),
        signing_key=signing_key.hex(),
        outbox=(entry,),
    )
    keys.save(folder / keys.TABLE, table)
    about = {"format": FORMAT, "vault": name, "public_key": public.hex(), "objects": objects, "contact": contact}
    write_synced(folder / ROSTER, roster_of(table))
    write_synced(folder / ABOUT, as_json(about))  # last: without it there is no vault


@contextmanager
def _to_oneself(folder: Path) -> Iterator[None]:
    """With no other process that changes the vault in a folder."""
    try:
        lock = (folder / _LOCK).open("a")
    except OSError as error:
        raise StoreDown(
            f"{folder} cannot be written ({error.strerror}): nothing is read or changed that cannot be logged."
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _by(member: str) -> dict[str, str]:
    """Who does something: the member whose key opened the vault, and what the machine says."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        user = str(os.getuid())
    return {"member": member, "user": user, "machine": socket.gethostname()}


def _today() -> date:
    return datetime.now(UTC).date()


def _check_name(name: str) -> None:
    if not name or len(name) > 100 or name.startswith(".") or any(c in "/\\\n\r\0" for c in name):
        raise BadVault(
            f"{name[:40]!r} is no name for a donor or member: no slashes, no line ends, 1 to 100 characters."
        )


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""
