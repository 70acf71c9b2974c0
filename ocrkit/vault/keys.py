"""The key table: a key for each donor, in one small file encrypted by age for everybody who may open the vault.

A donor's documents are sealed with a key of their own, which stands nowhere but here. Once it is taken out, every copy
of the documents, in whatever backup, is noise; and the table's own key is another one each time it is written.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from ctypes import CDLL
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocrkit.errors import BadVault, MissingExtra, OcrkitError
from ocrkit.files import part_beside
from ocrkit.vault.consent import Consent
from ocrkit.vault.store import write_synced

try:
    import pyrage
    from pyrage import passphrase as by_passphrase
    from pyrage import plugin, ssh, x25519
except ImportError:
    raise MissingExtra("Donated documents need pyrage: pip install 'ocrkit[vault]'.") from None

FORMAT = 2  # 1 had no digests of pages
TABLE, MEMBERS = "keys.age", "members"
IDENTITY, PASSPHRASE = "OCRKIT_VAULT_IDENTITY", "OCRKIT_VAULT_PASSPHRASE"
_AGE = b"age-encryption.org/"
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1  # of renameat2(2)


class NoIdentity(BadVault):
    """Nothing that could open the vault was given, or what was given does not."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(_Kept):
    """A donated document, which is one page.

    Attributes:
        name: of the file that it came in.
        group: id of the first page of that file.
        added: day, as ISO 8601 has it.
        version: of its labels; 0 for none.
        blobs: names of the sealed objects, by kind: `page` and `labels`.
        sha256: of the page's bytes, by which it is known again; empty if it was sealed before that was kept.
    """

    name: str
    group: str
    added: str
    version: int = 0
    blobs: Mapping[str, str] = Field(default_factory=dict)
    sha256: str = ""


class Donor(_Kept):
    """A donor: the key, in hexadecimal, what was agreed to, and the documents by id; no key once it is withdrawn."""

    key: str | None
    consent: Consent
    documents: Mapping[str, Document] = Field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()  # ids of what there was


class Table(_Kept):
    """All that is secret of a vault.

    Attributes:
        vault: its id.
        epoch: how many withdrawals there were.
        members: who may open it: age's recipients by name.
        log_key: seals the log's entries.
        signing_key: signs the log's heads.
        donors: by name.
        log_count: entries in the log when this was written; at least so many must be there.
        outbox: entries of the change that made this table, which belong behind those.
    """

    format: int = FORMAT
    vault: str
    epoch: int = 0
    members: Mapping[str, str]
    log_key: str
    signing_key: str
    donors: Mapping[str, Donor] = Field(default_factory=dict)
    log_count: int = 0
    outbox: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Identity:
    """What opens the table.

    Attributes:
        keys: of age, of whatever kind.
        recipients: what tables are encrypted for so that these keys open them, as far as they tell.
    """

    keys: Sequence[Any]
    recipients: frozenset[str] = field(default_factory=frozenset)

    def member(self, table: Table) -> str:
        """The name that the vault knows it by; hardware keys and ssh keys do not tell which of them they are."""
        known = [name for name, recipient in table.members.items() if recipient in self.recipients]
        untold = [name for name, recipient in table.members.items() if not _tells(recipient)]
        return known[0] if known else " or ".join(untold) or "somebody"


