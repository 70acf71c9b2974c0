"""How a page becomes text: the options of all steps in one."""

from __future__ import annotations

from dataclasses import field

from ocrkit.documents.aside import AsideOptions
from ocrkit.documents.assemble import AssemblyOptions
from ocrkit.documents.captions import CaptionOptions
from ocrkit.documents.columns import ColumnOptions
from ocrkit.documents.context import ContextOptions
from ocrkit.documents.dewarp import DewarpOptions
from ocrkit.documents.joins import JoinOptions
from ocrkit.documents.lying import LyingOptions
from ocrkit.documents.orientation import OrientationOptions
from ocrkit.documents.parted import PartOptions
from ocrkit.documents.photo import PhotoOptions
from ocrkit.documents.quotes import QuoteOptions
from ocrkit.documents.raised import RaisedOptions
from ocrkit.documents.screen import ScreenOptions
from ocrkit.documents.script import ScriptOptions
from ocrkit.documents.shapes import ShapeOptions
from ocrkit.documents.spaced import SpacedOptions
from ocrkit.documents.underscores import UnderscoreOptions
from ocrkit.options import options_class


@options_class
class ReadOptions:
    """How detected boxes become words, and the words lines.

    Attributes:
        margin: blank added around a box on every side, as a share of its height, before it is read; the detector leaves
            some already.
        word_margin: px of blank left around a word's ink on every side: people who mark words leave as much.
        small_margin: px; the same on lines of small print, whose blur reaches further than what is dark enough for ink.
        small_print: px; words' median height, below which print is small.
        min_confidence: guesses below it are doubtful.
        keep_doubtful: whether all of them are kept; otherwise only those on a line of others that are read well, and
            the rest is left out as noise.
        doubtful_confidence: guesses below it are noise even on such a line.
        well_read: mean confidence of the others on such a line, at least.
        well_read_share: of the pieces of such a line, that are read with `min_confidence`, at least.
        struck_confidence: of a price that is struck through, and of a word that is long or known, at least; others are
            left out.
        struck_letters: of a long word, at least.
        signs: what a sign that stands alone in a row may be; anything else was dirt.
        plain_signs: those of them that are kept even if their readings are doubtful.
        cell_signs: what is kept in a row of signs alone, too, where it is as high as print level with it.
        cell_level: of that print's height; how far their tops or feet may lie apart.
        cell_reach: the same; how far off it may stand.
        stray_reach: of a word's height; marks alone in a row are noise where no word level with them is so near.
        bullet_reach: the same of a bullet and the word on its right.
        bullet_height: of that word's height; of a bullet, at most.
        brackets: signs of a program's line that has nothing else.
        bracket_width: of its height; of a bracket by itself, at most: the rim of a hole for a ring binder is wider.
        colon_height: of a word's height; of a colon alone in a row, at least.
        bracket_height: of a word's height; by which that of such a line may differ, at most.
        rule_signs: what the pieces of a rule are read as.
        rule_marks: of one such sign, from which on a row that holds hardly anything else is a rule.
        rule_letters: read in one piece, from which on it is a rule if it is no word that is known and hardly read.
        rule_confidence: of such a reading, below which it is hardly read.
        sure_confidence: where no word of a page reaches it there is no print, and the others are noise, too. A brace
            that does may be as wide as such a rim.
        likely_confidence: the same of a word of `likely_letters` letters and digits or more.
        likely_letters: texture is hardly ever read as so many.
        smallest_page_px: nothing of fewer pixels a side holds a letter.
        many_boxes: more than these are first read in part.
        sampled_boxes: of so many boxes of print some are surely read.
        screen: when dots are a tint.
        captions: what counts as words laid over a picture.
        photo: when a page is read as seen from straight above.
        orientation: when a page is turned.
        dewarp: when a page is curled, and straightened before it is read.
        spaced: when letters that stand apart are a word.
        raised: when a word with something raised in it is read in parts.
        joins: when neighbouring boxes are read as one word.
        underscores: when two words on an underline have an underscore between them.
        columns: when a number is parted where a table's column ends.
        context: when a word is read once more with the one beside it.
        shapes: when a reading is put right by its size.
        quotes: when a page's apostrophes and quotation marks are curled.
        parted: when a box is read as two words.
        aside: when a line up or down the page is print.
        lying: when a part of an upright page is read as a page that lies on its side.
        script: when a page is in a script that cannot be read.
        assembly: how words become lines, columns and paragraphs.
    """

    margin: float = 0.0
    word_margin: float = 1.0
    small_margin: float = 2.0
    small_print: float = 13.0
    min_confidence: float = 0.4
    keep_doubtful: bool = False
    doubtful_confidence: float = 0.2
    well_read: float = 0.75
    well_read_share: float = 0.7
    struck_confidence: tuple[float, float] = (0.7, 0.8)
    struck_letters: int = 5
    signs: tuple[str, ...] = (*"-–—•*I1|l:=…☐", "...")
    plain_signs: tuple[str, ...] = tuple("-–—I1|l•*=")
    cell_signs: tuple[str, ...] = tuple("I1|l0Oo")
    cell_level: float = 0.12
    cell_reach: float = 40.0
    stray_reach: float = 20.0
    bullet_reach: float = 4.0
    bullet_height: float = 0.65
    brackets: str = "{}[]();,"
    bracket_width: float = 0.5
    colon_height: float = 0.4
    bracket_height: float = 0.6
    rule_signs: tuple[str, ...] = tuple("-–—=*:;.•_~|")
    rule_marks: int = 4
    rule_letters: int = 20
    rule_confidence: float = 0.55
    sure_confidence: float = 0.7
    likely_confidence: float = 0.6
    likely_letters: int = 5
    smallest_page_px: int = 8
    many_boxes: int = 1000
    sampled_boxes: int = 100
    screen: ScreenOptions = field(default_factory=ScreenOptions)
    captions: CaptionOptions = field(default_factory=CaptionOptions)
    photo: PhotoOptions = field(default_factory=PhotoOptions)
    orientation: OrientationOptions = field(default_factory=OrientationOptions)
    dewarp: DewarpOptions = field(default_factory=DewarpOptions)
    spaced: SpacedOptions = field(default_factory=SpacedOptions)
    raised: RaisedOptions = field(default_factory=RaisedOptions)
    joins: JoinOptions = field(default_factory=JoinOptions)
    underscores: UnderscoreOptions = field(default_factory=UnderscoreOptions)
    columns: ColumnOptions = field(default_factory=ColumnOptions)
    context: ContextOptions = field(default_factory=ContextOptions)
    shapes: ShapeOptions = field(default_factory=ShapeOptions)
    quotes: QuoteOptions = field(default_factory=QuoteOptions)
    parted: PartOptions = field(default_factory=PartOptions)
    aside: AsideOptions = field(default_factory=AsideOptions)
    lying: LyingOptions = field(default_factory=LyingOptions)
    script: ScriptOptions = field(default_factory=ScriptOptions)
    assembly: AssemblyOptions = field(default_factory=AssemblyOptions)
