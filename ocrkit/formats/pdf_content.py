"""Content streams of PDFs without their invisible text."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name, Object, Operator

from ocrkit.formats.pdf_saving import packed

_INVISIBLE = 3  # text render mode
_DEEPEST = 15  # forms within forms
_SHOWING = ("Tj", "TJ", "'", '"')
_MOVING = ("Td", "TD", "Tm", "T*")
_TEXT_STATE = ("Tc", "Tw", "Tz", "TL", "Tf", "Tr", "Ts")
# Operators that leave no mark, so that a group of nothing else may go.
_UNSEEN = (*_TEXT_STATE, *_MOVING, "cm", "w", "J", "j", "M", "d", "ri", "i", "gs", "CS", "cs", "SC", "SCN", "sc", "scn",
           "G", "g", "RG", "rg", "K", "k", "BT", "ET", "BMC", "BDC", "EMC", "MP", "DP", "W", "W*", "n", "re", "m", "l",
           "c", "v", "y", "h")  # fmt: skip

Instruction = tuple[Sequence[Any], Operator]


def remove_invisible_text(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Take out of a page, and the forms that it draws, the text that is not seen.

    Groups and forms that show nothing then go, too, and the page's resources that only they used. The rest stays as it
    is, in one stream.
    """
    stream = _Filter(pdf, page.resources, invisible=False, depth=0)
    stream.take(pikepdf.parse_content_stream(page))
    if stream.found:
        page.obj.Contents = packed(pdf, pikepdf.unparse_content_stream(stream.kept))
        page.remove_unreferenced_resources()


@dataclass
class _Group:
    """What stands between a `q` and its `Q`.

    Attributes:
        invisible: whether text that comes now is not seen.
        kept: what stays.
        shows: whether any of it leaves a mark.
        marks: how many more pieces of content it opens than it closes.
        text: where the text begins that is being written; `None` where none is, or where some of it is seen.
    """

    invisible: bool
    kept: list[Instruction] = field(default_factory=list)
    shows: bool = False
    marks: int = 0
    text: int | None = None


class _Filter:
    """A stream's instructions without invisible text.

    Attributes:
        found: whether there was any.
    """

    def __init__(self, pdf: pikepdf.Pdf, resources: Object, *, invisible: bool, depth: int) -> None:
        self.found = False
        self._pdf, self._resources, self._depth = pdf, resources, depth
        self._groups = [_Group(invisible)]

    @property
    def kept(self) -> list[Instruction]:
        """What stays of the stream."""
        return self._groups[0].kept

    @property
    def shows(self) -> bool:
        """Whether what stays leaves any mark."""
        return self._groups[0].shows

    def take(self, instructions: Iterable[Any]) -> None:
        """Go through the whole stream."""
        for instruction in instructions:
            name, group = str(instruction.operator), self._groups[-1]
            if name == "q":
                self._groups.append(_Group(group.invisible))
            elif name == "Q" and len(self._groups) > 1:
                self._close("Q")
            elif name in _SHOWING and group.invisible:
                self.found = True
                group.kept += _instead(name, instruction.operands)
            elif name == "ET" and group.text is not None:
                group.kept[group.text :] = _state_of(group.kept[group.text :])
                group.text = None
            elif name != "Do" or not self._is_emptied(instruction.operands[0], group.invisible):
                self._keep(instruction, name)
        while len(self._groups) > 1:  # groups that the page forgot to close
            self._close()

    def _keep(self, instruction: Any, name: str) -> None:
        group = self._groups[-1]
        if name == "Tr":
            group.invisible = instruction.operands[0] == _INVISIBLE
        group.marks += (name in ("BMC", "BDC")) - (name == "EMC")
        group.shows |= name not in _UNSEEN
        if name == "BT":
            group.text = len(group.kept)
        elif name not in _UNSEEN or name == "ET":
            group.text = None
        group.kept.append(instruction)

    def _close(self, *closing: str) -> None:
        group = self._groups.pop()
        outer = self._groups[-1]
        if group.shows or group.marks:
            outer.kept += [([], Operator("q")), *group.kept, *(([], Operator(name)) for name in closing)]
            outer.shows |= group.shows
            outer.marks += group.marks

    def _is_emptied(self, name: Object, invisible: bool) -> bool:
        """Take invisible text out of the form `name`; whether there was some, and nothing that shows is left."""
        form = self._resources.get("/XObject", Dictionary()).get(str(name))
        if form is None or form.get("/Subtype") != Name.Form or self._depth >= _DEEPEST:
            return False
        inner = _Filter(self._pdf, form.get("/Resources", self._resources), invisible=invisible, depth=self._depth + 1)
        inner.take(pikepdf.parse_content_stream(form))
        self.found |= inner.found
        if inner.found:
            form.write(zlib.compress(pikepdf.unparse_content_stream(inner.kept), 9), filter=Name.FlateDecode)
        return inner.found and not inner.shows


def _instead(name: str, operands: Sequence[Any]) -> list[Instruction]:
    """What an operator that shows text sets for the text after it: spacing, and a new line."""
    if name == '"':
        return [([operands[0]], Operator("Tw")), ([operands[1]], Operator("Tc")), ([], Operator("T*"))]
    return [([], Operator("T*"))] if name == "'" else []


def _state_of(text: Iterable[Instruction]) -> list[Instruction]:
    """What counts, of text that shows nothing, for what follows: each of the text's settings as it was last made."""
    others, settings = [], {}
    for operands, operator in text:
        if str(operator) in _TEXT_STATE:
            settings[str(operator)] = operands, operator
        elif str(operator) not in (*_MOVING, "BT"):
            others.append((operands, operator))
    return [*others, *settings.values()]
