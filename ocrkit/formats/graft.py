"""Text under the pages of a PDF that keeps all it holds: drawings, pictures, bookmarks, links, forms, attachments."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pikepdf
from pikepdf import Dictionary, Name, Object

from ocrkit.document import Document, Line, Page, Word, quad_to_box
from ocrkit.errors import BadImage, OcrkitError, reason
from ocrkit.files import same_file, whole_file, write_whole
from ocrkit.formats.cell_font import CellFont
from ocrkit.formats.pdf_content import remove_invisible_text
from ocrkit.formats.pdf_saving import packed, save, write_again
from ocrkit.formats.text_layer import text_layer
from ocrkit.images import open_pdf
from ocrkit.images.pdf_contents import boxes_of_seen_text, has_text, pictured, pictures, text_of

if TYPE_CHECKING:
    import pypdfium2

Mode = Literal["skip", "redo", "force"]

_PICTURED = 0.1  # of the page, that its pictures must cover together so that print is looked for on them
_TAKEN = 0.3  # of a word, which the file's own text covers: then it is that text
_DEEPEST = 50  # fields within fields


class Task(Enum):
    """What is to be done with a page of a PDF."""

    READ = "read"
    FILL = "read where there is no text"
    LEAVE = "leave alone"


@dataclass(frozen=True)
class PageText:
    """What text a page of a PDF has, and what is to be done with it.

    Attributes:
        task: what is to be done.
        why: it is left alone, or what is to be said of how it is read.
        hidden: whether an invisible layer of text is to be taken out.
        own: all text that stays.
    """

    task: Task
    why: str = ""
    hidden: bool = False
    own: str = ""


def page_text(page: pypdfium2.PdfPage, mode: Mode) -> PageText:
    """What is to be done with a page; see `ocrkit.documents.searchable.write_searchable` for the modes."""
    seen, unseen = has_text(page)
    if unseen and mode == "skip":
        return PageText(Task.LEAVE, "invisible text already there; --redo replaces it", own=text_of(page))
    if not seen:
        return PageText(Task.READ, hidden=unseen)
    own = text_of(page, seen_only=unseen)
    if mode == "force":
        return PageText(Task.READ, "has text of its own, which stays: its words may be found twice", unseen, own)
    if pictured(page) >= _PICTURED:
        return PageText(Task.FILL, hidden=unseen, own=own)
    return PageText(Task.LEAVE, "text already there", own=own)


class Graft:
    """A PDF whose pages gain text, while all else stays. `opened` gives one."""

    def __init__(self, pdf: pikepdf.Pdf, source: Path | bytes, warnings: tuple[str, ...]) -> None:
        self.warnings = warnings
        self.changed = False
        self._pdf, self._source = pdf, source
        self._font = CellFont(pdf)

    @classmethod
    @contextmanager
    def opened(cls, source: Path | bytes, name: str) -> Iterator[Graft]:
        """The PDF in a file or bytes, which sentences call `name`.

        Raises:
            BadImage: it cannot be opened, is locked, encrypted or signed.
        """
        try:
            pdf = pikepdf.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        except pikepdf.PasswordError:
            raise BadImage(f"{name} is locked with a password.") from None
        except (pikepdf.PdfError, RuntimeError):
            raise BadImage(f"{name} is damaged: it cannot be taken apart.") from None
        except OSError as error:
            raise BadImage(f"{name} cannot be opened: {reason(error)}.") from None
        with pdf:
            if pdf.is_encrypted:
                raise BadImage(
                    f"{name} is encrypted, and would lose its protection: decrypt it first (qpdf --decrypt)."
                )
            if _is_signed(pdf):
                raise BadImage(f"{name} is signed, and any change would break the signature.")
            faults = pdf.get_warnings()
            warnings = (f"{name} was damaged, and is repaired as far as can be.",) if faults else ()
            yield cls(pdf, source, warnings)

    def remove_invisible_text(self, number: int) -> None:
        """Take the invisible text out of page `number`."""
        self.changed = True
        remove_invisible_text(self._pdf, self._pdf.pages[number - 1])

    def add(self, page: Page) -> None:
        """Put the words of a page that was read under the page of its number."""
        target = self._pdf.pages[page.number - 1]
        if not page.lines:
            return
        left, bottom, right, top = _visible_box(target)
        degrees = _degrees(target, page)
        width, height = (right - left, top - bottom)[:: -1 if degrees in (90, 270) else 1]
        scale = np.array([width, height]) / (page.width, page.height)
        matrix = _placement((left, bottom, right, top), degrees)
        layer = text_layer(self._font, self._name_on(target), page.lines, scale, height, matrix)
        target.contents_add(packed(self._pdf, layer), prepend=True)
        self.changed = True

    def save(self, path: Path, pdfa: bool = False) -> bool:
        """Write the PDF to `path`; returns whether that is its very bytes, as nothing was to be changed.

        Raises:
            MissingExtra: PDF/A is wanted, and what checks it is not installed.
            OcrkitError: the file cannot be written, or cannot be made PDF/A.
        """
        if not self.changed and not pdfa:
            if isinstance(self._source, bytes):
                write_whole(path, self._source)
            else:
                with whole_file(path) as file, Path(self._source).open("rb") as source:
                    shutil.copyfileobj(source, file)
            return True
        self._font.finish()
        save(self._pdf, path, new=False, pdfa=pdfa)
        return False

    def to_bytes(self) -> bytes:
        """The PDF; the very bytes of a source that was given as bytes, where nothing was to be changed."""
        if not self.changed and isinstance(self._source, bytes):
            return self._source
        self._font.finish()
        written = io.BytesIO()
        write_again(self._pdf, written)
        return written.getvalue()

    def _name_on(self, page: pikepdf.Page) -> str:
        """What the page, and others with the same resources, call the layer's font."""
        if "/Resources" not in page.obj:
            page.obj.Resources = Dictionary()
        if "/Font" not in page.obj.Resources:
            page.obj.Resources.Font = Dictionary()
        fonts = page.obj.Resources.Font
        taken = set(fonts.keys())
        for name in taken:
            if fonts[name].objgen == self._font.object.objgen:
                return str(name)
        name = next(name for i in range(len(taken) + 1) if (name := f"/Ocrkit{i}") not in taken)
        fonts[name] = self._font.object
        return name


