"""Which neighbours become one word, and that no others do."""

from dataclasses import replace

import numpy as np
import pytest

from ocrkit.documents.joins import JoinOptions, Piece, is_one_word, join_pieces
from ocrkit.recognition import Guess

CROP = np.zeros((20, 20), np.uint8)
KNOWN = {"work", "to", "both", "for", "Total", "sum", "liver", "oliver", "them", "Member", "onto"}


def guess(text, confidence=0.9):
    return Guess(text, confidence, np.zeros((len(text), 2)), known=text.strip("'") in KNOWN)


def piece(text, x0, x1, confidence=0.9):
    return Piece(np.array([x0, 0, x1, 20], float), x0, CROP, guess(text, confidence))


class Reads:
    """Knows what stands between two abscissae, and counts what it was asked."""

    def __init__(self, **known):
        self.known, self.asked = known, []

    def __call__(self, boxes):
        self.asked += [(int(box[0]), int(box[2])) for box in boxes]
        return [
            Piece(box, box[0], CROP, guess(*self.known.get(f"x{int(box[0])}_{int(box[2])}", ("two words", 0.9))))
            for box in boxes
        ]


def texts(rows):
    return [[piece.guess.text for piece in row] for row in rows]


@pytest.mark.parametrize(
    ("left", "whole", "space", "found"),
    [
        ("11", "11:", 0.96, ["11:", "the"]),  # as in Helvetica
        ("11", "11:", 0.99, ["11", ":", "the"]),  # as in French
        ("11", "11.", 0.96, ["11", ":", "the"]),
        ("12", "12:", 0.96, ["12", ":", "the"]),
    ],
)
def test_a_colon_behind_a_one_goes_with_it_unless_the_space_is_sure(left, whole, space, found):
    row = [piece(left, 0, 20), replace(piece(":", 26, 30), space=space), replace(piece("the", 38, 60), space=1.0)]
    assert texts(join_pieces([row], Reads(x0_30=(whole, 0.9)), JoinOptions())) == [found]


@pytest.mark.parametrize(
    ("a", "b", "whole", "one"),
    [
        (guess("58"), guess("30"), guess("58.30"), True),  # a dot too faint to be found
        (guess("22"), guess("52"), guess("22:52"), True),
        (guess("58"), guess("30"), guess("58.30", 0.5), False),  # not sure of it
        (guess("O", 0.3), guess("70"), guess("0.70"), True),  # a zero, alone as round as an O
        (guess("O"), guess("70"), guess("0.70"), False),  # surely none
        (guess("12"), guess("2.48"), guess("122.48"), False),  # no mark seen: two numbers side by side
        (guess("11"), guess("2.48"), guess("112.48"), True),  # the gaps around a 1 are wide
        (guess("work"), guess("to"), guess("work_to"), False),  # an underline
        (guess("both"), guess("for"), guess("both for"), False),
        (guess("Inv"), guess("0", 0.4), guess("Invo", 0.95), True),  # a letter that stood apart
        (guess("Inv"), guess("o", 0.9), guess("Invo", 0.91), False),  # a word of one letter
        (guess("Total"), guess("sum"), guess("Totalsum", 0.99), False),
        (guess(":", 0.7), guess("0007"), guess(":0007", 0.95), False),  # printed apart
        (guess("a"), guess("b", 0.2), guess("", 0.99), False),
        (guess("Kri"), guess("stenvil"), guess("Kristenvil"), True),  # no words
        (guess("Kri"), guess("stenvil"), guess("Kristenvil", 0.7), False),
        (guess("o", 0.5), guess("liver"), guess("oliver", 0.7), True),  # a word of its own
        (guess("Member"), guess("them"), guess("Memberthem", 0.99), False),
        (guess("Victoire"), guess("them"), guess("Victoirethem", 0.99), False),  # beside a word
        (guess("vulner"), guess("-"), guess("vulner-", 0.99), False),  # a dash that stands alone
        (guess("tim@"), guess("mail.com"), guess("tim@mail.com", 0.8), True),
        (guess("http:/"), guess("/mail"), guess("http://mail", 0.8), True),
        (guess("tim@mail.uk"), guess("|"), guess("tim@mail.uk|"), False),
        (guess("GST"), guess("@6%"), guess("GST@6%"), False),
        (guess("No."), guess(":SA07"), guess("No.:SA07", 0.95), False),
    ],
)
def test_one_word_or_two(a, b, whole, one):
    assert is_one_word(a, b, whole, 0.5, JoinOptions()) is one


