"""Beam search: what it finds is the likeliest text, and a lexicon decides where the picture hardly does."""

import math
from collections import defaultdict
from itertools import groupby, product

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocrkit.alphabet import Alphabet
from ocrkit.datasets.book_page import book_page
from ocrkit.datasets.crops import cut
from ocrkit.errors import BadModel, BadParams
from ocrkit.recognition import load_recognizer, recognizer
from ocrkit.recognition.beam import is_settled, prefix_search, reread, texts_of
from ocrkit.recognition.decode import Guess, greedy, log_softmax, tidied
from ocrkit.recognition.lexicon import Lexicon, lexicon_of_labels
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.recognizer import DECODERS, closer, recognize_turned

LETTERS = Alphabet("abc")


def random_logits(seed: int, steps: int, classes: int, spread: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (1, steps, classes))


def beam(logits, alphabet, steps_to_px, temperature=1.0, lexicon=None):
    guesses = greedy(logits, alphabet, steps_to_px, temperature)
    return [
        reread(guess, outputs, [texts_of(outputs, alphabet)], alphabet, float(step), temperature, lexicon)
        for guess, outputs, step in zip(guesses, logits, steps_to_px)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_a_search_without_pruning_sums_every_path(seed):
    probabilities = np.exp(log_softmax(random_logits(seed, 5, 3)[0]))
    sums = defaultdict(float)
    for path in product(range(3), repeat=5):
        sums[tuple(c for c, _ in groupby(path) if c)] += np.prod(probabilities[range(5), path])
    found = prefix_search(probabilities, DecodeOptions(texts=1000, choices=3, least_probability=0.0, faint=0.0))
    assert found.keys() == sums.keys()
    assert all(np.exp(found[text]) == pytest.approx(sums[text]) for text in sums)


def test_beam_finds_what_is_at_least_as_probable_as_the_best_path():
    better = 0
    for seed in range(200):
        logits = random_logits(seed, 12, 4)
        found = prefix_search(np.exp(log_softmax(logits[0])))
        best = log_softmax(logits[0]).max(-1).sum()
        assert max(found.values()) >= best
        better += beam(logits, LETTERS, np.ones(1))[0].text != greedy(logits, LETTERS, np.ones(1))[0].text
    assert better > 0


def test_many_weak_paths_beat_one_strong_path():
    # Nothing is the best path with 0.6 * 0.6 = 0.36, but one a, wherever it stands, has 0.64 in all.
    logits = np.log([[[0.6, 0.4, 1e-9, 1e-9]] * 2])
    assert greedy(logits, LETTERS, np.ones(1))[0].text == ""
    (guess,) = beam(logits, LETTERS, np.array([4.0]))
    assert guess.text == "a"
    assert guess.confidence == pytest.approx(0.24)  # of the best path that says it
    assert guess.spans.shape == (1, 2)


def test_a_sure_reading_is_the_greedy_one_with_its_spans():
    logits = np.zeros((1, 6, 4))
    logits[0, range(6), [0, 1, 1, 2, 0, 2]] = 9.0
    (guess,), (simple,) = (decode(logits, LETTERS, np.array([2.0])) for decode in (beam, greedy))
    assert (guess.text, guess.confidence) == (simple.text, simple.confidence)
    assert guess.spans.tolist() == [[2, 6], [6, 8], [10, 12]]


def test_a_lexicon_rights_a_near_miss_and_leaves_codes_alone():
    alphabet = Alphabet("Tota1l")
    logits = np.full((2, 9, 7), -4.0)
    for row, text in enumerate(("Tota1", "T1")):
        logits[row, np.arange(9), 0] = 0.0
        logits[row, np.arange(len(text)) * 2, alphabet.encode(text)] = 6.0
    logits[:, :, alphabet.encode("l")] = np.where(logits[:, :, alphabet.encode("1")] > 0, 5.0, -4.0)  # l, almost 1
    plain = [guess.text for guess in beam(logits, alphabet, np.ones(2))]
    helped = beam(logits, alphabet, np.ones(2), lexicon=Lexicon(["total"]))
    assert plain == ["Tota1", "T1"]
    assert [guess.text for guess in helped] == ["Total", "T1"]
    assert helped[0].confidence < beam(logits, alphabet, np.ones(2))[0].confidence
    assert helped[0].spans[:, 0].tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("total", 1.0),
        ("TOTAL:", 1.0),  # case and marks
        ("(Total)", 1.0),
        ("tOtal", 0.0),  # no word is printed so
        ("total 12", 0.5),
        ("a", 0.0),  # a sole letter says nothing
        ("", 0.0),
        ("Paris", 1.0),
        ("paris", 0.0),
    ],
)
def test_a_lexicon_knows_a_word_as_it_may_be_printed(text, share):
    assert Lexicon(["total", "Paris", "a"]).bonus(text, weight=2.0, slope=0.6, length=5) == 2.0 * share