def graft_document(document: Document, original: Path, path: Path) -> Path:
    """Write `original`, a PDF, with the words of `document` under its pages that have no text yet; returns the path.

    Raises:
        OcrkitError: `original` is no PDF, is encrypted, signed, damaged or `path` itself, or `path` cannot be written.
    """
    if same_file(original, path):
        raise OcrkitError(f"{path} is the original: name another place for the result.")
    with _grafted(document.pages, original, str(original)) as graft:
        graft.save(path)
    return path


def graft_bytes(pages: Iterable[Page], original: bytes) -> bytes:
    """The same in memory, as files cannot be written everywhere: `original` itself where nothing was to be added.

    Raises:
        OcrkitError: see `graft_document`.
    """
    with _grafted(pages, original, "The PDF") as graft:
        return graft.to_bytes()


@contextmanager
def _grafted(pages: Iterable[Page], original: Path | bytes, name: str) -> Iterator[Graft]:
    """The PDF `original`, which sentences call `name`, with the words of `pages` under those without text."""
    with open_pdf(original) as pdf:
        if pdf is None:
            raise OcrkitError(f"{name} is no PDF that could take the text: leave it out to make a new one.")
        with Graft.opened(original, name) as graft:
            for page in pages:
                if not 1 <= page.number <= len(pdf):
                    raise OcrkitError(f"{name} has no page {page.number}: it is not what was read.")
                shown = pdf[page.number - 1]
                task = page_text(shown, "skip").task
                if task is not Task.LEAVE and page.lines:
                    graft.add(filling(page, shown) if task is Task.FILL else page)
                shown.close()
            yield graft


