"""Every threshold of the detector, with its unit. "Heights" are multiples of the page's typical letter height."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorOptions:
    """Thresholds of `ocrkit.detection.detect`.

    Attributes:
        max_pixels: px; larger images are shrunk to this size before anything is looked for.
        min_text_px: px; a page whose typical letter is lower than this is enlarged twofold.
        max_text_px: px; a page whose typical letter is higher than this is shrunk to it.
        window_px: px; side of the window whose mean is the local background.
        contrast: grey levels by which ink differs from the local background.
        dark_ground: share of the page's usual brightness; light text is looked for where the surroundings are darker.
        rule_length: heights; straight strokes at least this long are table rules and underlines, not text.
        rule_thickness: heights; thicker strokes are no rules.
        min_area: px; smaller regions are noise.
        min_letter: heights; lower regions are punctuation, which joins a line but never starts one.
        max_letter: heights; higher regions are pictures, frames and blots.
        max_width: heights; wider regions are frames and rules, not letters that touch.
        min_surround: grey levels between a region's ink and the paper around it.
        overlap: share of the higher of two neighbours that both must cover vertically to stand on one line.
        height_ratio: times one neighbour on a line may be as high as the next.
        reach: heights; widest gap within a line.
        punctuation_reach: heights; widest gap between punctuation and the letter it belongs to.
        min_word: heights of the line; what is lower than this is punctuation and goes with a word beside it.
        margin: heights; how far a word's box stands off its ink on every side.
        min_alone: heights; a word alone on its line is noise when it is lower, margin included.
        min_aspect: width over height; a word alone on its line is a stroke when it is narrower, margin included.
        clash: share of the smaller of two words' boxes beyond which they cannot both be words.
    """

    max_pixels: int = 4_000_000
    min_text_px: float = 6.0
    max_text_px: float = 14.0
    window_px: int = 31
    contrast: float = 20.0
    dark_ground: float = 0.56
    rule_length: float = 4.0
    rule_thickness: float = 0.6
    min_area: int = 4
    min_letter: float = 0.5
    max_letter: float = 6.0
    max_width: float = 25.0
    min_surround: float = 20.0
    overlap: float = 0.4
    height_ratio: float = 2.5
    reach: float = 2.0
    punctuation_reach: float = 0.8
    min_word: float = 0.6
    margin: float = 0.1
    min_alone: float = 0.8
    min_aspect: float = 0.45
    clash: float = 0.5