@pytest.mark.parametrize(
    ("text", "bonus"),
    [
        ("the", 0.75 * (2.0 + 0.5 * 4.68)),  # to a twenty-fifth, as it is kept
        ("The,", 0.75 * (2.0 + 0.5 * 4.68)),
        ("March", 2.0 + 0.5 * 2.0),  # of its forms the most frequent
        ("zither", 2.0 - 0.5),
        ("xylem", 0.5),
        ("the zyx", 0.75 * (2.0 + 0.5 * 4.68) / 2),
    ],
)
def test_frequent_words_are_preferred_to_rare_ones(tmp_path, text, bonus):
    lexicon = Lexicon({"the": 7.69, "march": 4.6, "March": 5.0, "zither": 2.0, "xylem": -9.0})
    lexicon.save(tmp_path / "lexicon.bin")
    for same in (lexicon, Lexicon.load(tmp_path / "lexicon.bin")):
        assert same.bonus(text, weight=2.0, slope=0.5, length=4) == pytest.approx(bonus)


def test_a_lexicon_on_disk_knows_the_same_words_and_holds_none_of_them(tmp_path):
    lexicon = Lexicon(["total", "Paris"])
    lexicon.save(tmp_path / "lexicon.bin")
    again = Lexicon.load(tmp_path / "lexicon.bin")
    assert len(again) == len(lexicon) == 2
    assert [word in again for word in ("TOTAL", "PARIS", "paris", "tota1")] == [True, True, False, False]
    assert b"total" not in (tmp_path / "lexicon.bin").read_bytes()
    (tmp_path / "cut.bin").write_bytes(b"123456")
    with pytest.raises(BadModel, match="6 bytes are not a whole number"):
        Lexicon.load(tmp_path / "cut.bin")


def test_words_that_several_documents_have_in_common_are_learnt_from_labels():
    labels = [(f"receipt {i}", text) for i in range(4) for text in ("Bhd: TOTAL", "BHD", "JALAN", "(total)", "12", "a")]
    labels += [("receipt 0", "Smith"), ("receipt 1", "Smith"), *[("receipt 2", "Zither")] * 9]
    lexicon = lexicon_of_labels(labels, 3)
    assert len(lexicon) == 3
    told = ("total", "Bhd", "BHD", "JALAN", "bhd", "Jalan", "Smith", "Zither")
    assert [word in lexicon for word in told] == [True] * 4 + [False] * 4
    # `JALAN` 4 times of 35 words, met a tenth as often elsewhere; kept to a twenty-fifth.
    assert lexicon.zipf("JALAN") == pytest.approx(8 + np.log10(4 / 35), abs=0.02)
    assert len(lexicon_of_labels((), 3)) == 0