@pytest.mark.parametrize(("a", "b", "one"), [("LS1", "4AB", False), ("VE05", "14", True), ("11", "2.48", True)])
def test_the_parts_of_a_code_with_letters_are_words_behind_a_likely_space(a, b, one):
    assert is_one_word(guess(a), guess(b), guess(a + b), 0.95, JoinOptions()) is one


@pytest.mark.parametrize(
    ("a", "b", "whole", "one"),
    [
        (guess("I", 0.5), guess("can't"), guess("Ican't"), False),  # a word of one letter
        (guess("See"), guess("p.", 0.6), guess("Seep."), False),  # an abbreviation
        (guess("of"), guess("gold"), guess("ofgold", 0.99), False),  # read surely by itself
        (guess("Inv"), guess("0", 0.4), guess("Invo", 0.95), True),  # a fragment by its text
        (guess("11"), guess("2.48"), guess("112.48"), False),
        (guess("58"), guess("30"), guess("58.30"), True),  # a faint dot leaves a hole as wide as a space
        (guess("for"), guess("at", 0.5), guess("forat", 0.95), False),  # one of the commonest words, if hardly read
        (guess("25."), guess("To", 0.5), guess("25.To", 0.95), False),
        (guess("3,", 0.5), guess("Adult"), guess("3.Adult", 0.95), False),  # it ends there
        (guess("*", 0.4), guess("Deity"), guess("*Deity", 0.95), False),
        (guess("8", 0.5), guess("take"), guess("&take", 0.95), False),  # an ampersand
        (guess("tenants'"), guess("is"), guess("tenants'is", 0.95), False),
        (guess("short."), guess("“Q", 0.5), guess("short.”Q", 0.95), False),
        (guess("29", 0.5), guess("x"), guess("29x", 0.95), False),  # a measure
        (guess("if"), guess("[", 0.4), guess("if[", 0.95), False),  # a program's
        (guess("“I", 0.5), guess("don't"), guess("“Idon't", 0.9), False),  # a word of one letter behind its mark
        (guess("to", 0.6), guess("both"), guess("toboth", 0.97), False),  # two words of the lexicon, one hardly read
        (guess("–", 0.4), guess("say"), guess("-say", 0.8), False),  # a dash, however surely it is read so
        (guess("will"), guess("—", 0.4), guess("will-", 0.8), False),
        (guess("find"), guess("!", 0.2), guess("find!", 0.7), False),  # an I alone, read as a mark of the word
        (guess("large"), guess("l;", 0.3), guess("large!;", 0.8), False),
        (guess("•", 0.4), guess("Both"), guess("-Both", 0.7), False),  # a list's
        (guess("fin", 0.4), guess("!", 0.2), guess("find", 0.7), True),  # beside what is no word
        (guess("l'", 0.4), guess("rdine"), guess("l'ordine", 0.9), True),  # an elision is no stroke
        (guess("it's"), guess("X", 0.5), guess("it'sx", 0.9), False),  # whose height alone tells its case
        (guess("year"), guess("s", 0.5), guess("years", 0.9), True),  # an apostrophe may be lost
    ],
)
def test_behind_what_is_surely_a_space_only_what_can_be_no_word_is_joined(a, b, whole, one):
    assert is_one_word(a, b, whole, 0.995, JoinOptions()) is one


