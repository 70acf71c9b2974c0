from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest

from ocrkit.alphabet import CHARACTERS, curled, normalise
from ocrkit.errors import BadDataset, OcrkitError
from ocrkit.synth import corpus
from ocrkit.synth.corpus import (
    Corpus,
    CorpusOptions,
    Vocabulary,
    build_vocabulary,
    contracted,
    elided,
    read_books,
    symbol_histogram,
)
from ocrkit.synth.profanity import is_profane

GENERATORS = [
    corpus.english, corpus.foreign, corpus.book, corpus.compound, corpus.name, corpus.number, corpus.price, corpus.date,
    corpus.time, corpus.phone, corpus.code, corpus.web, corpus.product, corpus.receipt_word, corpus.form_word,
    corpus.single, corpus.random_characters, corpus.chunk, corpus.phrase, corpus.symbols, corpus.accented,
    corpus.listing,
]  # fmt: skip


def texts(generator, vocabulary, count=3000) -> list[str]:
    r = Random(generator.__name__)
    return [generator(r, vocabulary) for _ in range(count)]


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.__name__)
def test_every_text_of_a_generator_can_be_encoded_and_is_in_normal_form(generator, vocabulary):
    for text in texts(generator, vocabulary):
        assert set(text) <= set(CHARACTERS)
        assert normalise(text) == text.strip()


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.__name__)
def test_words_alone_are_vocabulary_enough(generator, vocabulary):
    assert all(texts(generator, Vocabulary(words=vocabulary.words), 300))


MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"


@pytest.mark.parametrize(
    ("generator", "pattern", "forms"),
    [
        # marks before the digits, groups of three in either country's way, two decimals, marks after them
        (
            corpus.price,
            r"([$£€¥*-]|RM|US\$|USD)?\d{1,3}(([,.]\d{3})*|\d*)[.,]\d\d(€|-| A| T|CR|F| €|\*|SR)?",
            [r"\$\d+\.\d\d", r"\d{1,3},\d{3}\.\d\d", r"\d+,\d\d", r"\d\.\d\d €"],
        ),
        # numbers, a month by name with or without day and year, or a day alone
        (
            corpus.date,
            rf"\d{{1,2}}[/.-]\d{{1,2}}[/.-](\d\d|\d{{4}})|\d{{4}}-\d\d-\d\d|\d{{1,2}},"
            rf"|\d{{1,2}}[/.-]({MONTH})[/.-]\d{{4}}|(\d{{1,2}} )?({MONTH})[a-z]*( \d{{1,2}},)?( \d{{4}})?",
            [r"\d\d/\d\d/\d{4}", r"\d{4}-\d\d-\d\d", r"[A-Z][a-z]+ \d{1,2}, \d{4}", r"\d+-[A-Z][a-z]{2}-\d{4}"],
        ),
        (corpus.time, r"\d{1,2}:\d\d(:\d\d)?( ?[ap]m|[AP]M|[ap]\.m\.|h)?", [r"\d\d:\d\d:\d\d", r"\d{1,2}:\d\dPM"]),
        (corpus.phone, r"\+?[\d(][\d ()./-]*", [r"\(\d{3}\) \d{3}-\d{4}", r"\+\d+ [\d ]+", r"\(\d{3}\)"]),
    ],
    ids=["price", "date", "time", "phone"],
)
def test_figures_take_the_forms_print_gives_them(generator, pattern, forms, vocabulary):
    made = texts(generator, vocabulary)
    assert [text for text in made if not re.fullmatch(pattern, text, re.I)] == []
    for form in forms:
        assert any(re.fullmatch(form, text) for text in made), form


@pytest.mark.parametrize("generator", [corpus.english, corpus.product, corpus.compound, corpus.symbols])
def test_a_sharp_s_is_not_turned_into_two_capitals(generator, vocabulary):
    assert not any(
        "SS" in text.upper() for text in texts(generator, Vocabulary(words=("grüße",)), 500) if "ß" not in text
    )
    assert any("GR" in text for text in texts(generator, Vocabulary(words=("grün",)), 500))


def test_a_corpus_draws_the_same_texts_from_the_same_seed_and_none_too_long(vocabulary):
    drawn = [Corpus(vocabulary, CorpusOptions(longest=9)).draw(Random(i)) for i in range(200)]
    assert drawn == [Corpus(vocabulary, CorpusOptions(longest=9)).draw(Random(i)) for i in range(200)]
    assert max(map(len, drawn)) == 9
    assert min(map(len, drawn)) == 1