def filling(page: Page, shown: pypdfium2.PdfPage) -> Page:
    """The page as read, with those words only that lie on pictures and not on text that its PDF has already."""
    box = shown.get_bbox()
    degrees = (shown.get_rotation() + page.turn) % 360
    width, height = (box[2] - box[0], box[3] - box[1])[:: -1 if degrees in (90, 270) else 1]
    a, b, c, d, e, f = _placement(box, degrees)
    to_page, move = np.array([[a, b], [c, d]]), np.array([e, f])
    taken = boxes_of_seen_text(shown)
    corners = [picture.corners for picture in pictures(shown)]

    def is_new(word: Word) -> bool:
        quad = ([0, height] + word.quad * np.array([width, -height]) / (page.width, page.height)) @ to_page + move
        return any(map(lambda around: _is_inside(quad.mean(0), around), corners)) and _covered(quad, taken) < _TAKEN

    lines = []
    for line in page.lines:
        words = tuple(word for word in line.words if is_new(word))
        if words:
            lines.append(Line(words, line.paragraph))
    return replace(page, lines=tuple(lines))


def _is_inside(point: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a point lies in a parallelogram."""
    sides = np.stack([corners[1] - corners[0], corners[3] - corners[0]], axis=1)
    return bool((np.abs(np.linalg.solve(sides, point - corners[0]) - 0.5) <= 0.5).all())


def _covered(quad: np.ndarray, boxes: np.ndarray) -> float:
    """Share of the box around `quad` that `boxes`, which do not overlap, cover."""
    x0, y0, x1, y1 = quad_to_box(quad)
    across = np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
    down = np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
    area = max((x1 - x0) * (y1 - y0), 1e-9)
    return float((np.maximum(across, 0) * np.maximum(down, 0)).sum() / area)


def _degrees(target: pikepdf.Page, page: Page) -> int:
    """Degrees clockwise from the page as it is drawn to the page as it was read."""
    rotate = target.obj.get("/Rotate", 0)
    return (int(rotate) // 90 * 90 + page.turn) % 360


def _placement(box: tuple[float, ...], degrees: int) -> tuple[float, ...]:
    """What takes an upright sheet, its origin at its lower left, to the page's `box` that it shows turned clockwise."""
    left, bottom, right, top = box
    return {
        0: (1, 0, 0, 1, left, bottom),
        90: (0, 1, -1, 0, right, bottom),
        180: (-1, 0, 0, -1, right, top),
        270: (0, -1, 1, 0, left, top),
    }[degrees]


def _visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what is shown of a page: its crop box within its media box."""
    media, crop = _box(page.mediabox), _box(page.cropbox)
    both = np.array([*np.maximum(media[:2], crop[:2]), *np.minimum(media[2:], crop[2:])])
    left, bottom, right, top = both if (both[2:] > both[:2]).all() else media
    return float(left), float(bottom), float(right), float(top)


def _box(box: Object) -> np.ndarray:
    corners = np.array([float(side) for side in box]).reshape(2, 2)
    return np.concatenate([corners.min(0), corners.max(0)])


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Whether a field for signatures is filled in, or the file's author signed what may be done with it."""
    if any(name in pdf.Root.get("/Perms", Dictionary()) for name in ("/DocMDP", "/UR3", "/UR")):
        return True
    waiting: list[tuple[Object, Object | None, int]] = [
        (field, None, 0) for field in pdf.Root.get("/AcroForm", Dictionary()).get("/Fields", [])
    ]
    while waiting:
        field, kind, depth = waiting.pop()
        if not isinstance(field, Dictionary) or depth > _DEEPEST:
            continue
        kind = field.get("/FT", kind)
        if kind == Name.Sig and "/V" in field:
            return True
        waiting += [(kid, kind, depth + 1) for kid in field.get("/Kids", [])]
    return False
