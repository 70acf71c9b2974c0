"""Every threshold of decoding, with its unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DecodeOptions:
    """How the decoders `careful` and `beam` of `ocrkit.recognition.Recognizer` go from outputs to text.

    The values were chosen on FUNSD's tune half and on receipts that SROIE's test is not part of.

    Attributes:
        least_confidence: a reading less confident than this is no word, and not looked at again.
        wide_confidence: the same of a crop wider than the network sees at once, whose search takes long.
        most_confidence: a reading more confident than this is right nearly always, and not looked at again.
        known_confidence: the same for words that are all in the lexicon.
        settled: times as likely as every other text, from which on the first look's likeliest one needs no second look.
        trim: heights of paper cut off above and below for the second look, at most.
        stretch: times its width a crop is stretched to for the second look.
        narrow_characters: of a doubtful reading, from which on it is told whether its characters are narrow,
        narrow_width: width of such a character, at most, over the crop's height; then the crop is read again
        usual_width: with its characters so wide,
        most_stretch: but stretched by no more than this,
        wider_gain: and what is read then taken if it is surer by this, at least.
        texts: kept after each time step of the search.
        choices: classes tried at a time step, at most.
        least_probability: of a class that is tried.
        faint: share of the likeliest text's probability; a less probable text is not kept.
        lexicon_weight: how many times likelier than by the picture alone a word of the lexicon is that is met once in a
            million words (Zipf frequency 3), as a natural logarithm.
        lexicon_slope: what is added to that for each power of ten by which a word is more frequent.
        lexicon_length: letters from which on a word is worth all of that, shorter ones their share of it.
        plain_dashes: whether dashes are given as hyphens, which look alike once cut out of their line: an em dash but
            between two letters, an en dash before a number and behind a single capital or figure.
        close_marks: whether blanks at the ends, before `: ; , . )` and behind `(` are left out: they are narrow print
            or a typist's habit.
        figure_confidence: of a reading below which letters beside figures that look like figures become such: `l00%`.
        ranked: whether the text is chosen by `ocrkit.recognition.ranking` where a second look was taken and there is a
            lexicon; else it is the likeliest with what its words are worth.
    """

    least_confidence: float = 0.1
    wide_confidence: float = 0.5
    most_confidence: float = 0.94
    known_confidence: float = 0.75
    settled: float = 15.0
    trim: float = 0.1
    stretch: float = 1.15
    narrow_characters: int = 3
    narrow_width: float = 0.38
    usual_width: float = 0.5
    most_stretch: float = 2.0
    wider_gain: float = 0.05
    texts: int = 8
    choices: int = 4
    least_probability: float = 3e-2
    faint: float = 1e-2
    lexicon_weight: float = 2.5
    lexicon_slope: float = 0.8
    lexicon_length: int = 6
    plain_dashes: bool = True
    close_marks: bool = True
    figure_confidence: float = 0.94
    ranked: bool = False

    @property
    def lexicon_worth(self) -> tuple[float, float, int]:
        """The weight, the slope and the length of `Lexicon.bonus`."""
        return self.lexicon_weight, self.lexicon_slope, self.lexicon_length
