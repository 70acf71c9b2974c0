"""Pages of a vault, whose pixels come out of it one at a time and stay in memory; and pages as a vault takes them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from ocrkit import privacy
from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.errors import BadDataset, Withdrawn, quoted
from ocrkit.files import folder_name
from ocrkit.images import iter_pages, load_stored

if TYPE_CHECKING:
    from ocrkit.vault import Donated, Use, Vault

_MOST_REASON = 300  # characters


def load_vault(folder: Path, use: str = "evaluate", reason: str = "") -> Iterator[LabelledPage]:
    """The pages of the vault in `folder` that may be read for `use`; each is written into its log first.

    A page's `image` is unsealed whenever it is asked for, and raises `Withdrawn` once its donor has taken it back.

    Args:
        folder: of the vault, which this process opens once; see `ocrkit.vault.keys.find_identity`.
        use: `train`, `evaluate` or `label`.
        reason: what for, as donors read it; by default the command line.

    Raises:
        BadVault: no vault, a damaged one, or one that is closed to this person.
        BadDataset: no donor has consented to this use.
    """
    vault = open_vault(folder)
    granted = vault.grant(cast("Use", use), reason or command_line())
    if not granted:
        raise BadDataset(f"No document in {folder} may be read for the use {use}: see `ocrkit vault list {folder}`.")
    for name in granted:
        try:
            yield page_of(vault, name)
        except Withdrawn:  # since it was granted
            continue


def open_vault(folder: Path) -> Vault:
    """The vault in `folder`, opened once in this process."""
    from ocrkit.vault import Vault, read_about

    wanted = read_about(folder)["vault"]
    for vault in privacy.vaults():
        if vault.id == wanted and isinstance(vault, Vault) and vault.is_open:
            return vault
    return Vault.open(folder)


def page_of(vault: Vault, name: str) -> LabelledPage:
    """A granted object as a page.

    Raises:
        Withdrawn: its donor has taken it back.
        BadDataset: its labels are not as `donated` makes them.
    """
    labels = json.loads(vault.fetch(name, "labels") or b"{}")
    try:
        words, lines = (
            tuple(LabelledWord(str(text), np.asarray(quad, float).reshape(4, 2)) for text, quad in labels.get(kind, ()))
            for kind in ("words", "lines")
        )
        upright = bool(labels.get("upright", True))
        return LabelledPage(
            name,
            words,
            lines,
            load=partial(_image, vault, name, upright),
            private=True,
            category=str(labels.get("category", "other")),
            source=folder_name(vault.folder),
            document=vault.group(name),
            simulated=bool(labels.get("simulated", False)),
            upright=upright,
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise BadDataset(f"The labels of the object {name} cannot be used: {quoted(error)}.") from None


def labels_of(page: LabelledPage) -> bytes:
    """A page's labels as a vault holds them."""
    labels: dict[str, Any] = {
        kind: [[label.text, np.round(label.quad, 2).tolist()] for label in getattr(page, kind)]
        for kind in ("words", "lines")
    }
    labels |= {"category": page.category, "upright": page.upright, "simulated": page.simulated}
    return json.dumps(labels, ensure_ascii=False, separators=(",", ":")).encode()


def donated_pages(pages: Iterable[LabelledPage]) -> Iterator[Donated]:
    """Labelled pages as a vault takes them, those of one document in a row, each with the bytes of its file.

    Raises:
        BadImage: a picture that cannot be read, which would be found out too late.
    """
    from ocrkit.vault import Donated

    by_document: dict[str, list[LabelledPage]] = {}
    for page in pages:
        by_document.setdefault(page.document or page.id, []).append(page)
    for its in by_document.values():
        for number, page in enumerate(its):
            image = page.image()
            picture = page.path.read_bytes() if page.path else _png(image)
            name = page.path.name if page.path else f"{page.id}.png"
            yield Donated(name, picture, labels_of(page), first=not number)


def donated_files(files: Iterable[Path]) -> Iterator[Donated]:
    """Pictures and PDFs without labels as a vault takes them; of a file of several pages each one is a PNG.

    Raises:
        BadImage: a file, or a page of it, that cannot be read.
    """
    from ocrkit.errors import BadImage
    from ocrkit.vault import Donated

    for path in files:
        pages = list(iter_pages(path))
        if broken := [page.error for page in pages if page.image is None]:
            raise BadImage(str(broken[0]))
        if len(pages) == 1 and path.suffix.lower() != ".pdf":
            load_stored(path, upright=True)
            yield Donated(path.name, path.read_bytes())
            continue
        for page in pages:
            yield Donated(
                f"{path.stem}-{page.number}.png" if len(pages) > 1 else f"{path.stem}.png",
                _png(cast(Image, page.image)),
                first=page.number == 1,
            )


def relabel(vault: Vault, pages: Iterable[LabelledPage], reason: str) -> None:
    """Seal the labels of `pages` in place of those that the vault has of them."""
    labels: Mapping[str, bytes] = {page.id: labels_of(page) for page in pages}
    vault.relabel(labels, reason)


def command_line() -> str:
    """What this process was started as: the verb and its arguments, or that it is a notebook."""
    if "ipykernel" in sys.modules:
        return "a notebook"
    program = Path(sys.argv[0]).name
    return shlex.join(["ocrkit" if program == "__main__.py" else program or "python", *sys.argv[1:]])[:_MOST_REASON]


def _image(vault: Vault, name: str, upright: bool) -> Image:
    return load_stored(vault.fetch(name, "page"), upright)


def _png(image: Image) -> bytes:
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels)[1].tobytes()
