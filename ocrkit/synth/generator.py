"""The word engine: item number in, labelled picture of a word out; the same for everyone who asks for that number."""

from __future__ import annotations

import multiprocessing
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from multiprocessing.pool import AsyncResult, Pool
from random import Random
from typing import ClassVar, Literal

import cv2
import numpy as np

from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset
from ocrkit.processes import end_with_parent
from ocrkit.synth import distort
from ocrkit.synth.corpus import Corpus, CorpusOptions, Vocabulary
from ocrkit.synth.distort import Banks, DistortionOptions
from ocrkit.synth.fonts import (
    EM_PX,
    FontCatalogue,
    FontFace,
    FontOptions,
    FontVerdict,
    Placed,
    draw_placed,
    ink_box,
    ligated,
    place_text,
    render_text,
)
from ocrkit.values import Positive, Share

Steps = list[tuple[str, Callable[[np.ndarray, Random, Banks], np.ndarray]]]
_INK: Steps = [("bleed", distort.bleed), ("thin", distort.thin), ("stipple", distort.stipple), ("gaps", distort.gaps),
        ("smudge", distort.smudge), ("underline", distort.underline), ("rules", distort.rules)]  # fmt: skip
_PAPER: Steps = [
    ("texture", distort.texture),
    ("uneven_light", distort.uneven_light),
    ("bilevel", distort.bilevel),
    ("shadow", distort.shadow),
    ("crease", distort.crease),
    ("glare", distort.glare),
]
_OPTICS: Steps = [("defocus", distort.defocus), ("motion", distort.motion), ("box_blur", distort.box_blur)]
_SENSOR: Steps = [
    ("noise", distort.noise),
    ("sharpen", distort.sharpen),
    ("photocopy", distort.photocopy),
    ("fax", distort.fax),
]
_HALF = 0.45  # of the size
_GROUPS = {"ink": _INK, "paper": _PAPER, "optics": _OPTICS, "sensor": _SENSOR}

# What still happens to a word that is `clean`: it is drawn at any size, at times saved with loss or in black and white.
_CLEAN = replace(DistortionOptions.only(), low_resolution=0.75, stretch=0.3, jpeg=0.2, bilevel=0.15, colour=0.1)

Widths = Literal["print", "text"]
# Per cent of the words of real print that have 1, 2, 3 ... characters: of FUNSD's tune half, its longest 2 % spread
# over 13 to 24. Characters make crops wide: each takes 18 px at a height of 32 there, and 20 here.
PRINT_LENGTHS = (5, 16, 16, 14, 11, 9, 9, 7, 5, 3, 2, 1, *(0.2,) * 12)
_LENGTH_EDGES = list(accumulate(PRINT_LENGTHS))
SET_OFF, SET_OFF_BEFORE = ":;?!)%", "$#+"  # marks before and behind which forms leave a gap
DESCENDING = frozenset("gjpqy")
RAISED = (0.55, 0.6, 0.65, 0.7)  # sizes relative to the text's
_ORDINALS = {"1": "st", "2": "nd", "3": "rd"}
_SMALL_PX = 12  # em
SMALL_CAPS = (0.7, 0.75, 0.8, 0.85)  # sizes relative to capitals
_LENGTH_TRIES = 20  # texts, of which the one whose length comes nearest is taken


