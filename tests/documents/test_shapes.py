"""What a word's line tells about it that its crop does not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ocrkit.detection import Parts
from ocrkit.documents.dashes import DashOptions, with_dashes
from ocrkit.documents.ink import reach_of
from ocrkit.documents.joins import Piece
from ocrkit.documents.quotes import QuoteOptions, with_quotes
from ocrkit.documents.raised import RaisedOptions, with_raised
from ocrkit.documents.screen import ScreenOptions, unscreened
from ocrkit.documents.shapes import ShapeOptions, by_shape
from ocrkit.recognition import Guess


def piece(text, width=40, height=20):
    spans = np.zeros((len(text), 2))
    return Piece(
        np.array([0, 0, width, height], float), 0, np.zeros((height, width), np.uint8), Guess(text, 0.9, spans)
    )


def texts(rows):
    return [piece.guess.text for row in rows for piece in row]


@pytest.mark.parametrize(
    ("beside", "length", "named"),
    [
        (("-", 8), 8, "-"),
        (("-", 8), 12, "–"),
        (("-", 12), 12, "-"),  # a typewriter's hyphens, which are all as long
        (("-", 8), 24, "—"),
    ],
)
def test_a_dash_is_named_by_its_length(beside, length, named):
    sign, width = beside
    rows = by_shape([[piece("Total")], [piece(sign, width, 2)], [piece("-", length, 2)]], ShapeOptions())
    assert texts(rows)[-1] == named


@pytest.mark.parametrize(
    ("text", "meant", "place"),
    [
        ("_4.45", "4.45", (8, 40)),
        ("WRITER:_", "WRITER:", (0, 56)),
        ("_name", "_name", (0, 40)),  # a program's
        ("A_B_", "A_B_", (0, 32)),
    ],
)
def test_ends_of_the_rule_that_a_word_stands_on_are_no_part_of_it(text, meant, place):
    width = 8 * len(text)
    spans = np.array([[8 * i, 8 * i + 8] for i in range(len(text))], float)
    word = replace(piece(text, width), guess=Guess(text, 0.9, spans))
    ((_, found),) = by_shape([[piece("The"), word]], ShapeOptions())
    assert found.guess.text == meant
    assert tuple(found.place[[0, 2]]) == place


@pytest.mark.parametrize(
    ("text", "height", "meant"),
    [
        ("SO", 14, "so"),
        ("Or,", 14, "or,"),
        ("SO", 20, "SO"),
        ("SE", 14, "SE"),
        ("TO", 14, "TO"),
        # an i that has lost its dot
        ("In", 14, "in"),
        ("IS", 14, "is"),
        ("In", 20, "In"),
        ("If", 20, "If"),
    ],
)
def test_capitals_no_higher_than_small_letters_are_these(text, height, meant):
    assert texts(by_shape([[piece("The"), piece(text, 20, height)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        (["“yes”", "don't", "it’s"], ["“yes”", "don’t", "it’s"]),
        (['"yes"', "don't", "can't", "isn't", "it’s"], ['"yes"', "don't", "can't", "isn't", "it's"]),
        (["“so”", "5'10\""], ["“so”", "5'10\""]),
        (['"so”,', '"no"'], ['"so",', '"no"']),  # a word's marks are a pair
        (["don't", "it’s"], ["don't", "it’s"]),  # one mark of either kind tells nothing
        (["„Ja“,", "„Nein”.", "„Wohl“", 'er."', '7"'], ["„Ja“,", "„Nein“.", "„Wohl“", "er.“", '7"']),
        (["„Tak”,", "„Nie”.", "„A", "b“"], ["„Tak”,", "„Nie”.", "„A", "b”"]),
        (
            ["„Ja“", "“Not", 'I,"', '"but', "he!”", "„du“", "wer”"],
            ["„Ja“", "“Not", "I,”", "“but", "he!”", "„du“", "wer“"],
        ),
        (['"a"', '"b"', '"c"', '"d",', "„e"], ['"a"', '"b"', '"c"', '"d",', "„e"]),  # one among many is misread
        (
            ["„Ja“", '„Nein"', *[f'{n}"' for n in range(9)]],
            ["„Ja“", "„Nein“", *[f'{n}"' for n in range(9)]],
        ),  # not among inches
    ],
)
def test_a_page_has_one_kind_of_marks(read, meant):
    assert texts(with_quotes([[piece(text) for text in read]], QuoteOptions())) == meant


def marked(text, bent):
    """A piece whose raised mark, drawn 4 px wide and 8 high, bends to the left or stands upright."""
    crop = np.full((30, 60), 255, np.uint8)
    for row in range(8):
        crop[2 + row, 30 - (row // 2 if bent else 0) :][:3] = 0
    parts = Parts(np.array([[2, 2, 20, 24], [26, 2, 34, 10], [38, 8, 56, 24]], float), np.array([0, 1, 0], bool), 22.0)
    guess = Guess(text, 0.9, np.zeros((len(text), 2)))
    return Piece(np.array([0, 0, 60, 30], float), 0, crop, guess, parts=parts)


def speckled(text, seed):
    """The same, a straight mark of a bad copy: ink stands out beside it."""
    rough = marked(text, False)
    rough.crop[2:10, [29, 33]] = np.random.default_rng(seed).integers(0, 256, (8, 2))
    return rough


def test_what_noise_does_to_each_mark_bends_no_page():
    read = ["d'une", "it’s", "I'm", "l'eau", "can’t"] * 6
    pieces = [speckled(text, seed) for seed, text in enumerate(read)]
    assert texts(with_quotes([pieces], QuoteOptions())) == [text.replace("’", "'") for text in read]


def test_prose_and_the_program_it_quotes_keep_marks_of_their_own():
    prose, program = ["d’une", "it’s", "I’m"] * 4, ["'x'", "it's", "'y'"] * 4
    pieces = [marked(text, True) for text in prose] + [marked(text, False) for text in program]
    assert texts(with_quotes([pieces], QuoteOptions())) == prose + program


@pytest.mark.parametrize(("bent", "meant"), [(True, ["d’une", "it’s", "I’m"]), (False, ["d'une", "it's", "I'm"])])
def test_the_ink_of_marks_tells_whether_they_are_curled(bent, meant):
    read = ["d'une", "it's", "I’m"]
    assert texts(with_quotes([[marked(text, bent) for text in read]], QuoteOptions())) == meant


def placed(text, x0, y0, x1, y1, confidence=0.9):
    """A piece whose box is full of ink."""
    crop = np.pad(np.zeros((y1 - y0, x1 - x0), np.uint8), 2, constant_values=255)
    guess = Guess(text, confidence, np.zeros((len(text), 2)))
    return Piece(np.array([x0, y0, x1, y1], float), x0, crop, guess)


@pytest.mark.parametrize(
    ("place", "read", "meant"),
    [
        ((60, 10, 80, 12), "~", "—"),
        ((60, 10, 71, 12), "", "–"),
        ((60, 18, 80, 20), "...", "..."),  # on the baseline
        ((60, 10, 180, 12), "_", "_"),  # beside no word on its right
    ],
)
def test_what_is_low_and_wide_half_way_up_between_two_words_is_a_dash(place, read, meant):
    row = [placed("The", 0, 0, 50, 20), placed(read, *place, confidence=0.2), placed("end", 90, 0, 130, 20)]
    hyphen = [placed("The", 0, 0, 50, 20), placed("-", 60, 10, 66, 12)]
    assert texts(by_shape([row, hyphen], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("read", "sure"), [("—", True), ("-", True), ("~", False), ("r", False)])
def test_what_is_read_as_a_dash_may_rise_as_a_pens_does(read, sure):
    row = [placed("The", 0, 0, 50, 20), placed(read, 60, 7, 80, 13, confidence=0.1), placed("end", 90, 0, 130, 20)]
    (found,) = by_shape([row], ShapeOptions())
    assert (found[1].guess.confidence >= ShapeOptions().sign_confidence) == sure


@pytest.mark.parametrize(
    ("before", "left", "behind", "meant"),
    [
        ("0.2", 60, "4.80", "l"),
        ("0,75", 60, "", "l"),
        ("1990", 60, "went", "I"),
        ("4.5", 60, "went", "I"),  # a sentence
        ("0.2", 90, "4.80", "I"),  # far off
    ],
)
def test_an_i_behind_a_number_with_decimals_is_litres(before, left, behind, meant):
    stroke, rest = placed("I", left, 0, left + 4, 20), placed(behind, left + 12, 0, left + 50, 20)
    row = [placed(before, 0, 0, 50, 20), stroke, rest]
    others = [placed("The", 0, 40, 50, 60)]
    assert texts(by_shape([others, row if behind else row[:2]], ShapeOptions()))[2] == meant


@pytest.mark.parametrize(("read", "foot", "meant"), [("|", 20, "l"), ("|", 25, "|"), ("I", 26, "I")])
def test_a_bar_behind_a_number_with_decimals_is_litres_if_no_higher_than_letters(read, foot, meant):
    row = [placed("4.5", 0, 0, 50, 20), placed(read, 60, 0, 64, foot), placed("3.2", 72, 0, 110, 20)]
    assert texts(by_shape([[placed("The", 0, 40, 50, 60)], row], ShapeOptions()))[2] == meant


@pytest.mark.parametrize(("height", "meant"), [(20, "I"), (27, "|")])
def test_an_upright_stroke_alone_in_a_row_of_a_table_is_an_i_or_a_bar(height, meant):
    alone = replace(placed("", 300, 0, 303, height, confidence=0.1), sign=True)
    assert texts(by_shape([[placed("The", 0, 0, 50, 20)], [alone]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("lines", "size", "confidence", "meant"),
    [
        (1, 8, 0.9, "e"),
        (2, 8, 0.9, "•"),
        (2, 13, 0.9, "e"),
        (2, 13, 0.3, "•"),  # larger than most
    ],
)
def test_what_is_small_and_round_before_several_lines_is_their_bullet(lines, size, confidence, meant):
    top = 10 - size // 2
    rows = [[placed("e", 0, top, size, top + size, confidence), placed("The", 20, 0, 60, 20)] for _ in range(lines)]
    assert texts(by_shape(rows, ShapeOptions()))[0] == meant


@pytest.mark.parametrize(
    ("place", "read", "meant"),
    [
        ((60, 0, 63, 20), "", "I"),
        ((60, -3, 63, 25), "", "|"),  # higher than capitals, and below the line
        ((60, 0, 70, 20), "", ""),  # no stroke
        ((60, 0, 63, 20), "l", "l"),  # surely read
        ((60, 0, 67, 20), "", ""),  # its serifs are no sign beside one word
        ((200, 0, 203, 20), "", ""),  # beside no word
    ],
)
def test_an_upright_stroke_beside_a_word_that_was_read_as_nothing_is_an_i_or_a_bar(place, read, meant):
    row = [placed("The", 0, 0, 50, 20), placed(read, *place, confidence=0.9 if read else 0.1)]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(
    ("read", "top", "foot", "confidence", "meant"),
    [
        ("|", 0, 20, 0.45, "I"),
        ("I", -4, 24, 0.5, "|"),
        ("I", -4, 24, 0.9, "I"),  # surely read
        ("", -1, 22, 0.1, "|"),  # hardly higher than capitals
        ("1", 0, 20, 0.45, "1"),
    ],
)
def test_a_bar_and_an_i_between_two_words_are_told_by_their_height(read, top, foot, confidence, meant):
    row = [placed("The", 0, 0, 50, 20), placed(read, 60, top, 63, foot, confidence), placed("tall", 73, 0, 120, 20)]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("read", "meant"), [("", "I"), ("[", "I"), ("1", "1")])
def test_a_stroke_with_serifs_between_two_words_that_was_read_as_nothing_is_an_i(read, meant):
    row = [placed("The", 0, 0, 50, 20), placed(read, 60, 0, 68, 20, 0.1), placed("tall", 78, 0, 120, 20)]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("height", "meant"), [(20, "C"), (14, "c")])
def test_a_letter_by_itself_as_high_as_capitals_is_one(height, meant):
    row = [placed("The", 0, 0, 50, 20), placed("c", 60, 20 - height, 72, 20)]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(
    ("stroke", "meant"),
    [
        ((22, 23, 36, 24), "ab_cd"),
        ((22, 23, 50, 24), "ab__cd"),
        ((0, 23, 60, 24), "ab cd"),  # an underline
        ((22, 2, 36, 3), "ab cd"),  # no stroke below the line
    ],
)
def test_a_stroke_below_a_blank_that_ends_before_the_letters_is_an_underscore(stroke, meant):
    second = 38 if stroke[2] <= 36 or stroke[0] == 0 else 52
    letters = [(0, 0, 8, 20), (11, 0, 19, 20), stroke, (second, 0, second + 8, 20), (second + 11, 0, second + 19, 20)]
    word = inked("ab cd", letters, height=26)
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), word]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "stroke", "meant"),
    [
        ("A_b", (32, 19, 60, 20), "A_b__"),
        ("A_b_", (32, 19, 60, 20), "A_b__"),
        ("A_b", (30, 19, 46, 20), "A_b_"),  # touches its letter
        ("A_b", (32, 19, 120, 20), "A_b"),  # a rule
        ("A_b", (32, 0, 60, 20), "A_b"),  # a letter that was not read
        ("Ab", (32, 19, 60, 20), "Ab"),  # a word that a rule goes on from
        ("A_b,", (32, 16, 42, 20), "A_b,"),  # its own mark
        ("A_b", (32, 16, 35, 20), "A_b"),  # a mark that was not read
    ],
)
def test_strokes_at_the_end_of_a_name_with_underscores_are_underscores(read, stroke, meant):
    name = inked(read, [(0, 0, 8, 17), (9, 19, 20, 20), (22, 0, 30, 17), stroke])
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), name]], ShapeOptions()))[-1] == meant


def test_a_bar_beside_a_word_with_letters_that_hang_is_told_by_the_tops_of_the_others():
    row = [placed("deeply:", 0, 0, 50, 26), placed("", 60, -3, 63, 26, confidence=0.1)]
    above = [placed("The", 0, 0, 50, 20)]
    assert texts(by_shape([above, row], ShapeOptions()))[-1] == "|"


@pytest.mark.parametrize(
    ("place", "confidence", "meant"),
    [
        ((60, 2, 68, 14), 0.3, "*"),
        ((60, 6, 68, 20), 0.3, "x"),  # on the line
        ((60, 2, 68, 16), 0.3, "x"),  # a cross on a form's line
        ((60, 2, 68, 14), 0.9, "x"),  # surely read
    ],
)
def test_an_x_above_the_line_is_an_asterisk(place, confidence, meant):
    row = [placed("The", 0, 0, 50, 20), placed("x", *place, confidence=confidence)]
    assert texts(by_shape([row], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("${r+15)", "${r+15}"),
        ("f(x[1])", "f(x[1])"),
        ("(a]", "(a)"),
        ("[a)", "[a)"),  # either may be misread
        ("a)", "a)"),
    ],
)
def test_a_closing_bracket_is_of_the_kind_of_the_opened_one(read, meant):
    assert texts(by_shape([[piece("The"), piece(read)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "meant"), [("I2", "12"), ("2.I.", "2.1."), ("1O", "10"), ("II", "II"), ("I.", "I."), ("H2O", "H2O")]
)
def test_capitals_among_figures_that_look_like_old_style_ones_are_figures(read, meant):
    assert texts(by_shape([[piece("The"), piece(read)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("compat4l", "compat41"),
        ("--std-c1l", "--std-c11"),
        ("le-7.", "1e-7."),
        ("(le7)", "(1e7)"),
        ("5l", "5l"),  # litres
        ("i18nl", "i18nl"),
        ("h2lo", "h2lo"),
        ("file-7", "file-7"),
    ],
)
def test_an_l_behind_a_names_figure_or_before_an_exponent_is_a_one(read, meant):
    assert texts(by_shape([[piece("The"), piece(read)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("strokes", "meant"),
    [
        ([(4, 0, 8, 20), (12, 6, 14, 20), (18, 0, 22, 20)], "(1)"),
        ([(4, 0, 8, 20), (12, 6, 14, 20), (12, 0, 14, 3), (18, 0, 22, 20)], "(i)"),
    ],
)
def test_a_one_in_brackets_that_is_dotted_is_an_i(strokes, meant):
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), inked("(1)", strokes)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("mark", "meant"),
    [((10, 14, 13, 17), "3.1"), ((10, 9, 18, 11), "3-1"), ((10, 9, 14, 13), "3-1")],  # blur makes small print's higher
)
def test_a_hyphen_between_figures_that_is_no_wider_than_high_and_at_their_foot_is_a_point(mark, meant):
    word = inked("3-1", [(0, 0, 8, 20), mark, (20, 0, 28, 20)])
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), word]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(("read", "place"), [("-", (60, 9, 70, 11)), ("•", (-12, 6, -4, 14))])
def test_a_sign_that_is_hardly_read_as_what_its_shape_says_is_that(read, place):
    row = [placed("The", 0, 0, 50, 20), placed(read, *place, confidence=0.1)]
    row.sort(key=lambda piece: piece.box[0])
    for found in by_shape([row, row], ShapeOptions()):
        sign = next(piece for piece in found if piece.guess.text == read)
        assert sign.guess.confidence >= ShapeOptions().sign_confidence


def test_bullets_far_from_their_text_that_are_hardly_read_tell_each_other():
    rows = [[placed("•", 0, 40 * i + 6, 8, 40 * i + 14, confidence=0.3)] for i in range(3)]
    found = by_shape([[placed("The", 0, -40, 40, -20)], *rows], ShapeOptions())[1:]
    assert [row[0].guess.confidence for row in found] == [0.5] * 3


@pytest.mark.parametrize(("beside", "read", "meant"), [(2, "e", "•"), (1, "e", "e"), (2, "*", "*")])
def test_a_bullet_alone_in_its_row_is_known_by_others_above_and_below(beside, read, meant):
    rows = [[placed("•", 1, 40 * i + 6, 9, 40 * i + 14), placed("The", 20, 40 * i, 60, 40 * i + 20)] for i in (0, 1)]
    rows = [[placed(read, 0, -34, 8, -26, confidence=0.3)], *rows[:beside]]
    assert texts(by_shape(rows, ShapeOptions()))[0] == meant


@pytest.mark.parametrize(
    ("read", "place", "meant"),
    [
        ("", (200, 9, 208, 11), "-"),
        ("", (200, 9, 212, 11), "–"),
        ("=", (200, 9, 212, 11), "="),
        ("", (200, 0, 212, 20), ""),
    ],
)
def test_what_was_found_as_a_dash_alone_in_its_row_and_read_as_nothing_is_one(read, place, meant):
    alone = replace(placed(read, *place, confidence=0.1), sign=True)
    assert texts(by_shape([[placed("The", 0, 0, 50, 20)], [alone]], ShapeOptions()))[1] == meant


def inked(text, strokes, height=20, confidence=0.9):
    """A piece whose letters are drawn in boxes `x0, y0, x1, y1`, one for each of `text` unless there are fewer."""
    width = strokes[-1][2] + 2
    crop = np.full((height + 4, width), 255, np.uint8)
    for x0, y0, x1, y1 in strokes:
        crop[y0 + 2 : y1 + 2, x0:x1] = 0
    middles = np.linspace(strokes[0][0], strokes[-1][2], 2 * len(text) + 1)[1::2]
    if len(strokes) == len(text):
        middles = np.array([(x0 + x1) / 2 for x0, _, x1, _ in strokes])
    guess = Guess(text, confidence, np.stack([middles, middles], 1))
    box = np.array([0, 0, width, height], float)
    return Piece(box + np.array([0, -2, 0, 2]), 0, crop, guess, ink=box)


def columns(*gaps):
    """Letters 8 px wide and 20 high, with `gaps` in px between them."""
    lefts = np.cumsum([0, *(gap + 8 for gap in gaps)]).tolist()
    return [(x, 0, x + 8, 20) for x in lefts]


@pytest.mark.parametrize(
    ("read", "pitch", "meant"),
    [("a..", 9, "a…"), ("a….", 7, "a..."), ("a...", 16, "a..."), ("a…", 5, "a...")],
)
def test_an_ellipsis_is_one_sign_or_three_points_by_how_far_these_are_apart(read, pitch, meant):
    points = [(12 + pitch * i, 17, 15 + pitch * i, 20) for i in range(3)]
    rows = [[placed("The", -60, 0, -10, 20), inked(read, [(0, 0, 8, 20), *points], confidence=0.3)]]
    found = by_shape(rows, ShapeOptions())[0][1].guess
    assert (found.text, found.confidence) == (meant, 0.5)


@pytest.mark.parametrize(("pitch", "meant"), [(12, "a..."), (15, "a..."), (17, "a..."), (18, "a…")])
def test_three_full_stops_stand_closer_than_the_points_of_most_signs(pitch, meant):
    points = [(24 + pitch * i, 34, 30 + pitch * i, 40) for i in range(3)]
    row = [placed("The", -120, 0, -20, 40), inked("a…", [(0, 0, 16, 40), *points], height=40)]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(
    ("read", "steps", "widest", "meant"),
    [
        ("a.", (5, 5), 3, "a..."),
        ("a.", (9, 9), 3, "a…"),
        ("a.", (5, 9), 3, "a."),
        ("a.", (9, 9), 6, "a."),  # low letters of a face with high ones
        ("a", (5, 5), 3, "a"),
    ],
)
def test_an_ellipsis_that_is_read_as_one_point_has_the_points_that_are_seen(read, steps, widest, meant):
    points = [(12, 17, 12 + widest, 20), *((x, 17, x + 3, 20) for x in (12 + steps[0], 12 + sum(steps)))]
    rows = [[placed("The", -60, 0, -10, 20), inked(read, [(0, 0, 8, 20), *points], confidence=0.6)]]
    assert [piece.guess.text for piece in by_shape(rows, ShapeOptions())[0]] == ["The", meant]


def test_the_points_of_one_sign_share_a_typewriters_cell():
    points = [(20 + 4 * i, 17, 22 + 4 * i, 20) for i in range(3)]
    one = replace(inked("a...", [(0, 0, 8, 20), *points]), pitch=14.0)
    stops = [(18 + 14 * i, 17, 21 + 14 * i, 20) for i in range(3)]
    three = replace(inked("a…", [(0, 0, 8, 20), *stops]), pitch=14.0)
    row = [placed("The", -60, 0, -10, 20), one, three]
    assert texts(by_shape([row], ShapeOptions()))[1:] == ["a…", "a..."]


def test_points_behind_a_letter_that_hangs_below_the_line_are_seen():
    points = [(12 + 6 * i, 15, 15 + 6 * i, 18) for i in range(3)]
    tailed = inked("g…", [(0, 0, 8, 28), *points], height=28)
    row = [placed("The", -60, 0, -10, 20), tailed]
    assert texts(by_shape([row], ShapeOptions()))[1] == "g..."


def test_pitches_of_two_ellipses_that_rounding_explains_are_one():
    rows = []
    for x in (0, 1):
        points = [(12 + 4 * i + x * (i > 1), 17, 15 + 4 * i + x * (i > 1), 20) for i in range(3)]
        rows.append([placed("The", -60, 0, -10, 20), inked("a…", [(0, 0, 8, 20), *points])])
    assert [row[1].guess.text for row in by_shape(rows, ShapeOptions())] == ["a...", "a..."]


BARS = [(0, 7, 13, 9), (0, 12, 13, 14)]


@pytest.mark.parametrize(
    ("read", "strokes", "confidence", "meant"),
    [
        ("", BARS, 0.02, "="),
        ("=", BARS, 0.1, "="),
        ("", [*BARS, (16, 7, 29, 9), (16, 12, 29, 14)], 0.02, "=="),
        ("z", BARS, 0.9, "z"),
        ("z", [(0, 7, 13, 9), (5, 12, 13, 14)], 0.1, "z"),  # bars of two lengths
        ("z", [(0, 7, 13, 9), (0, 7, 3, 14), (0, 12, 13, 14)], 0.1, "z"),  # a letter
    ],
)
def test_two_bars_one_above_the_other_that_are_hardly_read_are_an_equals_sign(read, strokes, confidence, meant):
    crop = np.full((24, strokes[-1][2] + 2), 255, np.uint8)
    for x0, y0, x1, y1 in strokes:
        crop[y0 + 2 : y1 + 2, x0:x1] = 0
    width = strokes[-1][2]
    guess = Guess(read, confidence, np.tile([0.0, width], (len(read), 1)))
    bars = Piece(np.array([0, -2, width, 22], float), 0, crop, guess, ink=np.array([0, 7, width, 14], float))
    row = [bars, placed("The", 60, 0, 90, 20)]
    assert texts(by_shape([row], ShapeOptions()))[0] == meant


@pytest.mark.parametrize(("top", "meant"), [(3, "*"), (9, "")])
def test_an_asterisk_that_is_hardly_read_is_one_above_the_line(top, meant):
    row = [placed("*", 0, top, 11, top + 11, confidence=0.1), placed("The", 20, 0, 60, 20)]
    found = by_shape([row], ShapeOptions())[0][0].guess
    assert (found.text, found.confidence >= 0.5) == ("*", bool(meant))


def test_two_ellipses_of_one_pitch_are_alike_whatever_their_rows_capitals():
    points = [(12 + 8 * i, 17, 15 + 8 * i, 20) for i in range(3)]
    rows = [[placed("The", -60, 20 - h, -10, 20), inked("a…", [(0, 0, 8, 20), *points])] for h in (20, 22)]
    assert [row[1].guess.text for row in by_shape(rows, ShapeOptions())] == ["a...", "a..."]


def test_the_farther_points_of_two_ellipses_of_a_page_are_one_sign():
    rows = []
    for pitch in (8, 10):
        points = [(12 + pitch * i, 17, 15 + pitch * i, 20) for i in range(3)]
        rows.append([placed("The", -60, 0, -10, 20), inked("a…", [(0, 0, 8, 20), *points])])
    assert [row[1].guess.text for row in by_shape(rows, ShapeOptions())] == ["a...", "a…"]


@pytest.mark.parametrize(
    ("step", "pitch", "meant"),
    [
        (5, 7, "a…"),  # farther apart than full stops
        (7, 7, "a..."),
        (9, 9, "a..."),  # though the points of most signs are
        (9, 5, "a…"),  # closer than full stops can be
    ],
)
def test_three_points_are_full_stops_where_the_points_of_numbers_have_their_pitch(step, pitch, meant):
    figures = [(0, 0, 10, 20), (12, 0, 22, 20), (20 + step, 17, 23 + step, 20), (24 + step, 0, 34 + step, 20)]
    points = [(12 + pitch * i, 17, 15 + pitch * i, 20) for i in range(3)]
    row = [inked("45.6", figures), placed("The", -60, 0, -10, 20), inked("a...", [(0, 0, 8, 20), *points])]
    assert texts(by_shape([row], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(("read", "meant"), [("a…’", "a...’"), ("a...”", "a...”")])
def test_an_ellipsis_before_a_closing_mark_is_told_by_its_points_too(read, meant):
    points = [(12 + 5 * i, 17, 15 + 5 * i, 20) for i in range(3)]
    row = [placed("The", -60, 0, -10, 20), inked(read, [(0, 0, 8, 20), *points, (29, 0, 33, 8)])]
    assert texts(by_shape([row], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "length", "hyphens", "meant"),
    [
        ("1-9", 13, True, "1–9"),
        ("1-9", 13, False, "1–9"),  # few faces have so long a hyphen
        ("1-9", 10, False, "1-9"),
        ("1-9", 22, False, "1—9"),
        ("1-9", 8, True, "1-9"),
        ("1--9", 22, False, "1—9"),
        ("a—b", 18, False, "a—b"),
        ("1.9", 13, True, "1.9"),
    ],
)
def test_dashes_inside_words_and_numbers_are_named_by_their_length(read, length, hyphens, meant):
    word = inked(read, [(0, 0, 8, 20), (10, 9, 10 + length, 11), (12 + length, 0, 20 + length, 20)])
    if len(read) > 3:
        word = replace(word, guess=replace(word.guess, spans=np.array([[0, 8], [12, 14], [24, 26], [36, 42]], float)))
    beside = [placed("-", 70 + 60 * i, 9, 78 + 60 * i, 11) for i in range(2)] if hyphens else []
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), word, *beside]], ShapeOptions()))[1] == meant


_COMMAND = [*((10 * i, 0, 10 * i + 8, 20) for i in range(4)), (40, 9, 53, 11), (55, 0, 63, 20), (65, 0, 73, 20)]


@pytest.mark.parametrize(
    ("read", "ink", "meant"),
    [
        ("a->b", [(0, 0, 8, 20), (10, 9, 23, 11), (24, 4, 32, 16), (34, 0, 42, 20)], "a->b"),
        ("-X", [(0, 9, 13, 11), (15, 0, 25, 20)], "-X"),
        ("-one", [(0, 9, 13, 11), (15, 0, 23, 20), (25, 0, 33, 20), (35, 0, 42, 20)], "–one"),
        (r"\is{-a}", _COMMAND, r"\is{-a}"),
        (r"\is(-a)", _COMMAND, r"\is(–a)"),
    ],
)
def test_arrows_options_and_commands_of_programs_have_hyphens_however_long(read, ink, meant):
    hyphens = [placed("-", 70 + 60 * i, 9, 78 + 60 * i, 11) for i in range(2)]
    row = [placed("The", -60, 0, -10, 20), inked(read, ink), *hyphens]
    assert texts(by_shape([row], ShapeOptions()))[1] == meant


def test_a_faint_hyphen_is_as_long_as_by_its_own_ink_and_ends_before_its_neighbours():
    contrast = np.zeros((3, 22), np.int16)
    contrast[:, :6] = contrast[:, 16:] = 200
    contrast[1, 8:14] = [60, 90, 100, 100, 90, 60]
    starts, ends = np.array([0, 9, 16]), np.array([6, 13, 22])  # as at 0.45 of the letters' contrast
    assert reach_of(contrast, np.array([1]), starts, ends, 1) == 6
    contrast[1, 6:16] = 100
    assert reach_of(contrast, np.array([1]), np.array([0, 6, 16]), np.array([6, 16, 22]), 1) == 10


def test_dashes_inside_words_stay_on_a_page_that_is_typewritten():
    spans = np.array([[14 * i, 14 * i + 10] for i in range(6)], float)
    cells = placed("Hammer", -120, 0, -30, 20)
    cells = replace(cells, guess=replace(cells.guess, spans=spans))
    hyphens = [placed("-", 70 + 60 * i, 9, 83 + 60 * i, 11) for i in range(2)]
    row = [inked("1-9", [(0, 0, 8, 20), (10, 9, 23, 11), (25, 0, 33, 20)]), cells, *hyphens]
    assert texts(by_shape([row], ShapeOptions()))[0] == "1-9"


@pytest.mark.parametrize(("amount", "length"), [("-1.9", 14), ("(-19", 14), ("-$19", 14)])
def test_what_stands_before_a_sum_is_no_em_dash_however_long(amount, length):
    start = 8 * amount.index("-")
    strokes = [(0, 0, 6, 20)] * bool(start) + [(start, 9, start + length, 11)]
    end = start + length + 2
    sum_ = inked(amount, [*strokes, *((x, 0, x + 8, 20) for x in range(end, end + 12 * (3 - bool(start)), 12))])
    hyphens = [placed("-", 70 + 60 * i, 9, 77 + 60 * i, 11) for i in range(3)]
    dashes = [placed("–", 300 + 60 * i, 9, 316 + 60 * i, 11) for i in range(2)]
    row = [placed("The", -60, 0, -10, 20), sum_, *hyphens, *dashes]
    assert texts(by_shape([row], ShapeOptions()))[1:] == [amount.replace("-", "–"), *"---", *"––"]


@pytest.mark.parametrize(
    ("mark", "meant"), [((12, 16, 15, 20), "a."), ((12, 16, 16, 23), "a,"), ((12, 9, 20, 11), "a-")]
)
def test_a_hyphen_that_ends_a_word_and_is_no_wider_than_high_is_a_point_or_a_comma(mark, meant):
    word = inked("a-", [(0, 6, 10, 20), mark], height=23)
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), word]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(("text", "height", "meant"), [("Pp.", 20, "pp."), ("Pp.", 26, "Pp."), ("Page", 20, "Page")])
def test_a_p_no_higher_than_a_letter_that_hangs_below_the_line_is_small(text, height, meant):
    row = [placed("The", 0, 0, 50, 20), placed(text, 60, 20 - height, 100, 20)]
    assert texts(by_shape([row], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("number", "length", "pitch", "meant"),
    [(2, 13, 0, "–"), (1, 13, 0, "–"), (1, 9, 0, "-"), (2, 8, 0, "-"), (2, 13, 14.0, "-")],  # a typewriter's is as long
)
def test_two_dashes_as_long_as_en_dashes_are_some_where_no_hyphen_is_shown(number, length, pitch, meant):
    item = placed("Hammer", 0, 0, 70, 20)
    item = replace(
        item, guess=replace(item.guess, spans=np.array([[0, 14], [15, 23], [24, 40], [41, 57], [58, 63], [64, 70]]))
    )
    rows = [[replace(p, pitch=pitch) for p in (item, placed("-", 90, 9, 90 + length, 11))] for _ in range(number)]
    assert [row[1].guess.text for row in by_shape(rows, ShapeOptions())] == [meant] * number


@pytest.mark.parametrize(("long", "number", "meant"), [(17, 2, "—"), (17, 0, "–"), (14, 2, "–")])
def test_the_longer_dashes_of_a_page_with_two_lengths_are_em_dashes(long, number, meant):
    short = [placed("-", 70 + 60 * i, 9, 83 + 60 * i, 11) for i in range(number)]
    row = [placed("The", -60, 0, -10, 20), *short, *(placed("-", x, 9, x + long, 11) for x in (300, 400))]
    assert texts(by_shape([row], ShapeOptions()))[-2:] == [meant] * 2


def test_many_dashes_of_three_kinds_are_parted_at_the_widest_gaps():
    r = np.random.default_rng(0)
    lengths = [8 + r.normal(0, 0.4, 100), 14 + r.normal(0, 0.6, 100), 24 + r.normal(0, 1, 100)]
    dash = placed("-", 0, 9, 8, 11)
    row = [replace(dash, box=np.array([0, 9, length, 11])) for length in np.concatenate(lengths)]
    found = with_dashes([row], [20.0], False, DashOptions())
    assert "".join(texts(found)) == "-" * 100 + "–" * 100 + "—" * 100


def test_a_row_whose_capitals_are_measured_too_low_has_no_longer_dashes_than_others():
    words = placed("The", -60, 0, -10, 20), placed("The", -60, 60, -10, 76)
    dashes = placed("–", 70, 9, 84, 11), placed("–", 70, 67, 84, 69)
    hyphens = [placed("-", 70 + 60 * i, 39, 78 + 60 * i, 41) for i in range(2)]
    rows = [[word, dash] for word, dash in zip(words, dashes)]
    assert texts(by_shape([*rows, hyphens], ShapeOptions())) == ["The", "–"] * 2 + ["-", "-"]


@pytest.mark.parametrize(("hyphen", "dash", "meant"), [(8, 16, "—"), (14, 16, "-")])
def test_a_typewriters_dashes_are_some_where_its_words_hyphens_are_half_as_long(hyphen, dash, meant):
    strokes = [(0, 0, 8, 20), (11, 10, 11 + hyphen, 12), (14 + hyphen, 0, 22 + hyphen, 20)]
    rows = [
        [replace(part, pitch=15.0) for part in (placed("Hammer", -120, 0, -30, 20), word)]
        for word in (inked("a-b", strokes), inked("a-b", strokes), placed("-", 90, 9, 90 + dash, 11))
    ]
    assert by_shape(rows, ShapeOptions())[-1][-1].guess.text == meant


def test_figures_are_as_wide_as_each_other_in_most_faces_and_tell_of_no_cells():
    strokes = [(0, 0, 8, 20), (14, 0, 22, 20), (26, 9, 39, 11), (42, 0, 50, 20), (56, 0, 64, 20)]
    rows = [[placed("The", -60, 0, -10, 20), inked("12-19", strokes)] for _ in range(2)]
    assert texts(by_shape(rows, ShapeOptions())) == ["The", "12–19"] * 2


@pytest.mark.parametrize(("step", "meant"), [(10, "…"), (7, "...")])
def test_three_points_alone_in_a_row_are_no_dash(step, meant):
    dots = inked("..", [(step * i, 0, step * i + 4, 4) for i in range(3)], height=4, confidence=0.1)
    found = by_shape([[placed("The", 0, 0, 50, 20)], [replace(dots, sign=True)]], ShapeOptions())[1][0].guess
    assert (found.text, found.confidence) == (meant, 0.5)


@pytest.mark.parametrize(("confidence", "sure"), [(0.35, 0.5), (0.2, 0.2), (0.9, 0.9)])
def test_a_letter_alone_whose_height_tells_its_case_is_as_sure_as_a_sign(confidence, sure):
    row = [placed("The", 0, 0, 50, 20), placed("C", 60, 6, 70, 20, confidence=confidence)]
    found = by_shape([row], ShapeOptions())[0][1].guess
    assert (found.text, found.confidence) == ("c", sure)


@pytest.mark.parametrize(
    ("read", "meant"), [("“|", "“I"), ("'|',", "'I',"), ("|'m", "I'm"), ("||", "||"), ("a|", "a|")]
)
def test_a_bar_behind_a_quotation_mark_is_an_i(read, meant):
    assert texts(by_shape([[placed("The", 0, 0, 50, 20), placed(read, 60, 0, 80, 20)]], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("read", "likely", "confidence"), [("“|", 0.42, 0.5), ("“|", 0.1, 0.1), ("|'m", 0.42, 0.42)])
def test_such_an_i_is_in_doubt_no_more(read, likely, confidence):
    piece = placed(read, 60, 0, 80, 20)
    piece = replace(piece, guess=replace(piece.guess, confidence=likely))
    assert by_shape([[placed("The", 0, 0, 50, 20), piece]], ShapeOptions())[0][1].guess.confidence == confidence


@pytest.mark.parametrize(
    ("read", "strokes", "meant", "bullet"),
    [
        ("•76", [(0, 6, 6, 12), (14, 0, 22, 20), (24, 0, 32, 20)], ["•", "76"], (0, 6, 6, 12)),
        ("76•", [(0, 0, 8, 20), (10, 0, 18, 20), (26, 6, 31, 12)], ["76", "•"], (26, 6, 31, 12)),
        ("76•", [(0, 0, 8, 20), (10, 0, 18, 20), (20, 16, 24, 20)], ["76."], None),
    ],
)
def test_a_bullet_that_begins_or_ends_a_word_is_one_by_itself(read, strokes, meant, bullet):
    found = by_shape([[placed("The", -60, 0, -10, 20), inked(read, strokes)]], ShapeOptions())[0][1:]
    assert [piece.guess.text for piece in found] == meant
    assert bullet is None or any(tuple(piece.place) == bullet for piece in found)


@pytest.mark.parametrize(("mark", "meant"), [((17, 0, 19, 6), "It's"), ((17, 5, 19, 6), "Its")])
def test_an_apostrophe_that_touches_the_t_is_seen_above_its_stroke(mark, meant):
    ink = [(0, 0, 3, 20), (10, 1, 13, 20), (7, 6, 20, 8), mark, (24, 6, 33, 20)]
    its = inked("Its", ink, confidence=0.6)
    its = replace(its, guess=replace(its.guess, spans=np.array([[0, 3], [8, 14], [24, 33]], float)))
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), its]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "mark", "meant"),
    [
        ("ab.", (22, 17, 25, 23), "ab,"),
        ("ab:", (22, 17, 25, 23), "ab;"),
        ("ab.", (22, 17, 25, 20), "ab."),
        ("ab.", (22, 17, 25, 21), "ab."),  # a line of pixels may be dirt
        ("ab.", (22, 17, 25, 30), "ab."),  # too far below the line
    ],
)
def test_a_point_with_a_tail_is_a_comma_and_a_colon_with_one_a_semicolon(read, mark, meant):
    the = placed("The", -60, 0, -10, 20)
    rows = [[the, the, the, inked(read, [(0, 0, 8, 20), (11, 0, 19, 20), mark], height=32)]]
    assert texts(by_shape(rows, ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("words", "hyphen", "dash", "meant"),
    [
        (1, 6, 11, "–"),
        (2, 6, 11, "–"),
        (1, 9, 10, "-"),
        (2, 13, 17, "–"),
        (2, 13, 22, "—"),
    ],  # as in a face with long hyphens
)
def test_hyphens_of_words_tell_that_a_longer_dash_is_none(words, hyphen, dash, meant):
    strokes = [(0, 0, 8, 20), (10, 0, 18, 20), (21, 10, 21 + hyphen, 12)]
    strokes += [(x + hyphen, 0, x + 8 + hyphen, 20) for x in (24, 34)]
    hyphened = [inked("ab-cd", strokes) for _ in range(words)]
    rows = [[placed("The", -60, 0, -10, 20), *hyphened, placed("-", 90, 10, 90 + dash, 12)]]
    assert texts(by_shape(rows, ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "gaps", "meant"),
    [
        ("ofgrail", (2, 5, 2, 2, 2, 2), "of grail"),  # the f leans over the space
        ("offer", (2, 2, 2, 2), "offer"),
        ("often", (2, 4, 5, 2), "often"),  # another gap is wider
        ("&jr", (5, 2), "& jr"),
        ("of,", (2, 5), "of,"),
    ],
)
def test_the_widest_gap_of_a_word_right_behind_of_is_a_space(read, gaps, meant):
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), inked(read, columns(*gaps))]], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(
    ("read", "low", "meant"),
    [
        ("IS", (1,), "is"),
        ("1S,", (1,), "is,"),
        ("IS", (), "IS"),
        ("X-ray", (0,), "x-ray"),
        ("that’S", (5,), "that’s"),
        ("TOTAL", (1,), "TOTAL"),  # a worn letter among capitals
        ("P.S.", (2,), "P.S."),
        ("YS96", (1,), "YS96"),
    ],
)
def test_a_letter_as_low_as_small_ones_is_small_where_the_others_are(read, low, meant):
    letters = [(x0, 6 if i in low else 0, x1, 20) for i, (x0, _, x1, _) in enumerate(columns(*[3] * (len(read) - 1)))]
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), inked(read, letters)]], ShapeOptions()))[1] == meant


def test_raised_parts_of_broken_letters_do_not_tell_what_marks_are():
    read = ["d'une", "it's", "I’m"]
    pieces = [marked(text, bent=True) for text in read]
    broken = [
        replace(piece, parts=Parts(piece.parts.boxes[[0, 1, 1, 2]], np.array([0, 1, 1, 0], bool), 22.0))
        for piece in pieces
    ]
    assert texts(with_quotes([broken], QuoteOptions())) == read


@pytest.mark.parametrize(
    ("read", "confidence", "apostrophe", "meant"),
    [
        ("wont", 0.6, True, "won't"),
        ("Im", 0.5, True, None),  # put in its place below
        ("Im", 0.5, False, "Im"),  # German
        ("wont", 0.6, False, "wont"),
        ("wont", 0.9, True, "wont"),  # surely read
        ("total", 0.6, True, "total"),  # nothing that is left of a word: a broken letter
    ],
)
def test_an_apostrophe_that_is_seen_and_not_read_is_put_between_its_letters(read, confidence, apostrophe, meant):
    lefts = [0, 14, 28, 48, 62][: len(read)] if len(read) > 2 else [0, 24]
    gap = (38, 4, 42, 11) if len(read) > 3 else (15, 4, 19, 11)
    boxes = np.array(sorted([[x, 4, x + 8, 26] for x in lefts] + [list(gap)]), float)
    parts = Parts(boxes, boxes[:, 3] < 20, 22.0) if apostrophe else None
    middles = np.array(lefts, float) + 4
    guess = Guess(read, confidence, np.stack([middles, middles], 1))
    crop = np.full((30, 80), 255, np.uint8)
    row = [Piece(np.array([0, 0, 80, 30], float), 0, crop, guess, parts=parts)]

    def read_nothing(boxes):
        return [Piece(box, box[0], crop, Guess("", 0.0, np.zeros((0, 2)))) for box in boxes]

    assert texts(with_raised([row], read_nothing, RaisedOptions())) == [meant or "I'm"]


@pytest.mark.parametrize(("whole", "confidence", "meant"), [("P'm", 0.2, "I'm"), ("P'm", 0.9, "P'm")])
def test_a_stroke_before_an_apostrophe_that_is_seen_is_read_though_not_by_itself(whole, confidence, meant):
    boxes = np.array([[2, 4, 5, 26], [9, 4, 12, 12], [16, 12, 34, 26]], float)
    parts = Parts(boxes, np.array([0, 1, 0], bool), 22.0)
    crop = np.full((30, 40), 255, np.uint8)
    row = [Piece(np.array([0, 0, 40, 30], float), 0, crop, Guess(whole, confidence, np.zeros((3, 2))), parts=parts)]

    def read(boxes):
        return [Piece(b, b[0], crop, Guess(t, 0.8, np.zeros((len(t), 2)))) for b, t in zip(boxes, ("", "m"))]

    assert texts(with_raised([row], read, RaisedOptions())) == [meant]


@pytest.mark.parametrize(
    ("read", "foot", "meant"),
    [
        ("ho.", 12, 'ho."'),
        ("ho”", 12, "ho”"),
        ("ho", 20, "ho"),  # figures of a note are higher
    ],
)
def test_a_quotation_mark_that_is_seen_behind_a_word_and_not_read_is_added(read, foot, meant):
    boxes = np.array([[2, 4, 12, 26], [14, 12, 24, 26], [27, 4, 30, foot], [32, 4, 35, foot]], float)
    parts = Parts(boxes, np.array([0, 0, 1, 1], bool), 22.0)
    crop = np.full((30, 40), 255, np.uint8)
    row = [Piece(np.array([0, 0, 40, 30], float), 0, crop, Guess(read, 0.9, np.zeros((len(read), 2))), parts=parts)]

    def read_nothing(boxes):
        return [Piece(box, box[0], crop, Guess("", 0.0, np.zeros((0, 2)))) for box in boxes]

    assert texts(with_raised([row], read_nothing, RaisedOptions())) == [meant]


@pytest.mark.parametrize(
    ("read", "left", "top", "meant"),
    [
        ("ho.", 34, 4, "ho.'"),
        ("ho.’", 34, 4, "ho.’"),
        ("ho", 34, 4, "ho"),  # dirt, as likely
        ("ho.", 34, 14, "ho."),  # the point itself, which stands higher than old-style figures
        ("ho?", 27, 4, "ho?"),  # the upper part of the mark itself
    ],
)
def test_half_a_quotation_mark_is_added_behind_the_mark_that_ends_what_is_quoted(read, left, top, meant):
    boxes = np.array([[2, 4, 12, 26], [14, 12, 24, 26], [27, 22, 31, 26], [left, top, left + 3, top + 8]], float)
    parts = Parts(boxes, np.array([0, 0, 0, 1], bool), 22.0)
    crop = np.full((30, 40), 255, np.uint8)
    row = [Piece(np.array([0, 0, 40, 30], float), 0, crop, Guess(read, 0.9, np.zeros((len(read), 2))), parts=parts)]
    assert texts(with_raised([row], lambda boxes: [], RaisedOptions())) == [meant]


@pytest.mark.parametrize("confidence", [0.85, 0.7])
def test_a_quotation_mark_inside_a_word_that_is_surely_read_is_no_apostrophe(confidence):
    boxes = np.array([[2, 12, 12, 26], [14, 12, 24, 26], [27, 4, 33, 11], [36, 4, 40, 30]], float)
    parts = Parts(boxes, np.array([0, 0, 1, 0], bool), 22.0)  # whose halves touch
    crop = np.full((32, 44), 255, np.uint8)
    row = [Piece(np.array([0, 0, 44, 32], float), 0, crop, Guess("so”)", confidence, np.zeros((4, 2))), parts=parts)]

    def read(boxes):
        return [Piece(b, b[0], crop, Guess(t, 0.8, np.zeros((len(t), 2)))) for b, t in zip(boxes, ("so", ")"))]

    sure = confidence >= RaisedOptions().sure
    assert texts(with_raised([row], read, RaisedOptions())) == ["so”)" if sure else "so')"]


@pytest.mark.parametrize(
    ("read", "confidence", "meant"),
    [
        ("theyre", 0.6, "they're"),
        ("“Cest,", 0.6, "“C'est,"),
        ("theyre", 0.9, "theyre"),  # as it is printed
        ("well", 0.3, "well"),  # a word without one
        ("don’t", 0.6, "don’t"),
        ("do-nt", 0.6, "do-nt"),
    ],
)
def test_a_word_only_with_an_apostrophe_has_one_where_it_is_hardly_read(read, confidence, meant):
    row = [placed(read, 0, 0, 40, 20, confidence)]
    assert texts(with_raised([row], lambda boxes: [], RaisedOptions())) == [meant]


@pytest.mark.parametrize(
    ("whole", "confidence", "first", "meant"),
    [
        ("Pan", 0.7, ("]", 0.05), "l'an"),
        ("an", 0.5, ("]", 0.05), "l'an"),
        ("san", 0.6, ("S", 0.7), "s'an"),  # by itself it looks like a capital
    ],
)
def test_an_l_before_an_apostrophe_is_read_as_a_bracket_or_with_it_as_a_p(whole, confidence, first, meant):
    boxes = np.array([[2, 4, 5, 26], [9, 4, 12, 12], [16, 12, 34, 26]], float)
    crop = np.full((30, 40), 255, np.uint8)
    guess = Guess(whole, confidence, np.zeros((len(whole), 2)))
    row = [Piece(np.array([0, 0, 40, 30], float), 0, crop, guess, parts=Parts(boxes, np.array([0, 1, 0], bool), 22.0))]

    def read(boxes):
        guesses = [Guess(text, sure, np.zeros((len(text), 2))) for text, sure in (first, ("an", 0.9))]
        return [Piece(box, box[0], crop, guess) for box, guess in zip(boxes, guesses)]

    assert texts(with_raised([row], read, RaisedOptions())) == [meant or whole]


def test_a_mark_between_a_word_and_its_note_is_part_of_the_note():
    boxes = np.array([[0, 4, 6, 26], [8, 12, 20, 26], [22, 4, 29, 16]], float)
    parts = Parts(boxes, np.array([0, 0, 1], bool), 22.0)
    crop = np.full((30, 40), 255, np.uint8)
    row = [Piece(np.array([0, 0, 40, 30], float), 0, crop, Guess("in*", 0.5, np.zeros((3, 2))), parts=parts)]

    def read(boxes):
        read_as = [Guess(text, 0.8, np.zeros((len(text), 2))) for text in ("in’", "6")]
        return [Piece(box, box[0], crop, guess) for box, guess in zip(boxes, read_as)]

    assert texts(with_raised([row], read, RaisedOptions())) == ["in6"]


def test_free_dots_of_a_light_screen_become_paper_and_points_of_print_stay():
    page = np.full((200, 400), 255, np.uint8)
    page[:100].reshape(25, 4, 100, 4)[:, 1, :, 1] = 0
    page[40:44, 100:104] = 0  # a point of print, larger than a dot
    page[40:60, 200:203] = 0  # a letter
    assert (unscreened(page, ScreenOptions())[:100] < 128).sum() == 16 + 60
    np.testing.assert_array_equal(unscreened(page, ScreenOptions())[130:], page[130:])


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (40, 50), (300, 1), (300, 4)])
def test_an_image_too_small_to_hold_a_screen_stays_as_it_is(shape):
    page = np.full(shape, 255, np.uint8)
    page[0, 0] = 0
    np.testing.assert_array_equal(unscreened(page, ScreenOptions()), page)


def test_free_dots_of_a_dark_screen_become_a_tint():
    page = np.full((200, 400), 255, np.uint8)
    page[:80].reshape(20, 4, 100, 4)[:, :3, :, :3] = 0
    page[30:50, 100:110] = 255  # light print
    tint = unscreened(page, ScreenOptions())
    assert tint[20:60, 20:80].max() < 160
    assert tint[40, 105] > 240


def test_print_on_a_screen_at_even_steps_stays_sharp_and_light_screens_keep_their_free_dots():
    page = np.full((240, 512), 255, np.uint8)
    for top, dot in ((0, (2, 4)), (160, (1, 1))):  # half of ink, touching across, and a sixteenth
        page[top : top + 80].reshape(20, 4, 128, 4)[:, : dot[0], :, : dot[1]] = 0
    page[20:60, 200:204] = 255  # light print, as wide as a dot and its ground
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[8:72, 8:180].astype(int)) <= 2
    assert tint[30:50, 201:203].min() - tint[40, 190] > 100
    assert tint[165:235].min() == 255


def test_a_dark_row_of_dots_close_above_a_light_one_becomes_their_mean_and_the_light_one_keeps_its_free_dots():
    page = np.full((400, 1024), 255, np.uint8)
    page[40:80].reshape(10, 4, 256, 4)[:, :3, :, :3] = 0
    page[88:128].reshape(10, 4, 256, 4)[:, 1, :, 1] = 0
    page[50:70, 40:200:8] = 255  # light print
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[48:72, 240:1000].astype(int)) <= 2
    assert tint[45:75, 8:30].max() < 160
    assert tint[96:120].min() == 255


def test_pale_dots_become_their_mean_and_those_of_a_low_bar_too():
    page = np.full((800, 512), 220, np.uint8)
    page[80:120].reshape(10, 4, 128, 4)[:, :2, :, :2] = 110
    page = cv2.GaussianBlur(page, (0, 0), 0.7)
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[88:112, 8:500].astype(int)) <= 2
    np.testing.assert_array_equal(tint[140:], page[140:])


def test_dots_whose_steps_are_no_whole_pixels_become_a_tint_all_along():
    pitch = np.indices((120, 1024)) / 4.06 % 1
    page = np.full((300, 1024), 255, np.uint8)
    page[80:200] = np.where(pitch.min(0) < 0.4, 0, 255)
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[90:190, 10:1014].astype(int)) < 110


@pytest.mark.parametrize("turned", [False, True])
def test_lines_of_print_with_as_many_edges_as_a_screen_are_none(turned):
    page = np.full((260, 260), 255, np.uint8)
    for top in range(0, 260, 13):  # lines ten pixels high, of strokes two pixels wide
        page[top : top + 10] = np.kron(np.indices((5, 130)).sum(0) % 2, np.ones((2, 2))) * 255
    page = np.ascontiguousarray(page.T) if turned else page
    np.testing.assert_array_equal(unscreened(page, ScreenOptions()), page)


def test_dots_of_a_screen_become_a_tint_and_nothing_else_changes():
    page = np.full((200, 400), 255, np.uint8)
    page[150:160, 20:300:9] = 0  # strokes
    assert unscreened(page, ScreenOptions()) is page
    page[:80].reshape(20, 4, 100, 4)[:, :3, :, :3] = 0
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[20:60, 20:380].astype(int)) < 60
    np.testing.assert_array_equal(tint[130:], page[130:])


@pytest.mark.parametrize(
    "dots",
    [
        [[1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]],  # holes that stand free
        [[1, 0, 0, 1], [1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]],  # rows that touch
        [[1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 1]],
    ],
)
def test_dark_screens_become_even_and_light_letters_on_them_stay(dots):
    page = np.full((200, 400), 255, np.uint8)
    page[:100] = np.tile(np.where(dots, 0, 255), (25, 100))
    page[40:60, 200:204] = 255  # a letter
    even = unscreened(page, ScreenOptions()).astype(int)
    assert np.ptp(even[20:80, 20:180]) < 60
    assert even[45:55, 201:203].min() > even[20:80, 20:180].max() + 60
    np.testing.assert_array_equal(even[130:], page[130:])


def test_dots_between_the_strokes_of_large_light_letters_become_a_tint_too():
    page = np.full((240, 640), 255, np.uint8)
    page.reshape(60, 4, 160, 4)[:, :3, :, :3] = 0
    for left in range(100, 400, 92):
        page[40:200, left : left + 80] = 255  # strokes 12 px apart
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[70:170, 182:190].astype(int)) < 60
    assert tint[70:170, 110:170].min() > 240


def test_bands_of_a_screen_whose_dots_stand_free_stay_of_its_tint():
    page = np.full((200, 1000), 255, np.uint8)
    page.reshape(50, 4, 250, 4)[:, :3, :, :3] = 0
    page[:, 420:580] = 255
    page.reshape(50, 4, 250, 4)[:, 1:3, 105:145, 1:3] = 0
    assert unscreened(page, ScreenOptions())[20:180, 20:980].max() < 230


@pytest.mark.parametrize(("open_px", "meant"), [(0, "•"), (6, "a")])
def test_letters_that_begin_several_lines_are_bullets_only_where_ink_fills_them(open_px, meant):
    first = placed("a", 0, 6, 8, 14, 0.3)
    first.crop[3 : 3 + open_px, 3 : 3 + open_px] = 255
    rows = [[first, placed("book", 20, 0, 60, 20)], [replace(first), placed("table", 20, 0, 60, 20)]]
    assert texts(by_shape(rows, ShapeOptions()))[::2] == [meant, meant]


@pytest.mark.parametrize(
    ("confidence", "column", "right", "meant"),
    [
        (0.3, ("5.40", "17"), 60, "0"),
        (0.9, ("5.40", "17"), 60, "O"),  # surely read
        (0.3, ("Anna", "17"), 60, "O"),  # no column of numbers
        (0.3, ("5.40", "17"), 90, "O"),  # in another column
    ],
)
def test_an_o_alone_in_a_column_of_numbers_is_a_zero(confidence, column, right, meant):
    rows = [[placed(column[0], 20, 0, 60, 20)], [placed("O", right - 15, 60, right, 80, confidence)]]
    rows += [[placed(column[1], 40, 120, 60, 140)], [placed("Total", -200, 60, -120, 80)]]
    assert texts(by_shape(rows, ShapeOptions()))[1] == meant


@pytest.mark.parametrize(
    ("read", "confidence", "open_px", "meant"),
    [("=", 0.06, 0, "•"), ("=", 0.06, 6, "="), ("=", 0.9, 0, "="), ("+", 0.3, 0, "•")],
)
def test_squares_that_begin_several_lines_are_bullets_where_ink_fills_them(read, confidence, open_px, meant):
    first = placed(read, 0, 6, 8, 14, confidence)
    first.crop[3 : 3 + open_px, 3 : 3 + open_px] = 255
    rows = [[first, placed("book", 20, 0, 60, 20)], [replace(first), placed("table", 20, 0, 60, 20)]]
    assert texts(by_shape(rows, ShapeOptions()))[::2] == [meant, meant]


@pytest.mark.parametrize(("length", "read", "meant"), [(10, "5.-", "5.–"), (10, "5.-*", "5.–*"), (8, "5.-", "5.-")])
def test_the_dash_of_a_sum_is_told_where_the_recogniser_is_a_character_off(length, read, meant):
    strokes = [(0, 0, 8, 20), (10, 17, 13, 20), (15, 9, 15 + length, 11), (28, 0, 36, 10)][: len(read)]
    word = inked(read, strokes)
    word = replace(
        word, guess=replace(word.guess, spans=word.guess.spans + np.array([[0], [6], [6], [0]][: len(read)]))
    )
    assert texts(by_shape([[placed("The", -60, 0, -10, 20), word]], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("others", "meant"), [(("1,200", "350"), "0"), (("Sum", "350", "Total"), "o")])
def test_an_old_style_zero_alone_in_a_column_of_numbers_is_sure(others, meant):
    rows = [[placed(text, 100 - 10 * len(text), 40 * i, 100, 40 * i + 20)] for i, text in enumerate(others)]
    rows.append([placed("O", 88, 40 * len(others) + 6, 100, 40 * len(others) + 20, confidence=0.28)])
    guess = by_shape(rows, ShapeOptions())[-1][0].guess
    assert (guess.text, guess.confidence) == (meant, 0.5 if meant == "0" else 0.28)
