import numpy as np
import pytest

from ocrkit.alphabet import CHARACTERS, Alphabet, normalise, time_steps_needed
from ocrkit.errors import BadLabel


def test_every_character_survives_encoding_and_decoding():
    alphabet = Alphabet()
    assert alphabet.decode(alphabet.encode(CHARACTERS)) == CHARACTERS
    assert alphabet.classes == len(CHARACTERS) + 1
    assert alphabet.encode(CHARACTERS).min() == 1  # class 0 is the blank's


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301te\u0301", "été"),  # composed
        ("a\u00a0b\t c\n", "a b c"),  # all blanks are one space
        ("ﬁne oﬃce", "fine office"),  # ligatures are what they stand for
        ("5\u22123", "5-3"),  # the minus sign looks like a hyphen
        ("", ""),
    ],
)
def test_text_is_brought_into_one_form(text, expected):
    assert normalise(text) == expected


def test_unknown_characters_are_named():
    with pytest.raises(BadLabel, match="'猫'"):
        Alphabet().encode("a猫")
    assert Alphabet("ab").unknown("abcx") == "cx"


def test_a_label_longer_than_the_row_is_refused():
    with pytest.raises(BadLabel, match="longer than 2"):
        Alphabet().encode_batch(["abc"], 2)
    assert np.array_equal(Alphabet("ab").encode_batch(["b", ""], 2), [[2, 0], [0, 0]])


@pytest.mark.parametrize("characters", ["", "aa"])
def test_an_alphabet_holds_each_character_once(characters):
    with pytest.raises(BadLabel):
        Alphabet(characters)


@pytest.mark.parametrize(("text", "steps"), [("", 0), ("ab", 2), ("aab", 4), ("aaa", 5)])
def test_repeats_need_a_blank_between(text, steps):
    assert time_steps_needed(text) == steps
