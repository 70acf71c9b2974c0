"""What came of reading a page as it stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ocrkit.document import Image, Line
from ocrkit.documents.aside import characters
from ocrkit.documents.joins import Piece


@dataclass(frozen=True, eq=False)
class Reading:
    """A page read as it stood: its level lines, those up or down the page, and the boxes with what they were read as.

    What a page says that lies on its side is no sign that it stands upright, so only `level` lines are counted.
    `left_out` tells how much was found and is not in the lines, as `Page.left_out` does. An
    `unreadable` page is in a script that the model answers with look-alikes; it has no lines.
    """

    image: Image
    level: tuple[Line, ...] = ()
    aside: tuple[Line, ...] = ()
    pieces: list[Piece] = field(default_factory=list)
    left_out: Mapping[str, int] = field(default_factory=dict)
    unreadable: bool = False

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in reading order."""
        return self.level + self.aside

    @property
    def kept(self) -> int:
        """Number of words."""
        return sum(len(line.words) for line in self.level)

    @property
    def characters(self) -> float:
        """How much was read."""
        return sum(map(characters, self.level))

    def with_more(self, other: Reading) -> Reading:
        """This reading, and after it the lines of another one of the same image."""
        blocks = 1 + max((line.paragraph for line in self.lines), default=-1)
        more = tuple(replace(line, paragraph=line.paragraph + blocks) for line in other.lines)
        left_out = Counter(self.left_out) + Counter(other.left_out)
        return replace(self, aside=self.aside + more, left_out=left_out)