@dataclass(frozen=True)
class WordOptions:
    """Everything that decides what the words look like.

    Attributes:
        seed: of all random choices.
        negatives: share of crops that hold no text (fourth improvement of the original).
        smallest_px, largest_px: font size (em) in the finished crop; small sizes are drawn more often.
        widths: `print` has crops as wide as those of real print (107 px at a height of 32, a tenth of them over 192),
            by choosing texts as long as print has them (`PRINT_LENGTHS`); `text` takes the corpus as it comes, whose
            crops are 148 px wide.
        visible: a first or last character of which the box leaves less than half is not in the label.
        set_off: share of words with a mark at their end (`SET_OFF`) or beginning (`SET_OFF_BEFORE`) that stand a gap
            away from it, as on forms: "Date :" drawn, "Date:" labelled.
        small_bleed: share of words below 12 px whose strokes are as thick as small bold print's.
        kerned: share of words whose letters stand as their face pairs them (`kerning`).
        ligatures: share of words with `fi`, `fl` and the like, in one sign where the face has it.
        small_caps: share of words set in small capitals and labelled in capitals, which is what one sees.
        raised: share of words with something small and raised behind them: the number of a note (`word4`), `nd`.
        clipped: share of words with strokes below the line (`DESCENDING`) of which the box cuts these off.
        clean: share of words that are as plain as those of a page that no camera or scanner saw.
    """

    seed: int = 7
    negatives: Share = 0.03
    smallest_px: Positive = 8.0
    largest_px: Positive = 40.0
    widths: Widths = "print"
    visible: bool = True
    set_off: Share = 0.15
    small_bleed: Share = 0.3
    kerned: Share = 0.5
    ligatures: Share = 0.3
    small_caps: Share = 0.03
    raised: Share = 0.03
    clipped: Share = 0.08
    clean: Share = 0.0
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    fonts: FontOptions = field(default_factory=FontOptions)
    distortions: DistortionOptions = field(default_factory=DistortionOptions)


# The original's six improvements, and what words are without each.
SWITCHES: dict[str, Callable[[WordOptions], WordOptions]] = {
    "receipts": lambda o: replace(o, corpus=replace(o.corpus, receipts=False)),
    "thermal": lambda o: replace(o, fonts=replace(o.fonts, thermal=False)),
    "by-frequency": lambda o: replace(o, fonts=replace(o.fonts, by_frequency=False)),
    "negatives": lambda o: replace(o, negatives=0.0),
    "symbol-boost": lambda o: replace(o, corpus=replace(o.corpus, symbol_boost=False)),
    "warps": lambda o: replace(o, distortions=replace(o.distortions, warps=False)),
}