def load(path: Path, identity: Identity) -> Table:
    """The table in a file.

    Raises:
        BadVault: missing, damaged, or of a newer version of ocrkit.
        NoIdentity: the identity does not open it.
    """
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise BadVault(f"The vault's key table {path} cannot be read: {error.strerror}.") from None
    if not sealed.startswith(_AGE):
        raise BadVault(f"{path} is damaged: it is no file that age encrypted.")
    try:
        plain = json.loads(pyrage.decrypt(sealed, list(identity.keys)))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise NoIdentity(f"This identity does not open {path}: ask a member to invite you.") from None
        raise BadVault(f"{path} is damaged: {error}.") from None
    except ValueError:
        raise BadVault(f"{path} is damaged: it holds no table.") from None
    version = plain.get("format") if isinstance(plain, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise BadVault(f"{path} was written by a newer version of ocrkit: update ocrkit. Nothing was changed.")
    try:
        return Table.model_validate(plain | {"format": FORMAT})  # as it is written from now on
    except ValidationError:
        raise BadVault(f"{path} holds no key table that this version of ocrkit knows.") from None


def save(path: Path, table: Table) -> None:
    """Write the table anew, encrypted with a key that it never had before; whole or not at all.

    Raises:
        BadVault: a member's key cannot be used.
        StoreDown: it cannot be written; then nothing has changed.
    """
    recipients = [_recipient(recipient) for recipient in table.members.values()]
    try:
        sealed = pyrage.encrypt(table.model_dump_json().encode(), recipients)
    except pyrage.EncryptError as error:
        raise BadVault(f"The key table cannot be encrypted: {' '.join(str(error).split())}") from None
    write_synced(path, sealed)


# --- who may open it --------------------------------------------------------------------------------------------------


def check_recipient(text: str) -> str:
    """A recipient as age writes it: `age1...`, `age1yubikey1...` or an ssh public key; without its comment.

    Raises:
        BadVault: it is none.
    """
    words = text.split()
    recipient = " ".join(words[:2]) if text.startswith("ssh-") else "".join(words)
    _recipient(recipient)
    return recipient


def new_identity(path: Path) -> str:
    """Write a new identity into a file that only its owner can read; returns its recipient.

    Raises:
        BadVault: there is such a file already, or it cannot be written.
    """
    identity = x25519.Identity.generate()
    try:
        with part_beside(path, partial(Path.touch, mode=0o600)) as part:
            with part.open("w", encoding="utf-8") as file:
                file.write(f"# public key: {identity.to_public()}\n{identity}\n")
                file.flush()
                os.fsync(file.fileno())
            _name_new(part, path)
    except FileExistsError:
        raise BadVault(
            f"{path} exists already: name another file for the new identity, or give the public key in it as --key."
        ) from None
    except OSError as error:
        raise BadVault(f"{path} cannot be written: {error.strerror}.") from None
    except OcrkitError as error:
        raise BadVault(str(error)) from None
    return str(identity.to_public())


def _name_new(part: Path, path: Path) -> None:
    """Let `part` be called `path`, which nothing may be called yet: in one step where the system can."""
    rename = getattr(CDLL(None), "renameat2", None)
    if rename and not rename(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(path), _RENAME_NOREPLACE):
        return
    if os.path.lexists(path):
        raise FileExistsError
    os.replace(part, path)


def new_passphrase(folder: Path, name: str, passphrase: str) -> str:
    """Write a new identity into the vault in `folder`, encrypted by a passphrase; returns its recipient.

    age does not mix passphrases and keys in one file, so the table is encrypted for this identity instead.

    Raises:
        BadVault: an empty passphrase.
        StoreDown: it cannot be written.
    """
    if not passphrase:
        raise BadVault("An empty passphrase protects nothing.")
    identity = x25519.Identity.generate()
    path = folder / MEMBERS / f"{name}.age"
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    write_synced(path, by_passphrase.encrypt(str(identity).encode(), passphrase))
    return str(identity.to_public())


def find_identity(folder: Path, file: Path | None = None, ask: Callable[[str], str] | None = None) -> Identity:
    """What opens the vault in `folder`.

    In this order: `file`; the file that the environment's OCRKIT_VAULT_IDENTITY names; a member's passphrase, from
    OCRKIT_VAULT_PASSPHRASE or asked for.

    Args:
        folder: of the vault.
        file: an identity of age, encrypted by a passphrase or not, or a private ssh key without one.
        ask: asks for a passphrase, given what to say; by default at the terminal or in the notebook.

    Raises:
        NoIdentity: there is none, or the passphrase is wrong.
    """
    path = file or (Path(os.environ[IDENTITY]) if os.environ.get(IDENTITY) else None)
    if path:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise NoIdentity(f"The identity {path} cannot be read: {error.strerror}.") from None
        if content.startswith(_AGE):
            content = _by_passphrase({str(path): content}, _passphrase(f"Passphrase of {path}", ask))
        return _parsed(content, str(path))
    locked = {path.stem: path.read_bytes() for path in sorted((folder / MEMBERS).glob("*.age"))}
    if not locked:
        raise NoIdentity(f"{folder} is closed: name your identity file in the environment as {IDENTITY}.")
    return _parsed(_by_passphrase(locked, _passphrase(f"Passphrase of {folder}", ask)), "the member's file")


def new_passphrase_for(folder: Path, ask: Callable[[str], str] | None = None) -> str:
    """A passphrase for a new member, from OCRKIT_VAULT_PASSPHRASE or asked for twice.

    Raises:
        NoIdentity: there is nobody to ask, or two were given.
    """
    first = _passphrase(f"New passphrase for {folder}", ask)
    if _passphrase("The same again", ask) != first:
        raise NoIdentity("These are two passphrases: nothing was changed.")
    return first


def _passphrase(what: str, ask: Callable[[str], str] | None) -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    if ask is None and "ipykernel" not in sys.modules and not sys.stdin.isatty():
        raise NoIdentity(f"{what}: nobody is there to ask. Put it into the environment as {PASSPHRASE}.")
    try:
        return (ask or getpass.getpass)(f"{what}: ")
    except (EOFError, KeyboardInterrupt, RuntimeError):  # a notebook that runs by itself
        raise NoIdentity(f"{what}: none was given. Put it into the environment as {PASSPHRASE}.") from None


def _by_passphrase(locked: Mapping[str, bytes], passphrase: str) -> bytes:
    for content in locked.values():
        try:
            return by_passphrase.decrypt(content, passphrase)
        except pyrage.DecryptError:
            continue
    raise NoIdentity(f"The passphrase does not open {' or '.join(locked)}.")


def _parsed(content: bytes, where: str) -> Identity:
    """The keys in an identity file."""
    if content.lstrip().startswith(b"-----BEGIN"):
        try:
            return Identity([ssh.Identity.from_buffer(content)])
        except pyrage.IdentityError as error:
            raise NoIdentity(f"The ssh key in {where} cannot be used: {error}.") from None
    keys: list[Any] = []
    recipients = set()
    try:
        for line in content.decode("utf-8").splitlines():
            if line.startswith("AGE-PLUGIN-"):
                its = plugin.Identity.from_str(line.strip())
                keys.append(plugin.IdentityPluginV1(its.plugin(), [its], _Talk()))
            elif line.strip() and not line.startswith("#"):
                key = x25519.Identity.from_str(line.strip())
                keys.append(key)
                recipients.add(str(key.to_public()))
    except (UnicodeDecodeError, pyrage.IdentityError, pyrage.DecryptError) as error:
        raise NoIdentity(f"{where} is no identity of age: {' '.join(str(error).split())}.") from None
    if not keys:
        raise NoIdentity(f"{where} holds no identity of age.")
    return Identity(keys, frozenset(recipients))


def _tells(recipient: str) -> bool:
    """Whether an identity can say that this is its recipient."""
    return recipient.startswith("age1") and recipient.count("1") == 1


def _recipient(text: str) -> Any:
    try:
        if text.startswith("ssh-"):
            return ssh.Recipient.from_str(text)
        with suppress(pyrage.RecipientError):
            return x25519.Recipient.from_str(text)
        its = plugin.Recipient.from_str(text)
        return plugin.RecipientPluginV1(its.plugin(), [its], [], _Talk())
    except (pyrage.RecipientError, pyrage.EncryptError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise BadVault(f"{text[:60]!r} cannot be used as a public key of age or ssh: {reason}.") from None


class _Talk:
    """What a hardware key's plugin says to a person, and asks."""

    def display_message(self, message: str) -> None:
        """Such as "touch your key"."""
        print(message, file=sys.stderr)

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        """Whether the person says yes; `None` where nobody can be asked."""
        if not sys.stdin.isatty():
            return None
        return input(f"{message} [{yes}/{no or ''}] ").strip() == yes

    def request_public_string(self, description: str) -> str | None:
        """Something that may be seen."""
        return input(f"{description}: ") if sys.stdin.isatty() else None

    def request_passphrase(self, description: str) -> str | None:
        """Such as a PIN."""
        with suppress(EOFError):
            return getpass.getpass(f"{description}: ") if sys.stdin.isatty() else None
        return None


def encrypt_for(recipient: str, data: bytes) -> bytes:
    """`data` as an age file that only the holder of a public key opens.

    Raises:
        BadVault: it is none.
    """
    try:
        return pyrage.encrypt(data, [_recipient(check_recipient(recipient))])
    except pyrage.EncryptError as error:
        raise BadVault(f"It cannot be encrypted: {' '.join(str(error).split())}") from None


def known_names(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(sorted(names)) or "nobody"