@pytest.mark.parametrize(
    ("a", "b", "whole", "one"),
    [
        (guess("for'"), guess("liver"), guess("for'liver"), False),  # two words
        (guess("26,"), guess("817.75"), guess("26,817.75"), True),
        (guess("26,"), guess("81"), guess("26,81"), False),  # another number of a list
        (guess("26,"), guess("8175"), guess("26,8175"), False),
        (guess("2"), guess("}", 0.4), guess("2)", 0.95), False),
        (guess("#", 0.7), guess("end"), guess("#end", 0.95), False),
        (guess("child"), guess("'s"), guess("child's"), True),
        (guess("A"), guess("liver"), guess("Aliver", 0.99), False),
        (guess("A"), guess("nne", 0.5), guess("Anne", 0.9), True),
        (guess("A", 0.6), guess("liver"), guess("Aliver", 0.99), False),  # a letter that is a word, if hardly read
        (guess("for"), guess("I", 0.4), guess("for!", 0.9), False),  # an I read as a mark of the word before
        (guess("for"), guess("]", 0.2), guess("for]", 0.9), False),
        (guess("both"), guess("X", 0.4), guess("bothx", 0.9), False),  # any letter beside a word, whatever its case
        (guess("is"), guess("x", 0.5), guess("isx", 0.9), False),
        (guess("is", 0.6), guess("x", 0.5), guess("isx", 0.9), True),  # hardly read
        (guess("o", 0.5), guess("liver"), guess("oliver", 0.95), True),  # the whole is known
        (guess("l"), guess("'liver"), guess("l'liver", 0.95), True),  # a letter that is part of a word
        (guess("on"), guess("to"), guess("onto", 0.95), False),  # short words, read surely
        (guess("on", 0.3), guess("to"), guess("onto", 0.95), True),
        (guess("doesn't"), guess("so", 0.7), guess("doesn'tso", 0.96), False),  # no word, behind a longer one
        (guess("CHRISTMAS"), guess("IS", 0.7), guess("CHRISTMASIS", 0.95), False),
        (guess("n.com."), guess("my", 0.7), guess("n.com.my", 0.93), True),  # an address
        (guess("find"), guess("–", 0.4), guess("find-", 0.8), False),  # a dash
    ],
)
def test_where_a_space_is_likely_two_words_stay_apart(a, b, whole, one):
    assert is_one_word(a, b, whole, 0.85, JoinOptions()) is one


@pytest.mark.parametrize(
    ("a", "b", "whole", "space", "text"),
    [
        ("(coins", ")", "(coins)", 0.8, "(coins)"),
        ("np.zeros_like", "(coins)", "ap.zeros_like(coins)", 0.73, "np.zeros_like(coins)"),  # each part is read closer
        ("np.", "zeros_like", "np.zeros_like", 0.82, "np.zeros_like"),
        ("np.", "zeros_like", "np,zeros_like", 0.82, None),  # another sign at the seam
        ("(coins", ")", "(coins)", 0.95, None),  # surely a space
        ("coins", "(two)", "coins(two)", 0.73, None),  # a word and a note behind it
        (r"\use", "[old]", r"\use[old]", 0.96, r"\use[old]"),  # a command
        (r"\use[old]", "{coins}", r"\use[old]{coins}", 0.96, r"\use[old]{coins}"),
        (r"\use", "[old]", r"\use[old]", 0.999, None),
        ("use", "[old]", "use[old]", 0.96, None),
    ],
)
def test_brackets_go_with_what_they_enclose(a, b, whole, space, text):
    row = [piece(a, 0, 80), replace(piece(b, 85, 120), space=space)]
    joined = join_pieces([row], Reads(x0_120=(whole, 0.8)), JoinOptions())
    assert texts(joined) == [[text] if text else [a, b]]


@pytest.mark.parametrize(("text", "joined"), [(r"\newcommand", True), ("newcommand", False)])
def test_a_command_and_its_brackets_may_be_longer_than_any_word(text, joined):
    row = [piece(text, 0, 250), replace(piece("[coins]", 255, 400), space=0.8)]
    told = join_pieces([row], Reads(x0_400=(text + "[coins]", 0.9)), JoinOptions())
    assert texts(told) == [[text + "[coins]"] if joined else [text, "[coins]"]]


