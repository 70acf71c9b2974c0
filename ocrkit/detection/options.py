"""Every threshold of the detector, with its unit. "Heights" are multiples of the page's typical letter height."""

from __future__ import annotations

from typing import Literal

from ocrkit.options import options_class


@options_class
class DetectorOptions:
    """Thresholds of `ocrkit.detection.detect`.

    Attributes:
        cues: what letters are found by: "components" of ink darker than its surroundings by one contrast, "mser"
            (regions that keep their shape through many contrasts), or both.
        max_pixels: px; larger images are shrunk to this size before anything is looked for.
        longest_aspect: long side over short one; a taller page is looked at in bands, and of a wider one only so much
            counts against `max_pixels`.
        band_aspect: height of such a band over its width, at least.
        band_beyond: of its width; how far above and below it the page is looked at, too.
        min_text_px: px; a page whose typical letter is lower than this is enlarged twofold.
        max_text_px: px; a page whose typical letter is higher than this is shrunk to it.
        window_px: px; side of the window whose mean is the local background.
        contrast: grey levels by which ink differs from the local background.
        noise_contrast: standard deviations of the image's noise; the same, where this is more.
        faint_ink: grey levels by which faint print is darker than its surroundings, at most.
        faint_share: of a page's ink, that is so faint and near nothing darker where print is faint, more than.
        faint_piece: px; area of a typical piece of ink there, at least; screens and dirt are of smaller ones.
        faint_contrast: the `contrast` of what touches faint ink there; that of `noise_contrast`, where it is more.
        faint_aspect: times as wide as high a letter is that such ink makes of its pieces, at most.
        paper_share: of the page, that is no brighter than its paper is taken to be.
        dark_ground: share of the paper's brightness; light text is looked for where the ground is darker.
        dark_row: the same; the end of a lighter ground is no ink.
        even_ground: grey levels by which a page's ground varies, at most, where it is even.
        even_share: of the page, that such a ground covers, at least.
        bright_ground: grey levels, from which on an even ground is paper and not the ground of light print.
        ground_size: heights; side of a square that is a ground of its own if no part of it is lighter.
        ground_contrast: grey levels by which such a ground differs from its surroundings, at most.
        badge_height: heights; of a ground hardly higher than the light print on it, from and to.
        badge_aspect: times as wide as high it is, at least.
        badge_fill: share of its box, that it fills with its print, at least; rounded corners leave some.
        badge_ground: share of that, that no print covers, at least.
        badge_print: heights, squared; ink of the least print on it.
        badge_ink: of the contrast of that; what is so much darker than the badge is ink.
        rule_length: heights; straight strokes at least this long are table rules and underlines, not text.
        rule_thickness: heights; thicker strokes are no rules.
        underline_length: heights; of a line below a single word, at least.
        underline_piece: heights; of each of its pieces, at least.
        underline_gap: heights; between two of these, at most.
        underline_thickness: heights; it is no thicker,
        underline_reach: heights; nor is there anything below it, so far,
        underline_clear: along more than this share of it,
        underlined_share: but something stands on it along this share of it, from and to,
        feet_share: the most of it, where ink stands level with it close to either end,
        underlined_height: heights; which is nowhere as high as this.
        marked_underline: heights; width of a line below a word that a comma touches, at least, and the height of both
            together, at most.
        underline_cover: of such a line's width, that is a level stroke, at least.
        marked_share: the same, that the marks on it cover, at most.
        underlined_letters: the same, that the letters of its word cover, at least.
        underlined_gap: heights; how far above the line these end, at most.
        blank_off: heights; by which the ends of the lines of a form's column differ, at most,
        blanks: of which so many more are on the page, at least,
        filled_share: and along this share of which something stands on it, from and to.
        foot_height: heights; of what a rule has left of a low letter whose foot it runs through, from and to.
        foot_near: heights; of such a foot, at most, and of what stands beside it off the rule.
        foot_reach: heights; from one letter to the next beside it.
        foot_share: of letters so near a rule, that it runs through, at least.
        side_height: heights; an upright stroke from one rule to the next is a frame's side, not a letter, when it is as
            high as this.
        strike_length: heights; of a stroke that strikes words through, at least.
        strike_thickness: heights; such a stroke is thinner.
        strike_ink: of the strongest contrast around such a stroke, that its ink has at least,
        strike_even: along this share of its length, at least.
        strike_part: heights; the parts of letters that touch it from above or below are at least so high,
        strike_share: along this share of its length,
        strike_beyond: heights; it goes on beyond them by this, at most, and at all,
        strike_sure: heights; if it is no longer than this,
        strike_most: heights; and lower than this by half of their width, either,
        strike_letter: both of them together with the stroke than this.
        strike_whole: of a word's width, that strokes run through, at least.
        mser_delta: grey levels through which an MSER keeps its shape.
        mser_max_variation: share of an MSER's area that may change within `mser_delta`.
        mser_min_diversity: share of its area by which an MSER differs from the next larger one around it; OpenCV 5.0.0
            drops the most stable regions, too, where it is not 0.
        min_area: px; smaller regions are noise, but for the points of a colon.
        speck_contrast: of the contrast of the page's letters; that of such a point, at least.
        point_odds: times as many of such points stand at the foot of letters as higher up, at least.
        min_letter: heights; lower regions are punctuation, which joins a line but never starts one.
        min_small_px: px; lower letters are not looked for among the marks of larger print.
        min_detail: times as large as the page is looked at, from which on that is worth a second look for them.
        min_small_letters: of the longest word of a line of such small letters, at least.
        dot_fill: share of its box that a dot's ink covers, more than a small letter's.
        low_letter: of a letter's height, that a mark on its foot has if it is a low letter of small print, at least.
        low_foot: of that height; how far one of them may end below the other.
        low_gap: of that height; widest gap between them.
        max_letter: heights; higher regions are pictures, frames and blots.
        max_width: heights; wider regions are frames and rules, not letters that touch.
        edge_height: heights; from which on a stroke is a part of a sheet's edge or of a frame,
        edge_aspect: if it is so many times as high as wide, more than a bracket,
        edge_gap: and no letter is so near it, a share of its height.
        blot_fill: share of its box that the ink of a blot covers, more than a bold letter's.
        blot_aspect: width over height of a blot, at least; a bold I or l is as full, but narrow.
        blot_size: heights; shorter side of a blot, at least.
        block_side: of each side of a block of that size, that is ink, at least; of no letter all four are.
        block_large: heights; shorter side of a block that may have round corners, at least.
        block_round: of each side of such a block, that is ink, at least.
        block_full: of such a block's box, that is ink, at most where it is its rim, and at least where it is all of it.
        block_skew: of its longer side, by which its sides may lean.
        around_height: of the height of the letters in its box; that of what is a stamp or a frame, no letter, at least.
        around_letters: such letters, at least.
        touching_height: heights; of letters of two rows that touch, from and to.
        touched_height: heights; of the letters beside them that tell the two rows, from and to.
        touching_reach: heights; no farther off are these.
        touching_level: heights; by which the feet of the lower ones may differ from theirs, and rows be uneven.
        touching_leading: heights; from the feet of the upper ones to those of the lower ones, at least.
        touching_width: heights; what is wider than the first and narrower than the second may be an initial, so both
            rows have letters on both sides of it.
        touching_ink: heights; of their ink in the thinnest row of pixels between the two, at most,
        touching_share: or of their width.
        touched_ink: heights; of the ink in some row of pixels of the lower one, at least; an upright stroke has less.
        leader_size: heights; of a point of a leader, at most.
        mark_width: heights; of a mark, at most.
        dash_width: heights; of a dash, at most.
        underscores_width: heights; of underscores that touch each other, at most.
        underscore_reach: of its neighbour's height; how far an underscore stands off it, at most.
        underscore_off: the same; how far it may lie below its foot.
        dash_aspect: width over height of a dash that is wider than other marks, at least.
        dash_fill: share of its box that the ink of such a dash covers, at least.
        mark_size: heights; longer side of a mark, at least.
        faint_mark: of the contrast of its line's letters; that of a mark, at least.
        min_surround: grey levels between a region's ink and the paper around it.
        ink_share: of a word's box, that ink covers at least.
        inner_edge: share of the upper and lower edge of a box inside a word of the other ink, that is not its ground.
        max_colon: heights; two marks one above the other that reach no further are a colon or an equals sign.
        mark_ratio: times one of these two may be as wide or as high as the other.
        max_letters: number of regions; of more than these only the clearest are looked at.
        overlap: share of the higher of two neighbours that both must cover vertically to stand on one line.
        height_ratio: times one neighbour on a line may be as high as the next.
        sign_inside: of its height, that a letter beside an equals sign covers if both are of one line, at least.
        reach: heights; widest gap within a line.
        min_run_aside: letters one below the other, closer than any beside them, that are taken to run up or down the
            page, at least.
        min_turned: such letters on a page, at least; fewer are chance.
        most_turned: share of all letters, at most; a page with more lies on its side.
        words_aside: times as many words as stand level, that may run up or down a page with such runs.
        close_aside: of such a letter's size; the gap to the next, at most.
        aside_ratio: of the gap to the nearest letter beside it; the same.
        reach_aside: heights; widest gap within a line that runs up or down the page.
        min_letters_aside: number of letters of such a line's longest word, at least; letters of a level line of as many
            are no part of it.
        accent_height: of the height of the letter below it; longer side of an accent at least, and its height at most.
        accent_below: of the height of its line's capitals; that of a letter whose accent stands by itself, at most.
        accent_gap: of the same; how far above it an accent ends, at most.
        note_size: of the height of the letter it follows; a raised number's height, from and to.
        note_foot: of that letter's height; how far above its foot such a number ends, at least.
        note_top: of that letter's height; how far below its top such a number begins, at most.
        note_overlap: of that letter's height; how far such a number may begin before the letter's end.
        note_reach: of that letter's height; how far behind the letter its figures begin, at most.
        note_figures: that such a number has, at most; letters of a word of a line above may stand as raised.
        note_level: of the lower one's height; how far figures of one number may end one above the other.
        note_drop: of the lower one's height; what ends so much below a letter beside it is no number of a note.
        capital_share: of a line's letters, that are no higher than its capitals.
        raised_foot: of the capitals' height; how far above the baseline a raised part ends, at least.
        raised_top: of the capitals' height; how far above the baseline it begins, at least.
        raised_height: of the capitals' height; it is no higher.
        over_letter: of its width, that lies above another part if it is the dot of an i or an accent, at least.
        mark_height: of a neighbour's height; what is no higher and level with no letter is a mark beside it.
        mark_line: of the same; the height of its line's highest letters, at most, which a mark is compared with.
        mark_run: that so many marks stand close and level with each other, at most, as those of a quotation do.
        mark_gap: of their height; the gap between such marks, at most.
        mark_slim: of its height; width of an apostrophe or half of a quotation mark, at most.
        mark_wide: the same of a whole quotation mark, whose halves touch.
        mark_aspect: of its height; width of any mark that is as high as a low letter, at most.
        mark_size_beside: of the height of the letter beside it; height of these, at most.
        mark_least: the same, at least.
        mark_off: of a neighbour's height; how far above or below it the middle of a mark may lie.
        mark_over: the same, above the letter that it belongs to, which is low beside a face's capitals.
        owner_ratio: times as high as another letter that a mark may belong to, its own is at most.
        point_level: of its width; how far one point of an ellipsis may end above the next.
        point_reach: of its width; widest gap to the next one.
        hanging: of a letter's height; how far it hangs below its line, at most.
        hook: the same; how far what hangs there reaches to a side, at least; a bracket's end does by less.
        two_rows: share of a line's letters that stand above others of it, from which on it is two lines.
        punctuation_reach: heights; widest gap between punctuation and the letter it belongs to.
        level: heights; letters whose tops or feet differ by no more stand level.
        min_level_share: share of neighbours that stand level, at least, on a line of print.
        min_level_share_whole: the same where pieces of letters were put together.
        piece_ratio: times as wide as one piece of a letter another may be.
        piece_px: px; a narrower piece counts as so wide.
        broken_share: of a page's letters, that are pieces of others if its print is broken, at least.
        broken_strung: of a page's letters, that are on lines if it is print, at least.
        broken_gap_px: px; height of the gaps that such print has, at most.
        page_weight: pairs of neighbours; how much the page as a whole weighs in that share.
        cell_steps: from one letter to the next, by which a line is told to be set in cells, at least.
        cell_even: mean over these of the cosine of how far they are off whole cells, a cell being a full turn.
        cell_even_other: the same of lines with fewer of them, on a page whose steps are so even all together.
        cell_steps_told: steps of a line, by which it is told not to be set in cells; of shorter ones the page tells.
        cell_even_likely: the same mean of a line that may be set in cells, at least.
        cell_share: of the page's steps, that such lines have, at least.
        cell_least: the same, their number.
        cell_blank: of a cell's width, that underscores leave blank, at most; a rule is of any length.
        cell_over: the same, that they reach beyond their cells.
        speck_area: squared heights of the line; what is smaller is dirt, but for points at its foot.
        cell_speck_area: the same where characters stand in cells.
        cell_mark_top: heights; how far above the baseline marks that stand in cells end, at most.
        min_word: heights of the line; what is lower than this is punctuation and goes with a word beside it.
        min_dash: heights of the line; a mark at least this wide between two spaces is a word, too: a dash.
        min_star: heights of the line; shorter side of a mark that may be an asterisk, at least.
        dot_round: times as long as its shorter side a dot between two words is, at most.
        dot_middle: heights of the line; from the foot of the word before it to its middle, from and to.
        dot_off: heights of the line; by which the gaps before and behind it differ, at most.
        star_foot: heights of the line; how far above the foot of what stands beside it such a mark ends, at least.
        sure_space: probability of a space on both sides, from which on an asterisk is a word.
        slim_colon: heights of the line; width of a colon, which is a word between any two spaces, at most.
        margin: heights; how far a word's box stands off its ink on every side.
        min_alone: heights; a word alone on its line is noise when it is lower, margin included.
        min_aspect: width over height; a word alone on its line is a stroke when it is narrower, margin included.
        min_brace: the same of a brace alone on its line, where characters stand in cells.
        same_row: share of its height by which a word alone on its line stands level with a longer one in the same row
            of a table, at least; it is no noise then.
        between: of the lower one's height; how far a word reaches into a line of the other ink above it, and below it,
            from which on it is but the ground between the two.
        band_height: times the height of the words of the other ink in it, from which on what passes for a word of fewer
            letters is their ground.
        edge_share: of the ink's contrast, from which on a pixel belongs to a word's box.
        thin_px: shorter side of a dash or a stroke, of which a line of pixels is a good part, at most.
        dash_px: the same of what is surely a dash, and blurred.
        thin_edge_share: the same of these.
        faint_sign: of the contrast of the page's letters; that of a sign alone, at least.
        sign_rows: heights of the row; a sign alone may stand so far from the word whose row it is in.
        cell_rows: the same of a sign in a table's cell, as other cells of its row may hold signs, too.
        dash_reach: heights of the row; the same of a dash in no table, unless it stands between words or another one of
            the page is as large.
        sign_apart: of its longer side; nothing stands nearer to a sign that stands alone.
        long_dash: of the height of words; width of a long dash, at least.
        dash_apart: the same; nothing stands nearer beside such a dash.
        number_reach: of its height; how far the dashes on both sides of a page's number stand off it, at most.
        number_off: of that; how far one of them may stand nearer than the other, or be longer.
        dash_place: from a row's top to its bottom, between which shares a dash or a bullet has its middle.
        longest_dash: heights of the row.
        bullet_reach: heights of the row; a bullet's word begins no farther to its right.
        cell_apart: heights; nothing stands nearer beside a bullet, equals sign or ellipsis that is a table's cell.
        star_place: from a row's top to its bottom, the share at which such an asterisk has its middle, at least.
        column_off: heights; how far the middles or right ends of what stands in one column, and left ends of dashes,
            may lie apart.
        column_reach: heights; from one of them to the next, at most.
        column_cells: above and below such a cell, at least.
        column_alike: times as wide or high as such a cell; another sign of its column, at most, a px apart.
        rule_step: of the length of a dash or the height of a dot; from one's middle to the next one's in a dashed or
            dotted rule, at most.
        rule_step_most: heights of words; the same.
        rule_off: heights of words; how far one of them may stand out of their row or column.
        rule_signs: of such a rule, at least.
        stroke_width: of its height; an upright stroke that is a one or an I is no wider.
        equals_height: heights; of an equals sign that is a table's cell, from and to.
        equals_aspect: times as wide as high such a sign is, at least; it is no wider than letters are high.
        equals_fill: share of its box that its ink covers, from and to.
        point_size: heights; a point of an ellipsis that is a table's cell is smaller.
        point_apart: heights; widest gap between two of them.
        point_even: heights; how far their steps may differ, a px apart.
        ellipsis_aspect: times as wide as high such an ellipsis is, at least.
        ellipsis_width: heights; the same.
        ellipsis_fill: share of its box that its ink covers, less than a dash's.
        most_signs: alone on a page; more are a texture.
        check_size: heights; of an empty check box, from and to.
        check_px: px; height of the smallest one that can be told from an O.
        check_aspect: times as wide as high, or as high as wide, at most.
        check_corner: share of each of its corners that ink covers, at least.
        check_stroke: of its height; width of its sides.
        check_drawn: share of each side that is drawn, at least.
        check_inside: share of what is inside that ink covers, at most.
        check_apart: of its height; nothing level with it stands nearer.
        check_clear_px, clear_check_apart: px; height from which on its corners are sharp, and the same of these.
        check_free: of its height; on one side nothing stands nearer.
        check_share: of a page's small ones, and of the others, that must stand so free, at least.
        check_reach: of its height; widest gap to the word beside it.
        least_checks: on a page; of fewer none is believed.
        clash: share of the smaller of two words' boxes beyond which they cannot both be words.
        clash_height: times as high as the other one of them is, from which on its line must have more letters.
        mark_beyond: heights; by how much a word goes beyond the same one found as small print, without its marks, on
            the left, above, on the right and below, at most.
        risen: how many times as high as its low letters a line's highest word is at least.
    """

    cues: tuple[Literal["components", "mser"], ...] = ("components",)
    max_pixels: int = 4_000_000
    longest_aspect: float = 5.0
    band_aspect: float = 1.4
    band_beyond: float = 0.2
    min_text_px: float = 6.0
    max_text_px: float = 17.0
    window_px: int = 31
    contrast: float = 20.0
    noise_contrast: float = 4.0
    faint_ink: float = 120.0
    faint_share: float = 0.3
    faint_piece: float = 6.0
    faint_contrast: float = 10.0
    faint_aspect: float = 1.1
    paper_share: float = 0.8
    dark_ground: float = 0.74
    dark_row: float = 0.72
    even_ground: float = 20.0
    even_share: float = 0.7
    bright_ground: float = 170.0
    ground_size: float = 2.0
    ground_contrast: float = 50.0
    badge_height: tuple[float, float] = (1.2, 4.0)
    badge_aspect: float = 1.2
    badge_fill: float = 0.85
    badge_ground: float = 0.5
    badge_print: float = 0.1
    badge_ink: float = 0.4
    rule_length: float = 7.0
    rule_thickness: float = 0.6
    underline_length: float = 3.5
    underline_piece: float = 1.0
    underline_gap: float = 0.12
    underline_thickness: float = 0.25
    underline_reach: float = 0.3
    underline_clear: float = 0.15
    underlined_share: tuple[float, float] = (0.1, 0.8)
    feet_share: float = 0.5
    underlined_height: float = 1.6
    marked_underline: tuple[float, float] = (1.2, 0.9)
    underline_cover: float = 0.85
    marked_share: float = 0.4
    underlined_letters: float = 0.4
    underlined_gap: float = 0.4
    blank_off: float = 0.3
    blanks: int = 2
    filled_share: tuple[float, float] = (0.05, 0.8)
    foot_height: tuple[float, float] = (0.3, 0.65)
    foot_near: float = 0.4
    foot_reach: float = 4.0
    foot_share: float = 0.85
    side_height: float = 1.5
    strike_length: float = 1.8
    strike_thickness: float = 0.5
    strike_ink: float = 0.5
    strike_even: float = 0.9
    strike_part: float = 0.2
    strike_share: float = 0.2
    strike_beyond: float = 1.5
    strike_sure: float = 5.0
    strike_most: float = 1.1
    strike_letter: float = 1.85
    strike_whole: float = 0.6
    mser_delta: int = 30
    mser_max_variation: float = 2.5
    mser_min_diversity: float = 0.0
    min_area: int = 2
    speck_contrast: float = 0.7
    point_odds: float = 3.0
    min_letter: float = 0.5
    min_small_px: float = 4.0
    min_detail: float = 1.3
    min_small_letters: int = 3
    dot_fill: float = 0.78
    low_letter: float = 0.55
    low_foot: float = 0.06
    low_gap: float = 1.6
    max_letter: float = 12.0
    max_width: float = 25.0
    edge_height: float = 2.2
    edge_aspect: float = 10.0
    edge_gap: float = 0.5
    blot_fill: float = 0.8
    blot_aspect: float = 0.5
    blot_size: float = 1.6
    block_side: float = 0.97
    block_large: float = 4.0
    block_round: float = 0.75
    block_full: tuple[float, float] = (0.3, 0.85)
    block_skew: float = 0.02
    around_height: float = 2.0
    around_letters: int = 3
    touching_height: tuple[float, float] = (1.35, 2.8)
    touched_height: tuple[float, float] = (0.6, 1.3)
    touching_reach: float = 2.0
    touching_level: float = 0.2
    touching_leading: float = 1.15
    touching_width: tuple[float, float] = (1.1, 3.5)
    touching_ink: float = 0.3
    touching_share: float = 0.15
    touched_ink: float = 0.35
    leader_size: float = 0.45
    mark_width: float = 1.5
    dash_width: float = 2.4
    underscores_width: float = 4.0
    underscore_reach: float = 0.4
    underscore_off: float = 0.5
    dash_aspect: float = 4.0
    dash_fill: float = 0.6
    mark_size: float = 0.1
    faint_mark: float = 0.35
    min_surround: float = 20.0
    ink_share: float = 0.1
    inner_edge: float = 0.25
    max_colon: float = 1.0
    mark_ratio: float = 1.7
    max_letters: int = 20_000
    overlap: float = 0.4
    height_ratio: float = 2.5
    sign_inside: float = 0.9
    reach: float = 2.0
    min_run_aside: int = 3
    min_turned: int = 30
    most_turned: float = 0.45
    words_aside: float = 3.0
    close_aside: float = 0.35
    aside_ratio: float = 0.5
    reach_aside: float = 1.0
    min_letters_aside: int = 3
    accent_height: tuple[float, float] = (0.18, 0.6)
    accent_below: float = 0.85
    accent_gap: float = 0.35
    note_size: tuple[float, float] = (0.4, 0.95)
    note_foot: float = 0.45
    note_top: float = 0.15
    note_overlap: float = 0.2
    note_reach: float = 1.3
    note_figures: int = 3
    note_level: float = 0.2
    note_drop: float = 0.3
    capital_share: float = 0.9
    raised_foot: float = 0.3
    raised_top: float = 0.65
    raised_height: float = 0.8
    over_letter: float = 0.5
    mark_height: float = 0.72
    mark_line: float = 1.4
    mark_run: int = 2
    mark_gap: float = 0.8
    mark_slim: float = 0.65
    mark_wide: float = 1.5
    mark_aspect: float = 3.0
    mark_size_beside: float = 0.68
    mark_least: float = 0.3
    mark_off: float = 0.3
    mark_over: float = 0.45
    owner_ratio: float = 3.5
    point_level: float = 0.5
    point_reach: float = 5.0
    hanging: float = 0.5
    hook: float = 0.12
    two_rows: float = 0.08
    punctuation_reach: float = 0.8
    level: float = 0.12
    min_level_share: float = 0.7
    min_level_share_whole: float = 0.8
    piece_ratio: float = 2.5
    piece_px: float = 3.0
    broken_share: float = 0.017
    broken_strung: float = 0.85
    broken_gap_px: int = 2
    page_weight: float = 20.0
    cell_steps: int = 4
    cell_even: float = 0.85
    cell_even_other: float = 0.65
    cell_steps_told: int = 10
    cell_even_likely: float = 0.6
    cell_share: float = 0.35
    cell_least: int = 30
    cell_blank: float = 0.3
    cell_over: float = 0.07
    speck_area: float = 0.012
    cell_speck_area: float = 0.025
    cell_mark_top: float = 0.8
    min_word: float = 0.6
    min_dash: float = 0.25
    min_star: float = 0.25
    dot_round: float = 1.4
    dot_middle: tuple[float, float] = (0.25, 0.65)
    dot_off: float = 0.2
    star_foot: float = 0.3
    sure_space: float = 0.8
    slim_colon: float = 0.35
    margin: float = 0.1
    min_alone: float = 0.8
    min_aspect: float = 0.45
    min_brace: float = 0.25
    same_row: float = 0.9
    between: float = 0.25
    band_height: float = 1.5
    edge_share: float = 0.5
    thin_px: float = 4.0
    dash_px: float = 6.0
    thin_edge_share: float = 0.3
    faint_sign: float = 0.3
    sign_rows: float = 40.0
    cell_rows: float = 80.0
    dash_reach: float = 1.3
    sign_apart: float = 0.35
    long_dash: float = 0.8
    dash_apart: float = 0.12
    number_reach: float = 1.5
    number_off: float = 0.2
    dash_place: tuple[float, float] = (0.25, 0.8)
    longest_dash: float = 1.6
    bullet_reach: float = 3.0
    cell_apart: float = 1.0
    star_place: float = 0.1
    column_off: float = 0.3
    column_reach: float = 8.0
    column_cells: int = 3
    column_alike: float = 1.2
    rule_step: float = 3.0
    rule_step_most: float = 1.2
    rule_off: float = 0.2
    rule_signs: int = 3
    stroke_width: float = 0.5
    equals_height: tuple[float, float] = (0.2, 0.6)
    equals_aspect: float = 1.2
    equals_fill: tuple[float, float] = (0.4, 0.8)
    point_size: float = 0.3
    point_apart: float = 0.6
    point_even: float = 0.1
    ellipsis_aspect: float = 3.0
    ellipsis_width: float = 0.5
    ellipsis_fill: float = 0.6
    most_signs: int = 400
    check_size: tuple[float, float] = (0.75, 2.4)
    check_px: float = 7.0
    check_aspect: float = 1.35
    check_corner: float = 0.5
    check_stroke: float = 0.15
    check_drawn: float = 0.75
    check_inside: float = 0.1
    check_apart: float = 0.33
    check_clear_px: float = 12.0
    clear_check_apart: float = 0.1
    check_free: float = 0.6
    check_share: float = 0.5
    check_reach: float = 3.0
    least_checks: int = 2
    clash: float = 0.5
    clash_height: float = 2.0
    mark_beyond: tuple[float, float, float, float] = (0.7, 0.5, 0.7, 0.5)
    risen: float = 1.25