def test_lexicons_are_joined():
    both = Lexicon({"total": 5.0, "cash": 2.0}).joined(Lexicon({"cash": 4.0, "Paris": 3.0}))
    assert [both.zipf(word) for word in ("total", "cash", "Paris", "rome")] == [5.0, 4.0, 3.0, None]


def logits_of(text: str, sure: float, rival: str = "") -> np.ndarray:
    """Outputs that say `text`, and `rival` in its place with a log probability `sure` lower."""
    logits = np.full((2 * len(text) + 1, LETTERS.classes), -20.0)
    logits[::2, 0] = 0.0
    for said, height in ((rival, -sure), (text, 0.0)):
        for i, c in enumerate(LETTERS.encode(said)):
            logits[2 * i + 1, c] = height
    return logits


def test_a_second_view_that_is_surer_outweighs_the_first():
    first, second = logits_of("ab", 0.2, "ac"), logits_of("ac", 5.0, "ab")
    (guess,) = greedy(first[None], LETTERS, np.array([4.0]))
    looks = texts_of(first, LETTERS), texts_of(second, LETTERS)
    again = reread(guess, first, looks, LETTERS, 4.0)
    assert (guess.text, again.text) == ("ab", "ac")
    assert again.spans.tolist() == guess.spans.tolist()
    assert reread(guess, first, looks[:1] * 2, LETTERS, 4.0) is guess


def test_a_text_that_only_a_longer_view_has_room_for_is_not_taken():
    first, second = logits_of("a", 0.1, "b")[1:2], logits_of("bcb", 9.0)
    (guess,) = greedy(first[None], LETTERS, np.ones(1))
    looks = [texts_of(first, LETTERS), *[texts_of(second, LETTERS)] * 2]
    assert reread(guess, first, looks, LETTERS, 1.0) is guess


@pytest.mark.parametrize(
    ("sure", "words", "settled"),
    [
        (math.log(10), [], False),
        (math.log(20), [], True),
        # What its words are worth counts: a rival that is one is nearer, a text that is one farther from others.
        (math.log(20), ["ac"], False),
        (math.log(10), ["ab"], True),
    ],
)
def test_a_word_is_settled_once_its_text_is_many_times_likelier_than_any_other(sure, words, settled):
    texts = texts_of(logits_of("ab", sure, "ac"), LETTERS)
    assert is_settled(texts, Lexicon(words) if words else None, DecodeOptions(settled=15.0)) == settled
    assert is_settled({"ab": -1.0}, None)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (8, 2), (40, 3), (33, 700)])
def test_the_closer_view_is_a_picture_whatever_the_crop(size):
    view = closer(np.full(size, 200, np.uint8))
    assert view.dtype == np.uint8
    assert min(view.shape) >= 1
    assert view.shape[0] <= size[0]


@pytest.mark.parametrize(("first", "last", "rows"), [(0, 39, 40), (2, 39, 38), (9, 30, 32), (9, 37, 34)])
def test_the_closer_view_loses_paper_but_no_ink(first, last, rows):
    crop = np.full((40, 60), 230, np.uint8)
    crop[[first, last], 20:30] = 20  # an accent's top, a comma's tail
    view = closer(crop)
    assert view.shape[0] == rows
    assert view[:20].min() < 60 > view[20:].min()


def test_careful_reading_looks_again_at_doubtful_words_only():
    page = book_page()
    clear = [cut(page.pixels, word.quad) for word in page.words]
    changed = []
    for crops in (clear, [cv2.blur(crop, (4, 4)) for crop in clear]):
        plain, careful = (load_recognizer(decoder=name).recognize(crops) for name in ("greedy", "careful"))
        changed.append([before for before, after in zip(plain, careful) if before.text != after.text])
        assert all(0.1 <= before.confidence < 0.94 for before in changed[-1])
    assert len(changed[1]) > len(changed[0])


@pytest.fixture
def blurred():
    page = book_page()
    return [cv2.blur(cut(page.pixels, word.quad), (4, 4)) for word in page.words]