@pytest.mark.parametrize(
    ("a", "b", "whole", "space", "joined"),
    [
        ("units.", "sty", "units.sty", 0.96, True),
        ("units", ".sty”,", "units.sty”,", 0.85, True),
        ("a", ".sty", "a.sty", 0.96, False),  # what a kind of file is called
        ("units.", "sty", "units.sty", 0.999, False),  # surely a space
        ("units.", "sly", "units.sly", 0.96, False),  # no kind of file
        ("units", "sty", "unitssty", 0.96, False),
        ("…", "sty", "….sty", 0.96, False),
    ],
)
def test_the_ending_of_a_files_name_goes_with_it(a, b, whole, space, joined):
    row = [piece(a, 0, 80), replace(piece(b, 85, 120), space=space)]
    assert texts(join_pieces([row], Reads(x0_120=(whole, 0.8)), JoinOptions())) == [[whole] if joined else [a, b]]


@pytest.mark.parametrize(
    ("a", "b", "whole", "space", "joined"),
    [
        ("IN", "T_FAST8_M", "INT_FAST8_M", 0.85, True),
        ("cust", "om_get", "custom_get", 0.79, True),
        ("T_FAST8_M", "both", "T_FAST8_Mboth", 0.85, False),  # a word
        ("IN", "T_FAST8_M", "INT_FAST8_M", 0.95, False),  # surely a space
        ("IN", "T_FAST8_M", "INJ_FAST8_M", 0.85, False),  # read otherwise
        ("IN", "TFAST8", "INTFAST8", 0.85, False),  # no program's
        ("Name_", "Date_", "Name_Date_", 0.85, False),  # words before rules
        (r"\re", "newcom", r"\renewcom", 0.85, True),
        (r"\re", "newcom", r"\renewcom", 0.95, False),
        ("126", r"\renewcom", r"126\renewcom", 0.85, False),  # the number of its line
        (r"‘\renewcom’", "newcom", r"‘\renewcom’newcom", 0.85, False),
    ],
)
def test_parts_of_a_programs_name_are_joined_across_what_may_be_no_space(a, b, whole, space, joined):
    row = [piece(a, 0, 80), replace(piece(b, 85, 120), space=space)]
    told = join_pieces([row], Reads(x0_120=(whole, 0.8)), JoinOptions())
    assert texts(told) == [[whole] if joined else [a, b]]


@pytest.mark.parametrize(
    ("a", "b", "whole", "known", "one"),
    [
        ("BAKERI", "ES", "BAKERIES", True, True),
        ("BAKERI", "ES", "BAKERIES", False, False),  # nobody knows it
        ("BAKERI", "ES", "BAKER1ES", True, False),  # read otherwise
        ("A", "NNE", "ANNE", True, False),  # one letter
    ],
)
def test_halves_of_a_word_that_is_known_are_joined_even_at_a_likely_space(a, b, whole, known, one):
    read = replace(guess(whole, 0.95), known=known)
    assert is_one_word(guess(a), replace(guess(b), known=True), read, 0.85, JoinOptions()) is one


def test_pieces_are_joined_one_after_the_other():
    row = [piece("33", 60, 80), piece("22", 0, 20), piece("52", 30, 50), piece("PM", 95, 120)]
    read = Reads(x0_50=("22:52", 0.95), x30_80=("52 33", 0.9), x0_80=("22:52:33", 0.97))
    joined = join_pieces([row], read, JoinOptions())
    assert texts(joined) == [["22:52:33", "PM"]]
    np.testing.assert_array_equal(joined[0][0].box, [0, 0, 80, 20])
    assert len(read.asked) == len(set(read.asked))  # nothing twice


def test_halves_without_a_likely_space_between_them_go_together_first():
    row = [piece("him", 0, 40), replace(piece("i", 50, 54, 0.4), space=0.99), piece("f", 58, 64, 0.6)]
    read = Reads(x0_54=("himi", 0.8), x50_64=("if", 0.9), x0_64=("himif", 0.9))
    assert texts(join_pieces([row], read, JoinOptions())) == [["him", "if"]]