def share(options: CorpusOptions, vocabulary: Vocabulary, pattern: str) -> float:
    made, r = Corpus(vocabulary, options), Random(3)
    return sum(bool(re.search(pattern, made.draw(r))) for _ in range(4000)) / 4000


@pytest.mark.parametrize(
    ("off", "pattern"),
    [
        ({"receipts": False}, r"\d[.,]\d\d\b|SUBTOTAL|CASHIER"),
        ({"receipts": False}, r"^\d{4}-\d\d-\d\d$|^Address:"),
        ({"symbol_boost": False}, r"[§©®°¥…«»{}~^|\\@]"),
        ({"foreign": 0.0}, "señor|Größe|œuvre"),
        ({"chunks": 0.0}, r"[a-z] [a-z]"),
    ],
)
def test_each_option_of_the_corpus_brings_what_it_names(off, pattern, vocabulary):
    assert share(CorpusOptions(), vocabulary, pattern) > 1.2 * share(
        replace(CorpusOptions(), **off), vocabulary, pattern
    )


def test_the_histogram_counts_every_character_of_the_alphabet_also_those_that_never_occur():
    counts = symbol_histogram(["abba", "b€"])
    assert list(counts) == list(CHARACTERS)
    assert (counts["a"], counts["b"], counts["€"], counts["z"]) == (2, 3, 1, 0)


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        (Vocabulary(words=()), "holds no usable word"),
        (Vocabulary(words=("word", "слово")), "'велос|which the alphabet lacks"),
    ],
)
def test_a_vocabulary_nothing_can_be_drawn_from_is_told_in_a_sentence(vocabulary, sentence):
    with pytest.raises(BadDataset, match=sentence):
        Corpus(vocabulary)


def test_a_limit_below_every_text_is_told_in_a_sentence(vocabulary):
    with pytest.raises(BadDataset, match="no text of at most 0 characters"):
        Corpus(vocabulary, CorpusOptions(longest=0)).draw(Random(0))


BOOK = """The Project Gutenberg eBook of Words
Produced by volunteers
*** START OF THE PROJECT GUTENBERG EBOOK WORDS ***
_Call_ me Ishmael. Some years ago—never mind
how long; call me too. Привет
*** END OF THE PROJECT GUTENBERG EBOOK WORDS ***
Donations are welcome
"""


def test_a_book_gives_its_own_words_by_frequency_without_what_the_publisher_put_around_them(tmp_path):
    (tmp_path / "words.txt").write_text(BOOK, "utf-8")
    words = read_books(tmp_path)
    assert words[0] == "me"
    assert {"Call", "Ishmael.", "ago—never", "long;"} <= set(words)
    assert not {"Project", "Produced", "Donations", "Привет", "***"} & set(words)