@pytest.fixture
def looked(monkeypatch):
    """The crops that are looked at a second time."""
    crops = []
    monkeypatch.setattr(recognizer, "closer", lambda crop, options: crops.append(crop) or closer(crop, options))
    return crops


def test_a_word_that_the_first_look_settles_is_not_looked_at_again(blurred, looked, monkeypatch):
    load_recognizer().recognize(blurred)
    unsettled = len(looked)
    monkeypatch.setattr(recognizer, "is_settled", lambda *_: False)
    load_recognizer().recognize(blurred)
    assert 0 < unsettled < len(looked) - unsettled


def test_a_word_of_the_lexicon_read_well_is_not_looked_at_again(blurred, looked, monkeypatch):
    monkeypatch.setattr(recognizer, "is_settled", lambda *_: False)
    crops = blurred
    words = {guess.text: guess.confidence for guess in load_recognizer(decoder="greedy").recognize(crops)}
    load_recognizer(lexicon=Lexicon([])).recognize(crops)
    without = len(looked)
    load_recognizer(lexicon=Lexicon(list(words))).recognize(crops)
    known = sum(0.75 <= sure < 0.94 and text.isalpha() and len(text) > 1 for text, sure in words.items())
    assert 0 < known <= without - (len(looked) - without)


@pytest.mark.parametrize("text", ["1,234.50", "RM45.90", "PAT:37993027"])
def test_letters_of_twice_their_height_and_more_are_read_wider(text):
    font = ImageFont.load_default(size=22)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (right - left + 8, bottom - top + 8), 255)
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, font=font, fill=0)
    crop = cv2.resize(np.array(picture), None, fx=1, fy=2.5)
    (guess,) = load_recognizer(threads=1).recognize([crop])
    assert (guess.text, guess.confidence > 0.8) == (text, True)
    assert guess.spans.max() <= crop.shape[1]


@pytest.mark.parametrize(("quarters", "lies"), [(0, False), (1, True), (3, True)])
def test_words_on_their_side_are_read_turned(quarters, lies):
    page = book_page()
    word = next(word for word in page.words if word.text == "segmentation")
    crop = cut(page.pixels, word.quad)
    turned = np.ascontiguousarray(np.rot90(crop, quarters))
    recognize = load_recognizer().recognize
    (guess,) = recognize_turned(recognize, [turned])
    (simple,) = recognize([crop])
    assert guess.text == simple.text
    assert np.allclose(guess.spans, [[0, turned.shape[1]]] * len(guess.text) if lies else simple.spans)


def test_a_narrow_letter_is_not_turned():
    letter = np.full((30, 9), 230, np.uint8)
    letter[4:27, 4:6] = 20
    recognize = load_recognizer().recognize
    (guess,), (simple,) = recognize_turned(recognize, [letter]), recognize([letter])
    assert guess.text == simple.text


def _is_narrow(text, i):
    """Whether the blank `i` of `text` stands at an end, before a mark or behind a bracket."""
    before, after = text[:i].rstrip(" "), text[i:].lstrip(" ")
    return not before or not after or after[0] in ":;,.)" or before[-1] == "("


def test_a_low_quotation_mark_has_no_comma_in_it():
    read = "„,Ja„,, a"
    tidy = tidied(Guess(read, 0.5, np.arange(2.0 * len(read)).reshape(-1, 2)))
    assert tidy.text == "„Ja„, a"
    assert tidy.spans[:, 0].tolist() == [0, 4, 6, 8, 12, 14, 16]


