"""What anybody may know of a vault: that it is there, which objects it holds, and that its log is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ocrkit.errors import BadVault
from ocrkit.vault.audit import Broken, Log
from ocrkit.vault.keys import Table

FORMAT = 1
ABOUT, ROSTER = "vault.json", "roster.json"


def read_about(folder: Path) -> dict[str, Any]:
    """What everybody may know of the vault in `folder`: `vault`, `public_key`, `objects`, `contact`.

    Raises:
        BadVault: there is no vault, or one of a newer version of ocrkit.
    """
    path = folder / ABOUT
    try:
        about = json.loads(path.read_bytes())
        if about["format"] > FORMAT:
            raise BadVault(f"{path} was written by a newer version of ocrkit: update ocrkit. Nothing was changed.")
        return {name: about[name] for name in ("vault", "public_key", "objects", "contact")}
    except OSError as error:
        raise BadVault(
            f"{folder} is no vault, or was copied in part: {ABOUT} cannot be read ({error.strerror}). "
            f"`ocrkit vault init` makes one."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise BadVault(f"{path} is damaged.") from None


def verify_closed(folder: Path, witnesses: Iterable[tuple[int, str]] = ()) -> Broken | None:
    """The first place where the log of the vault in `folder` is not what was written, as far as nobody's keys tell."""
    about = read_about(folder)
    return Log(folder, about["vault"], bytes.fromhex(about["public_key"])).verify(witnesses)


def read_roster(folder: Path) -> dict[str, Any]:
    """The roster of the vault in `folder`, which needs no key.

    Raises:
        BadVault: it is missing or damaged.
    """
    path = folder / ROSTER
    try:
        roster = json.loads(path.read_bytes())
        return {name: roster[name] for name in ("vault", "epoch", "objects", "withdrawn")}
    except OSError as error:
        raise BadVault(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise BadVault(f"{path} is damaged: git has it as it was.") from None


def roster_of(table: Table) -> bytes:
    """What anybody may know: which objects there are, what for, until when; and which are withdrawn."""
    objects = {
        name: {
            "uses": sorted(donor.consent.uses),
            "until": donor.consent.until and str(donor.consent.until),
            "version": document.version,
        }
        for donor in table.donors.values()
        for name, document in donor.documents.items()
    }
    withdrawn = sorted(name for donor in table.donors.values() for name in donor.withdrawn)
    return as_json(
        {"format": FORMAT, "vault": table.vault, "epoch": table.epoch, "objects": objects, "withdrawn": withdrawn}
    )


def as_json(value: Mapping[str, Any]) -> bytes:
    """A file of it, the same for the same content."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode()
