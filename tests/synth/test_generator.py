from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ocrkit.alphabet import CHARACTERS
from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset
from ocrkit.synth.corpus import CorpusOptions, Vocabulary
from ocrkit.synth.distort import DistortionOptions
from ocrkit.synth.fonts import FontOptions, FontVerdict, Placed, save_verdicts
from ocrkit.synth.generator import WordGenerator, WordOptions, WordStream, validation_options, visible_text

ROOT = Path(__file__).resolve().parents[2]


def digest(samples: Iterable[Sample]) -> str:
    """Of all that a sample is."""
    whole = hashlib.sha256()
    for sample in samples:
        whole.update(repr((sample.image.shape, sample.text, sample.source, sample.document)).encode())
        whole.update(sample.image.tobytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def generator(vocabulary, verdicts) -> WordGenerator:
    return WordGenerator(vocabulary, verdicts)


def test_an_item_is_the_same_in_whatever_order_it_is_asked_for(generator):
    forwards = {i: digest([generator[i]]) for i in range(40)}
    assert {i: digest([generator[i]]) for i in reversed(range(40))} == forwards
    assert len(set(forwards.values())) == 40


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stream_gives_the_same_items_from_any_number_of_processes(workers, vocabulary, verdicts, generator):
    with WordStream(vocabulary, verdicts, WordOptions(), workers, chunk=7) as stream:
        assert digest(stream(0, 30)) == digest(generator.samples(0, 30))
        assert digest(stream(30, 60)) == digest(generator.samples(30, 60))  # made ahead
        assert digest(stream(5, 20)) == digest(generator.samples(5, 20))  # and not made ahead


def test_a_stream_works_without_processes(vocabulary, verdicts, generator):
    with WordStream(vocabulary, verdicts, WordOptions(), workers=0) as stream:
        assert digest(stream(3, 9)) == digest(generator.samples(3, 9))


def test_crops_are_grey_and_labels_lie_in_the_alphabet(generator):
    for sample in generator.samples(0, 300):
        assert sample.image.dtype == np.uint8
        assert sample.image.ndim == 2
        assert min(sample.image.shape) >= 2
        assert set(sample.text) <= set(CHARACTERS)
        assert len(sample.text) <= generator.options.corpus.longest


def test_words_can_be_told_from_their_paper(generator):
    """Two in a hundred may be lost in noise; a word that is one even grey teaches nothing."""
    faint = [s.text for s in generator.samples(0, 400) if s.text and np.ptp(s.image.astype(int)) < 40]
    assert len(faint) <= 8


def test_another_seed_gives_other_words(vocabulary, verdicts, generator):
    other = WordGenerator(vocabulary, verdicts, WordOptions(seed=8))
    assert digest(other.samples(0, 5)) != digest(generator.samples(0, 5))


def test_validation_words_come_from_other_families_and_other_random_choices(vocabulary, verdicts, generator):
    options = validation_options(WordOptions())
    held_out = WordGenerator(vocabulary, verdicts, options)
    assert not set(held_out.catalogue.families) & set(generator.catalogue.families)
    assert [s.text for s in held_out.samples(0, 20)] != [s.text for s in generator.samples(0, 20)]


# --- the six improvements of the original, each a switch -------------------------------------------------------------


def kinds(generator: WordGenerator, count: int = 150) -> set[str]:
    return {sample.source for sample in generator.samples(0, count)}


def test_1_receipts_bring_prices(vocabulary, verdicts):
    def prices(receipts: bool) -> int:
        made = WordGenerator(vocabulary, verdicts, WordOptions(corpus=CorpusOptions(receipts=receipts)))
        return sum("$" in sample.text for sample in made.samples(0, 200))

    assert prices(True) > prices(False)


def test_2_thermal_fonts_bring_the_faces_of_tills(vocabulary, verdicts):
    usable = next(verdict for verdict in verdicts if verdict.family == "DejaVu Sans Mono")
    with_till = [*verdicts, replace(usable, family="VT323", kind="thermal")]
    assert "synthetic/thermal" in kinds(WordGenerator(vocabulary, with_till, WordOptions()))
    without = WordOptions(fonts=FontOptions(thermal=False))
    assert "synthetic/thermal" not in kinds(WordGenerator(vocabulary, with_till, without))


def test_3_frequency_and_audit_keep_unfit_faces_out(vocabulary, verdicts):
    faulty = {verdict.family for verdict in verdicts if verdict.fault}
    drawn = WordGenerator(vocabulary, verdicts, WordOptions(fonts=FontOptions(split="all")))
    naive = WordGenerator(vocabulary, verdicts, WordOptions(fonts=FontOptions(split="all", by_frequency=False)))
    assert not faulty & set(drawn.catalogue.families)
    assert faulty & set(naive.catalogue.families)


def test_4_negatives_have_pictures_and_no_text(vocabulary, verdicts):
    only = WordGenerator(vocabulary, verdicts, WordOptions(negatives=1.0))
    assert {sample.text for sample in only.samples(0, 40)} == {""}
    assert len({digest([sample]) for sample in only.samples(0, 40)}) == 40
    none = WordGenerator(vocabulary, verdicts, WordOptions(negatives=0.0))
    assert all(sample.text for sample in none.samples(0, 100))


def test_5_the_symbol_boost_brings_rare_symbols(vocabulary, verdicts):
    def rare(boost: bool) -> int:
        made = WordGenerator(vocabulary, verdicts, WordOptions(corpus=CorpusOptions(symbol_boost=boost)))
        return sum(bool(set(sample.text) & set("§©®°¥{}~^|\\@")) for sample in made.samples(0, 200))

    assert rare(True) > rare(False)


def test_6_warps_shadows_and_creases_change_words_that_have_them(vocabulary, verdicts):
    bent = DistortionOptions.only("warp", "shadow")
    made = [
        WordGenerator(vocabulary, verdicts, WordOptions(negatives=0, distortions=d))
        for d in (bent, replace(bent, warps=False), DistortionOptions.only())
    ]
    assert digest(made[0].samples(0, 10)) != digest(made[1].samples(0, 10))
    assert digest(made[1].samples(0, 10)) == digest(made[2].samples(0, 10))


def test_6_without_them_words_are_tilted_underlined_and_blurred_as_in_the_first_version():
    first = DistortionOptions(warps=False).in_use()
    assert {name for name in first.names() if getattr(first, name)} == {
        "tilt", "underline", "defocus", "motion", "box_blur"
    }  # fmt: skip
    assert DistortionOptions().in_use() == DistortionOptions()


# --- where it runs, and what it says when it cannot ------------------------------------------------------------------


def test_the_generator_needs_only_numpy_opencv_pillow_and_harfbuzz(vocabulary, verdicts, tmp_path):
    vocabulary.save(tmp_path / "vocabulary.json")
    save_verdicts(verdicts, tmp_path / "audit.json")
    code = f"""
import json, sys
before = set(sys.modules)
from pathlib import Path
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import load_verdicts
from ocrkit.synth.generator import WordGenerator
folder = Path({str(tmp_path)!r})
made = WordGenerator(Vocabulary.load(folder / "vocabulary.json"), load_verdicts(folder / "audit.json"))
list(made.samples(0, 50))
files = {{name.partition(".")[0] for name, module in sys.modules.items()
         if "site-packages" in str(getattr(module, "__file__", None)) and name not in before}}
print(json.dumps(sorted(files)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) <= {"numpy", "cv2", "PIL", "uharfbuzz"}


def test_no_usable_font_is_told_in_a_sentence(vocabulary, verdicts):
    unfit = [verdict for verdict in verdicts if verdict.fault]
    with pytest.raises(BadDataset, match="None of 2 fonts is usable for the split 'train'; name other families"):
        WordGenerator(vocabulary, unfit)


def test_a_split_without_families_is_told_in_a_sentence(vocabulary, verdicts):
    few = [verdict for verdict in verdicts if verdict.family == "DejaVu Sans"]
    with pytest.raises(BadDataset, match="None of 1 fonts is usable for the split 'test'"):
        WordGenerator(vocabulary, few, validation_options(WordOptions(), "test"))


def test_no_usable_word_is_told_in_a_sentence(verdicts):
    with pytest.raises(BadDataset, match="vocabulary holds no usable word"):
        WordGenerator(Vocabulary(words=()), verdicts)


def test_fonts_without_the_characters_of_the_corpus_are_told_in_a_sentence(vocabulary, verdicts):
    blank = [FontVerdict(v.path, v.family, v.style, v.kind, "", "") for v in verdicts]
    with pytest.raises(BadDataset, match="No font of the catalogue holds the characters"):
        WordGenerator(vocabulary, blank)


# --- words as print has them ---


def test_words_are_as_wide_as_those_of_real_print(vocabulary, verdicts, generator):
    def widths(options):
        samples = [s for s in WordGenerator(vocabulary, verdicts, options).samples(0, 600) if s.text]
        return np.array([s.image.shape[1] * 32 / s.image.shape[0] for s in samples])

    printed, free = widths(WordOptions()), widths(WordOptions(widths="text"))
    assert 90 < printed.mean() < 120 < free.mean()
    assert 0.05 < (printed > 192).mean() < 0.13 < (free > 192).mean()


def test_words_to_judge_by_do_not_change_with_what_is_trained_on():
    later = WordOptions(widths="print", set_off=0.5, small_bleed=1.0, smallest_px=6.0, corpus=CorpusOptions(curly=1.0))
    none: dict = dict.fromkeys(
        ("set_off", "small_bleed", "kerned", "ligatures", "small_caps", "raised", "clipped"), 0.0
    )
    former = WordOptions(widths="text", visible=False, smallest_px=9.0, **none)
    assert validation_options(later) == validation_options(former)


@pytest.mark.parametrize(
    ("box", "label"),
    [
        ((0, 0, 0, 0), "l."),  # the whole word
        ((0, 0, 2, 0), "l."),  # a third of the point is cut off
        ((0, 0, 4, 0), "l"),  # two thirds of it
        ((0, 4, 0, 4), "l"),  # all but a row of it, from below
        ((3, 0, 0, 0), "."),
    ],
)
def test_labels_have_the_characters_that_the_box_shows(box, label):
    letter = Placed(np.full((30, 5), 255, np.uint8), 2, 7, -30, 0)
    point = Placed(np.full((5, 6), 255, np.uint8), 9, 15, -5, 0)
    left, top, right, bottom = box
    assert visible_text("l.", [letter, point], (left, top, 13 - right, 30 - bottom)) == label


def test_clean_words_have_paper_without_grain(vocabulary, verdicts):
    def grain(clean):
        options = WordOptions(negatives=0, clean=clean)
        samples = WordGenerator(vocabulary, verdicts, options).samples(0, 150)
        lines = [np.sort(sample.image.astype(float), axis=1)[:, -4:] for sample in samples]  # the lightest of each row
        return np.median([line.std() for line in lines])

    assert grain(1.0) < 0.2 * grain(0.0)


def test_a_share_of_clean_words_is_that_of_the_words(vocabulary, verdicts):
    some = WordGenerator(vocabulary, verdicts, WordOptions(clean=0.4))
    every = WordGenerator(vocabulary, verdicts, WordOptions(clean=1.0))
    same = [np.array_equal(a.image, b.image) for a, b in zip(some.samples(0, 200), every.samples(0, 200))]
    assert 0.3 < np.mean(same) < 0.5


def test_marks_stand_a_gap_away_and_are_labelled_without_it(vocabulary, verdicts):
    options = WordOptions(negatives=0, kerned=0, small_caps=0, raised=0, corpus=CorpusOptions(chunks=0, elisions=0))
    away = WordGenerator(vocabulary, verdicts, replace(options, set_off=1.0))
    near = WordGenerator(vocabulary, verdicts, replace(options, set_off=0.0))
    face = near.catalogue.faces[0]
    (far, label), (close, _) = (g._lay("Date:", face, random.Random(4)) for g in (away, near))
    assert label == "Date:"
    assert far.shape[1] > close.shape[1] + 5
    assert away._lay("Date :", face, random.Random(4))[1] == "Date:"
    (far, label), (close, _) = (g._lay("$70", face, random.Random(4)) for g in (away, near))
    assert label == "$70"
    assert far.shape[1] > close.shape[1] + 5


def test_small_capitals_are_labelled_as_capitals(vocabulary, verdicts):
    every = WordGenerator(vocabulary, verdicts, WordOptions(negatives=0, raised=0, small_caps=1.0))
    none = WordGenerator(vocabulary, verdicts, WordOptions(negatives=0, raised=0, small_caps=0.0))
    face = every.catalogue.faces[0]
    assert every._lay("Union", face, random.Random(4))[1] == "UNION"
    assert none._lay("Union", face, random.Random(4))[1] == "Union"
    assert every._lay("23x", face, random.Random(4))[1] == "23x"  # too few letters to tell their size by


def test_boxes_that_clip_show_the_line_and_what_stands_on_it(vocabulary, verdicts):
    options = WordOptions(negatives=0, small_caps=0, raised=0, distortions=DistortionOptions.only())
    every, none = (WordGenerator(vocabulary, verdicts, replace(options, clipped=share)) for share in (1.0, 0.0))
    face = every.catalogue.faces[0]
    for seed in range(20):
        (clipped, label), (whole, _) = (g._lay("gypsy", face, random.Random(seed)) for g in (every, none))
        assert label == "gypsy"
        assert clipped.shape[0] < whole.shape[0]
        assert np.array_equal(
            every._lay("Union", face, random.Random(seed))[0], none._lay("Union", face, random.Random(seed))[0]
        )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("word", r"word\d{1,2}"),
        ("word.", r"word\.\d{1,2}"),
        ("2", "2nd"),
        ("4", "4th"),
        ("28.", r"28\."),
        ("1970", "1970"),
    ],
)
def test_notes_and_ordinals_have_their_raised_part(text, label, vocabulary, verdicts):
    options = WordOptions(negatives=0, raised=1.0, visible=False)
    generator = WordGenerator(vocabulary, verdicts, options)
    for seed in range(10):
        written = generator._lay(text, generator.catalogue.faces[0], random.Random(seed))[1]
        assert re.fullmatch(label, written)