def test_a_text_without_marks_of_the_publisher_is_taken_whole(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Sir", "utf-8")
    assert read_books(tmp_path) == ("Dear", "Sir")


def test_a_folder_without_books_is_told_in_a_sentence(tmp_path):
    with pytest.raises(BadDataset, match=r"No usable word in the \.txt files"):
        read_books(tmp_path)


@pytest.mark.parametrize(
    "text", ["damn", "DAMN,", "Damned", "“Merde!”", "Scheiße", "coño", "cazzo", "dick's", "all pissed"]
)
def test_profanity_is_known_in_any_case_with_accents_and_among_others(text):
    assert is_profane(text)


@pytest.mark.parametrize(
    "text",
    [
        "class",
        "assess",
        "Dickens",
        "title",
        "p'tit",
        "cocktail",
        "analysis",
        "document",
        "Putin",
        "nationale",
        "1,234.50",
    ],
)
def test_decent_words_that_hold_profane_ones_are_kept(text):
    assert not is_profane(text)


def test_a_built_vocabulary_is_the_same_every_time_and_holds_no_profanity(tmp_path):
    (tmp_path / "words.txt").write_text("Damn the torpedoes, full speed ahead", "utf-8")
    vocabulary = build_vocabulary(tmp_path, words=4000)
    assert vocabulary == build_vocabulary(tmp_path, words=4000)
    assert vocabulary.book == ("ahead", "full", "speed", "the", "torpedoes,")
    assert vocabulary.words[:3] == ("the", "to", "and")
    assert not [text for texts in vars(vocabulary).values() for text in texts if is_profane(text)]


def test_a_vocabulary_survives_saving(vocabulary, tmp_path):
    vocabulary.save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json") == vocabulary
    assert [path.name for path in tmp_path.iterdir()] == ["vocabulary.json"]


@pytest.mark.parametrize("content", [None, "", "[1, 2]", '{"letters": ["a"]}', '{"words": 3}', '{"words": [["a"]]}'])
def test_what_is_no_vocabulary_is_told_in_a_sentence(content, tmp_path):
    path = tmp_path / "vocabulary.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(OcrkitError, match="vocabulary"):
        Corpus(Vocabulary.load(path))


def test_the_same_seed_gives_the_same_vocabulary_under_any_hash_seed():
    program = (
        "import hashlib; from ocrkit.synth.corpus import build_vocabulary\n"
        "print(hashlib.sha256(repr(build_vocabulary(words=200, seed=3)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("straight", "curly"),
    [
        ("don't", "don’t"),
        ("'tis", "‘tis"),  # print often has a closing one here, which no rule short of a dictionary tells
        ('"yes"', "“yes”"),
        ("('a')", "(‘a’)"),
        ('he "is', "he “is"),
        ("5'6\"", "5’6”"),
    ],
)
def test_straight_quotes_are_set_as_printers_do(straight, curly):
    assert curled(straight) == curly


@pytest.mark.parametrize(("word", "ends"), [("eau", "'eau"), ("EAU", "'EAU"), ("Eau", ("'Eau", "'eau"))])
def test_elided_words_stand_before_their_apostrophe(word, ends):
    texts = {elided(Random(seed), word, 1.0) for seed in range(40)}
    assert all(text.endswith(ends) for text in texts)
    assert all(text.isupper() == word.isupper() for text in texts)
    assert len(texts) > 5
    assert elided(Random(0), word, 0.0) == word


@pytest.mark.parametrize(("word", "share", "ends"), [("it", 1.0, "'s"), ("IT", 1.0, "'S"), ("it", 0.0, "it")])
def test_contractions_keep_the_word_and_its_case(word, share, ends):
    texts = {contracted(Random(seed), word, share) for seed in range(60)}
    assert all(text.startswith(word) and text.isupper() == word.isupper() for text in texts)
    assert (len(texts) > 5) == (share > 0)
    assert any(text.endswith(ends) for text in texts)


def test_more_contractions_change_no_other_word(vocabulary):
    plain, more = (Corpus(vocabulary, CorpusOptions(contractions=share)) for share in (0.0, 1.0))
    pairs = [(plain.draw(Random(seed)), more.draw(Random(seed))) for seed in range(600)]
    changed = [(a, b) for a, b in pairs if a != b]
    assert 40 < len(changed) < 300
    assert all({"'", "’"} & set(b) for _, b in changed)


@pytest.mark.parametrize(
    ("option", "pattern"),
    [
        ("accented", "(?i)[àâäãçéèêëíîïñóôöõúûüœß]"),
        ("listings", r"\w\(|\);|::|->|^--\w|\[\d+\]|_\w|^\\\w|\w=\w"),
    ],
)
def test_accented_words_and_listings_are_made_where_they_are_asked_for(option, pattern, vocabulary):
    plain = share(CorpusOptions(), vocabulary, pattern)
    assert share(CorpusOptions(**{option: 0.5}), vocabulary, pattern) > 0.1 + plain


def test_quotes_of_listings_stay_straight(vocabulary):
    corpus = Corpus(replace(vocabulary, book=()), CorpusOptions(curly=1.0, listings=1.0, symbol_boost=False))
    texts = [corpus.draw(Random(seed)) for seed in range(2000)]
    assert any('="' in text for text in texts)
    assert not any("=“" in text or "=”" in text for text in texts)


def test_elisions_and_curly_quotes_can_be_switched_off(vocabulary):
    marks = "'’‘“”\""
    for curly in (0.0, 1.0):
        corpus = Corpus(replace(vocabulary, book=()), CorpusOptions(curly=curly, symbol_boost=False))
        texts = [corpus.draw(Random(seed)) for seed in range(3000)]
        seen = set("".join(texts)) & set(marks)
        assert ("'" in seen) == (curly == 0.0)
        assert "’" in seen