@pytest.mark.parametrize(
    ("read", "whole", "space", "found"),
    [
        (("sk", 0.3), ("*liver", 0.8), 1.0, ["*", "liver"]),
        (("s", 0.3), ("•liver", 0.8), 1.0, ["•", "liver"]),
        (("•", 0.7), ("•liver", 0.9), 1.0, ["•", "liver"]),
        (("•", 0.2), ("*liver", 0.8), 1.0, ["*", "liver"]),
        (("•", 0.2), ("-liver", 0.8), 1.0, ["•", "liver"]),
        (("•", 0.65), ("*liver", 0.6), 1.0, ["•", "liver"]),  # no surer
        (("•", 0.9), ("*liver", 0.8), 1.0, ["•", "liver"]),  # surely read
        (("m", 0.1), ("=liver", 0.7), 1.0, ["•", "liver"]),  # a square
        (("=", 0.1), ("=liver", 0.7), 1.0, ["=", "liver"]),
        (("x", 0.3), ("*liver", 0.8), 0.5, ["*liver"]),  # no sure space: a note's asterisk
    ],
)
def test_a_list_s_sign_is_what_is_seen_of_it_before_its_word(read, whole, space, found):
    rows = [[piece(read[0], 0, 10, read[1]), replace(piece("liver", 16, 60), space=space)]]
    reads = Reads(x0_60=whole)
    assert texts(join_pieces(rows, reads, JoinOptions())) == [found]


@pytest.mark.parametrize(
    ("left", "right", "whole", "space", "found"),
    [
        ("sum", ":=", "sum:=", 0.98, ["sum", ":="]),
        ("//", "sum:", "//sum:", 0.95, ["//", "sum:"]),  # no address
        ("a[i]", "I=", "a[i]!=", 0.95, ["a[i]", "!="]),
        ("a[i]", "I=", "a[i]!=", 0.7, ["a[i]!="]),  # no sure space
        ("a[i]", "Io", "a[i]Io", 0.95, ["a[i]Io"]),
    ],
)
def test_a_program_s_operator_is_a_word_behind_a_sure_space(left, right, whole, space, found):
    rows = [[piece(left, 0, 40, 0.7), replace(piece(right, 46, 60, 0.6), space=space)]]
    assert texts(join_pieces(rows, Reads(x0_60=(whole, 0.9)), JoinOptions())) == [found]


def test_only_near_neighbours_are_tried():
    read = Reads()
    far, empty = [piece("12", 0, 20), piece("30", 60, 80)], [piece("12", 0, 20), piece("", 25, 40)]
    several = [piece("to be", 0, 50), piece("or", 60, 80)]
    assert texts(join_pieces([far, empty, several], read, JoinOptions())) == [["12", "30"], ["12", ""], ["to be", "or"]]
    assert read.asked == []


@pytest.mark.parametrize(("right", "one"), [("128,", False), ("0.5", False), ("128.50", True)])
def test_numbers_of_a_list_stay_apart_and_thousands_with_their_rest(right, one):
    whole = guess(f"255,{right}", 0.95)
    assert is_one_word(guess("255,"), guess(right), whole, 0.98, JoinOptions()) is one


@pytest.mark.parametrize(
    ("left", "right", "space", "one"),
    [
        ("tenants’", "n'est", 0.985, False),
        ("tenants’", "n'est", 0.97, True),
        ("15.", "5", 0.985, False),  # a list's number, and another
        ("2/5", "-38.97", 0.985, False),
    ],
)
def test_behind_a_sure_space_no_mark_makes_one_word_of_two(left, right, space, one):
    assert is_one_word(guess(left), guess(right), guess(left + right), space, JoinOptions()) is one


@pytest.mark.parametrize(("pitch", "joined"), [(0.0, [["Invoi"]]), (12.0, [["Inv", "oi"]])])
def test_words_between_blank_cells_are_not_tried(pitch, joined):
    row = [
        replace(piece(text, *place, confidence=0.5), space=1.0, pitch=pitch)
        for text, place in (("Inv", (0, 30)), ("oi", (36, 46)))
    ]
    assert texts(join_pieces([row], Reads(x0_46=("Invoi", 0.95)), JoinOptions(sure_space=1.1))) == joined


def test_lines_without_pieces_stay_empty():
    assert join_pieces([[], []], Reads(), JoinOptions()) == [[], []]