class WordGenerator:
    """Labelled word pictures by number: `generator[5]` is always the same `Sample`.

    Args:
        vocabulary: what the words are made of.
        verdicts: the font audit.
        options: see `WordOptions`.

    Raises:
        BadDataset: no usable font or word.
    """

    STEPS: ClassVar = {
        "corpus": ("_text_and_face",),
        "drawing": ("_lay",),
        "geometric": ("_deform",),
        "photometric": ("_print", "_view", "_expose"),
        "encode": ("_encode",),
    }
    """What is done to a word in turn, and the methods that do it; none of them calls another."""

    def __init__(
        self, vocabulary: Vocabulary, verdicts: list[FontVerdict], options: WordOptions = WordOptions()
    ) -> None:
        cv2.setNumThreads(1)  # pictures this small lose time to threads; processes run side by side instead
        self.options = options
        self.corpus = Corpus(vocabulary, options.corpus)
        self.catalogue = FontCatalogue(verdicts, options.fonts)
        self.banks = distort.banks_of(options.seed)
        self._strips = self._neighbour_strips()
        d = self._distortions = options.distortions.in_use()
        self._active = {
            group: [(getattr(d, name), function) for name, function in table if getattr(d, name) > 0]
            for group, table in _GROUPS.items()
        }
        plain = replace(options, clean=0.0, small_bleed=0.0, distortions=_CLEAN)
        self._clean = WordGenerator(vocabulary, verdicts, plain) if options.clean else None

    def __getitem__(self, index: int) -> Sample:
        """Item `index` (any whole number from 0): grey crop as a detector would cut it, and its text."""
        r = Random(f"{self.options.seed}/{self.options.fonts.split}/{index}")
        if self._clean and r.random() < self.options.clean:
            return self._clean[index]
        if r.random() < self.options.negatives:
            text, source, picture = "", "synthetic", self._negative(r)
        else:
            text, face = self._text_and_face(r)
            ink, text = self._lay(text, face, r)
            source, picture = f"synthetic/{face.kind}", self._picture(ink, r)
        return Sample(self._encode(self._expose(picture, r), r), text, source, f"synthetic-{index}")

    def samples(self, start: int, stop: int) -> Iterator[Sample]:
        """Items `start` to `stop - 1` in order."""
        return (self[index] for index in range(start, stop))

    # --- from text to ink ---

    def _text_and_face(self, r: Random) -> tuple[str, FontFace]:
        for _ in range(50):
            text = self._text(r)
            signs = set(text)
            for _ in range(4):
                face = self._face(r)
                if face.characters >= signs:
                    return text, face
        raise BadDataset("No font of the catalogue holds the characters of the corpus.")

    def _text(self, r: Random) -> str:
        """A text of the corpus, chosen by its length where `WordOptions.widths` says so."""
        if self.options.widths == "text":
            return self.corpus.draw(r)
        wished = 1 + bisect(_LENGTH_EDGES, r.random() * _LENGTH_EDGES[-1])
        nearest = ""
        for _ in range(_LENGTH_TRIES):
            text = self.corpus.draw(r)
            if not nearest or abs(len(text) - wished) < abs(len(nearest) - wished):
                nearest = text
            if len(nearest) == wished:
                break
        return nearest

    def _face(self, r: Random) -> FontFace:
        edges = self.catalogue.edges
        return self.catalogue.faces[bisect(edges, r.random() * edges[-1])]

    def _lay(self, text: str, face: FontFace, r: Random) -> tuple[np.ndarray, str]:
        """Ink on a canvas with the margins a detector's box would have, loose or tight by a tenth and more.

        And the label of what is to be seen.
        """
        text, placed = self._set(text, face, r)
        ink, top_row = draw_placed(placed), ink_box(placed)[1]
        height, width = ink.shape
        # A lone dash or dot is cut with its line's height mostly: ink alone would not tell a dot from a bullet.
        tight = r.random() < (0.6 if height > 0.4 * EM_PX else 0.15)
        above = 0.0 if tight else max(0.0, (0.72 + r.uniform(-0.08, 0.12)) * EM_PX + top_row)
        below = 0.0 if tight else max(0.0, r.uniform(-0.02, 0.28) * EM_PX - (top_row + height))
        loose = r.random() < 0.25
        low, high = (0.1 * EM_PX, 0.32 * EM_PX) if loose else (-0.09 * EM_PX, 0.14 * EM_PX)
        top, bottom = round(above + r.uniform(low, high)), round(below + r.uniform(low, high))
        left, right = round(1.3 * r.uniform(low, high)), round(1.3 * r.uniform(low, high))
        if self.options.clipped and DESCENDING.intersection(text) and r.random() < self.options.clipped:
            bottom = -round((top_row + height) * r.uniform(0.4, 1.0))
        room = (max(0, top), max(0, bottom), max(0, left), max(0, right))
        rows, columns = height + room[0] + room[1], width + room[2] + room[3]
        canvas = np.zeros((rows, columns), np.uint8)
        canvas[room[0] : room[0] + height, room[2] : room[2] + width] = ink
        if r.random() < self._distortions.neighbours:
            self._neighbours(canvas, room, r)
        # Of a dash or an i no more than a quarter is lost to a tight box.
        first, last = min(max(0, -top), rows // 4), rows - min(max(0, -bottom), rows // 4)
        start, end = min(max(0, -left), columns // 4), columns - min(max(0, -right), columns // 4)
        if self.options.visible:
            box = (start - room[2], first - room[0], end - room[2], last - room[0])
            text = visible_text(text, placed, box)
        return canvas[first:last, start:end], text

    def _set(self, text: str, face: FontFace, r: Random) -> tuple[str, list[Placed]]:
        """`text` as one reads it once it is set, and where its characters stand."""
        tracking = EM_PX * r.uniform(-0.05, 0.13) if r.random() < 0.35 else 0.0
        written = text
        if self.options.set_off and text[-1] in SET_OFF and r.random() < self.options.set_off:
            text = text[:-1].rstrip() + text[-1]
            written = f"{text[:-1]} {text[-1]}"
        elif self.options.set_off and text[0] in SET_OFF_BEFORE and r.random() < self.options.set_off:
            text = text[0] + text[1:].lstrip()
            written = f"{text[0]} {text[1:]}"
        small_caps, raised = 0.0, (0, 1.0)
        if self.options.raised and " " not in written and r.random() < self.options.raised:
            ending = _raised(written, r)
            text, written, raised = text + ending, written + ending, (len(ending), r.choice(RAISED))
        elif self.options.small_caps and r.random() < self.options.small_caps and _fit_for_small_caps(written, face):
            text, small_caps = text.upper(), r.choice(SMALL_CAPS)
        elif self.options.ligatures and "f" in written and r.random() < self.options.ligatures:
            written = ligated(face.path, written)
        kerned = bool(self.options.kerned) and r.random() < self.options.kerned
        return text, place_text(face.path, written, tracking, kerned, small_caps, raised)

    def _neighbour_strips(self) -> list[np.ndarray]:
        """Lines of other words, whose edges show in loose crops."""
        r = Random(f"{self.options.seed}/neighbours")
        strips = []
        for _ in range(48):
            text, face = self._text_and_face(r)
            strips.append(render_text(face.path, (text + " ") * (60 // len(text) + 1))[0])
        return strips

    def _neighbours(self, canvas: np.ndarray, room: tuple[int, ...], r: Random) -> None:
        """Ink of the lines above and below and of the words beside, only where the margin leaves room."""
        height, width = canvas.shape
        side = r.randrange(4)
        depth = int(room[side] * r.uniform(0.2, 0.75))
        if depth < 1:
            return
        strip = r.choice(self._strips)
        start = int(r.random() * max(1, strip.shape[1] - max(width, depth)))
        if side < 2:
            piece = strip[-depth:] if side == 0 else strip[:depth]
            piece = piece[:, start : start + width]
            y = 0 if side == 0 else height - piece.shape[0]
            canvas[y : y + piece.shape[0], : piece.shape[1]] = piece
        else:
            piece = strip[:height, start : start + depth]
            x = 0 if side == 2 else width - piece.shape[1]
            canvas[: piece.shape[0], x : x + piece.shape[1]] = piece

    # --- from ink to picture ---

    def _picture(self, ink: np.ndarray, r: Random) -> np.ndarray:
        """What the sensor sees of the word, `float32` grey levels."""
        ink, small = self._deform(ink, r)
        return self._view(self._print(ink, r), small, r)

    def _deform(self, ink: np.ndarray, r: Random) -> tuple[np.ndarray, tuple[int, int] | None]:
        """The ink worn, sized and bent; and the width and height it is to be lost to, where less than its own."""
        d, banks = self._distortions, self.banks
        height, width = ink.shape
        # Font size in the finished crop, and the size it is worked on at: never below 18 px, so that lines and blur
        # happen to the print and the loss of resolution comes after them.
        smallest, largest = self.options.smallest_px, self.options.largest_px
        final = smallest + (largest - smallest) * r.random() ** 2.2 if r.random() < d.low_resolution else None
        work = max(18.0, final or r.uniform(20, max(21.0, largest))) / EM_PX
        stretch = 1.0
        if r.random() < d.stretch:
            stretch = r.uniform(0.78, 1.3)
        size = (max(3, round(width * work * stretch)), max(3, round(height * work)))
        # Down to half the size bilinear sampling misses no ink, at a fifth of what averaging areas costs.
        halved = work * min(1.0, stretch) >= _HALF
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_LINEAR if halved else cv2.INTER_AREA)
        for share, function in self._active["ink"]:
            if r.random() < share:
                ink = function(ink, r, banks)
        if final and final < _SMALL_PX and self.options.small_bleed and r.random() < self.options.small_bleed:
            ink = distort.embolden(ink, r)
        matrix = distort.shape_matrix(size, r, d)
        if matrix is not None:
            ink = cv2.warpPerspective(ink, matrix, size, flags=cv2.INTER_LINEAR)
        if r.random() < d.warp:
            ink = distort.warp(ink, r)
        if final is None or final / EM_PX >= work:
            return ink, None
        scale = final / EM_PX / work
        return ink, (max(2, round(size[0] * scale)), max(4, round(size[1] * scale)))

    def _print(self, ink: np.ndarray, r: Random) -> np.ndarray:
        """Ink on paper, with the light on both."""
        if r.random() < self._distortions.colour:
            paper, black = distort.colour(r)
        else:
            paper = 255 - 110 * r.random() ** 3
            black = max(0.0, paper - 70 - 190 * r.random() ** 0.4)
        picture = ink.astype(np.float32)
        picture *= (black - paper) / 255
        picture += paper
        for share, function in self._active["paper"]:
            if r.random() < share:
                picture = function(picture, r, self.banks)
        return picture

    def _view(self, picture: np.ndarray, small: tuple[int, int] | None, r: Random) -> np.ndarray:
        """Through the lens, at the resolution there is."""
        for share, function in self._active["optics"]:
            if r.random() < share:
                picture = function(picture, r, self.banks)
        return picture if small is None else cv2.resize(picture, small, interpolation=cv2.INTER_LINEAR)

    def _expose(self, picture: np.ndarray, r: Random) -> np.ndarray:
        """Grey levels as the sensor or fax tells them, `uint8`."""
        for share, function in self._active["sensor"]:
            if r.random() < share:
                picture = function(picture, r, self.banks)
        finished = cv2.convertScaleAbs(np.maximum(picture, 0))  # rounds, and stops at 255
        return cv2.bitwise_not(finished) if r.random() < self._distortions.invert else finished

    def _encode(self, picture: np.ndarray, r: Random) -> np.ndarray:
        return distort.jpeg(picture, r) if r.random() < self._distortions.jpeg else picture

    def _negative(self, r: Random) -> np.ndarray:
        """What the detector mistakes for a word: surfaces, rules, specks, the edges of other lines."""
        height = r.randint(10, 40)
        shape = (height, int(height * r.uniform(0.6, 6)))
        roll = r.random()
        ink = np.zeros(shape, np.uint8)
        picture: np.ndarray
        if roll < 0.4:
            bank = r.choice([*self.banks.surfaces, self.banks.blotches, self.banks.grain])
            picture = r.uniform(60, 220) + Banks.window(bank, shape, r) * r.uniform(5, 45)
        else:
            if roll < 0.7:
                for _ in range(r.randint(1, 3)):
                    ink = distort.rules(ink, r, self.banks)
            elif roll < 0.85:
                strip = r.choice(self._strips)
                depth = max(1, min(strip.shape[0], int(height * r.uniform(0.1, 0.3))))
                piece = strip[-depth:, : shape[1]]
                ink[: piece.shape[0], : piece.shape[1]] = piece
            else:
                specks = Banks.window(self.banks.blotches, shape, r) > r.uniform(1.5, 2.5)
                ink = np.where(specks, np.uint8(r.randint(80, 255)), ink)
            picture = self._print(ink, r)
        return picture.astype(np.float32)


def _raised(text: str, r: Random) -> str:
    """What is raised behind `text`: the ending of an ordinal number, or the number of a note."""
    if text.isdecimal():
        return _ORDINALS.get(text[-1], "th") if len(text) == 1 else ""
    if not text.rstrip(".,;)")[-1:].isalpha():
        return ""
    return str(r.randint(1, 9) if r.random() < 0.75 else r.randint(10, 99))


def _fit_for_small_caps(text: str, face: FontFace) -> bool:
    """Whether capitals of other sizes would tell what `text` is: `x` of `23x` would be any letter's small capital."""
    return sum(map(str.islower, text)) > 2 and set(text.upper()) <= face.characters


def visible_text(text: str, placed: Sequence[Placed], box: tuple[int, int, int, int]) -> str:
    """`text` without its first or last character, where `box` leaves less than half of it.

    Args:
        text: two characters at least, or it stays as it is.
        placed: its characters' ink.
        box: left, top, right and bottom of what is seen, px from the corner of all ink.
    """
    left, top, _, _ = ink_box(placed)

    def seen(p: Placed) -> float:
        wide = min(p.right - left, box[2]) - max(p.left - left, box[0])
        high = min(p.bottom - top, box[3]) - max(p.top - top, box[1])
        return max(0, wide) * max(0, high) / p.ink.size

    if len(placed) < 2:
        return text
    start, end = int(seen(placed[0]) < 0.5), int(seen(placed[-1]) < 0.5)
    return text[start : len(text) - end].strip() or text


# --- several processes -----------------------------------------------------------------------------------------------

_worker: WordGenerator


def _start_worker(vocabulary: Vocabulary, verdicts: list[FontVerdict], options: WordOptions) -> None:
    end_with_parent()
    global _worker  # noqa: PLW0603  (a pool's worker keeps its generator between tasks)
    _worker = WordGenerator(vocabulary, verdicts, options)


def _work(task: tuple[int, int]) -> list[Sample]:
    return list(_worker.samples(*task))


class WordStream:
    """Words by number from processes that stay alive: `stream(start, stop)` gives items `start` to `stop - 1` in order.

    While one range is used the next of equal length is made. The items are those of `WordGenerator`, whatever
    `workers` and `chunk` are. A context manager; with 0 workers everything happens in this process.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        verdicts: list[FontVerdict],
        options: WordOptions,
        workers: int = 1,
        chunk: int = 512,
    ) -> None:
        self._chunk = chunk
        self._ahead: dict[tuple[int, int], list[AsyncResult[list[Sample]]]] = {}
        self._pool: Pool | None = None
        if workers:
            # A fresh interpreter a worker: a forked copy of TensorFlow's threads would hang.
            context = multiprocessing.get_context("spawn")
            self._pool = context.Pool(workers, _start_worker, (vocabulary, verdicts, options))
        else:
            self._generator = WordGenerator(vocabulary, verdicts, options)

    def __call__(self, start: int, stop: int) -> Iterator[Sample]:
        """Items `start` to `stop - 1`."""
        if self._pool is None:
            yield from self._generator.samples(start, stop)
            return
        tasks = self._ahead.pop((start, stop), None) or self._submit(start, stop)
        self._ahead = {(stop, 2 * stop - start): self._submit(stop, 2 * stop - start)}
        for task in tasks:
            yield from task.get()

    def _submit(self, start: int, stop: int) -> list[AsyncResult[list[Sample]]]:
        assert self._pool is not None
        firsts = range(start, stop, self._chunk)
        return [self._pool.apply_async(_work, ((first, min(first + self._chunk, stop)),)) for first in firsts]

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool.join()

    def __enter__(self) -> WordStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def validation_options(options: WordOptions, split: str = "val") -> WordOptions:
    """Words to judge by, of families held out from training.

    They are drawn as when the first models were scored, whatever is trained on, so that scores can be compared: as wide
    as the corpus makes them, no smaller than 9 px, and without what came later.
    """
    return replace(
        options,
        widths="text",
        visible=False,
        set_off=0.0,
        small_bleed=0.0,
        kerned=0.0,
        ligatures=0.0,
        small_caps=0.0,
        raised=0.0,
        clipped=0.0,
        smallest_px=max(9.0, options.smallest_px),
        corpus=replace(options.corpus, elisions=0.0, curly=0.0),
        fonts=replace(options.fonts, split=split),
    )