@pytest.mark.parametrize(
    ("read", "given"),
    [
        ("Name :", "Name:"),
        ("3 , 4  ; 5", "3, 4; 5"),
        ("( a )", "(a)"),
        ("1914—18", "1914-18"),
        ("—", "-"),
        ("tale—whenever", "tale—whenever"),
        ("( 17)", "(17)"),
        ("( )", "()"),
        ("a - b", "a - b"),
        (" .", "."),
        ("–14,", "-14,"),
        ("M–", "M-"),
        ("(7–)", "(7-)"),
        ("1914–", "1914–"),
        ("1914–18", "1914–18"),
        ("tale–", "tale–"),
        (" NEEDED ", "NEEDED"),
        ("", ""),
    ],
)
def test_blanks_before_marks_and_long_dashes_are_tidied_away(read, given):
    spans = np.arange(2.0 * len(read)).reshape(-1, 2)
    guess = Guess(read, 0.5, spans)
    tidy = tidied(guess)
    assert (tidy.text, tidy.confidence, tidy.spans.shape) == (given, 0.5, (len(given), 2))
    kept = [i for i, c in enumerate(read) if c != " " or not _is_narrow(read, i)]
    assert tidy.spans.tolist() == spans[kept].tolist()
    as_read = DecodeOptions(plain_dashes=False, close_marks=False)
    assert tidied(guess, as_read) is guess


def test_texts_that_are_the_same_once_tidy_are_likely_together():
    alphabet = Alphabet("M-–~")
    logits = np.full((5, alphabet.classes), -20.0)
    logits[::2, 0] = 0.0
    logits[1, alphabet.encode("M")] = 0.0
    logits[3, alphabet.encode("~-–")] = 0.0, -0.3, -0.4
    (guess,) = greedy(logits[None], alphabet, np.ones(1))
    assert guess.text == "M~"
    look = texts_of(logits, alphabet)
    assert reread(guess, logits, [look], alphabet, 1.0).text == "M-"
    apart = DecodeOptions(plain_dashes=False)
    assert reread(guess, logits, [look], alphabet, 1.0, options=apart).text == "M~"


@pytest.mark.parametrize(
    ("read", "given"),
    [
        ("l00's,", "100's,"),
        ("l%", "1%"),
        ("Ist", "1st"),
        ("4o0", "400"),
        ("37Omm", "370mm"),
        *((text, text) for text in ("html5", "Al2O3", "CO2", "H2O", "Internet", "list", "B2O", "I'll")),
    ],
)
def test_letters_among_figures_are_figures_where_the_reading_is_unsure(read, given):
    spans = np.arange(2.0 * len(read)).reshape(-1, 2)
    unsure, sure = (tidied(Guess(read, confidence, spans)) for confidence in (0.8, 0.97))
    assert (unsure.text, sure.text) == (given, read)
    assert unsure.spans is spans


def test_temperature_changes_confidence_only():
    logits = random_logits(3, 20, 4)
    (humble,), (plain,) = (beam(logits, LETTERS, np.ones(1), t) for t in (2.0, 1.0))
    assert humble.text == plain.text
    assert humble.confidence < plain.confidence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"decoder": "guess"}, "careful, greedy, beam"),
        ({"decoder": "greedy", "lexicon": Lexicon(["to"])}, "choose the decoder careful or beam"),
    ],
)
def test_what_cannot_decode_is_said(options, sentence):
    with pytest.raises(BadParams, match=sentence):
        load_recognizer(**options)


PAPER = {
    "white": np.full((24, 90), 255, np.uint8),
    "black": np.zeros((24, 90), np.uint8),
    "one pixel": np.full((1, 1), 200, np.uint8),
    "very wide": np.full((20, 5000), 240, np.uint8),
    "noise": np.random.default_rng(0).normal(200, 12, (24, 90)).clip(0, 255).astype(np.uint8),
    "coarse noise": np.random.default_rng(1).integers(0, 256, (24, 90), np.uint8),
}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("paper", PAPER)
def test_the_released_model_reads_nothing_where_nothing_is(paper, decoder):
    (guess,) = load_recognizer(decoder=decoder).recognize([PAPER[paper]])
    assert (guess.text, guess.spans.shape) == ("", (0, 2))
