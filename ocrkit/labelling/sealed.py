"""What a file of jobs holds about donated pages, sealed under each donor's key: it ends with the donor's consent.

A vault keeps the keys and the log. Texts are sealed by them here and lie in the file of jobs; whoever has the file
without the vault, or after a withdrawal, has noise.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ocrkit.errors import BadDataset, Withdrawn

if TYPE_CHECKING:
    from ocrkit.vault import Vault


class Sealer(Protocol):
    """Seals texts about the pages of one source. A task's key begins with its page's id, before a slash."""

    def seal(self, key: str, about: str, text: str) -> str:
        """A text about the page of a task, sealed; `about` is needed to open it.

        Raises:
            Withdrawn: the page's donor has taken it back.
        """
        ...

    def unseal(self, rows: Sequence[tuple[str, str, str]]) -> list[str | None]:
        """Of each row (key, `about`, sealed text) its text; `None` where its donor does not allow it any more."""
        ...


def page_of_task(key: str) -> str:
    """The id of the page that a private task is about."""
    return key.partition("/")[0]


class VaultSealer:
    """Seals by the keys of a vault's donors.

    What is unsealed is a use of the page: the vault's log says so before this gives out the first text about it.

    Args:
        vault: an open one.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._granted: dict[str, bool] = {}

    def seal(self, key: str, about: str, text: str) -> str:
        """As `Sealer` says."""
        from ocrkit.vault import crypto

        page = page_of_task(key)
        secret = self._keys([page]).get(page)
        if secret is None:
            raise Withdrawn(f"The page {page} was withdrawn by its donor: nothing is kept about it.")
        return base64.b64encode(crypto.seal(secret, text.encode(), self._about(key, about))).decode()

    def unseal(self, rows: Sequence[tuple[str, str, str]]) -> list[str | None]:
        """As `Sealer` says.

        Raises:
            BadDataset: the file of jobs was changed by somebody else.
        """
        from ocrkit.vault import Tampered, crypto

        pages = {page_of_task(key) for key, _, _ in rows}
        self._grant(pages)
        secrets = self._keys(page for page in pages if self._granted.get(page))
        texts: list[str | None] = []
        for key, about, sealed in rows:
            secret = secrets.get(page_of_task(key))
            try:
                data = crypto.unseal(secret, base64.b64decode(sealed), self._about(key, about)) if secret else None
            except (Tampered, ValueError):
                raise BadDataset(f"What the jobs hold about the task {key} is not what was sealed.") from None
            texts.append(None if data is None else data.decode())
        return texts

    def _about(self, key: str, about: str) -> str:
        return f"{self._vault.id}|{key}|label|{about}"  # of no kind that the vault itself seals

    def _keys(self, pages: Iterable[str]) -> dict[str, bytes]:
        """The keys of the pages that are still there."""
        donors = [donor for donor in self._vault.donors.values() if donor.key]
        found = ((page, next((d.key for d in donors if page in d.documents), None)) for page in pages)
        return {page: bytes.fromhex(key) for page, key in found if key}

    def _grant(self, pages: set[str]) -> None:
        """Have the log say that pages are read to label them, once each."""
        from ocrkit.datasets.vault import command_line

        while new := {page for page in self._keys(pages) if page not in self._granted}:
            try:
                granted = set(self._vault.grant("label", command_line(), new))
            except Withdrawn:  # at this moment
                continue
            self._granted |= {page: page in granted for page in new}


def sealer_of(source: str) -> Sealer:
    """What seals texts about the pages of the vault in the folder `source`.

    Raises:
        BadVault: there is none, or it is closed to this person.
    """
    from ocrkit.datasets.vault import open_vault

    return VaultSealer(open_vault(Path(source)))
