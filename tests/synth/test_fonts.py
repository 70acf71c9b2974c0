from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from ocrkit.errors import BadDataset, BadParams
from ocrkit.synth import fonts
from ocrkit.synth.fonts import (
    EM_PX,
    FontCatalogue,
    FontOptions,
    FontVerdict,
    audit,
    audit_font,
    font_files,
    font_folders,
    guess_kind,
    kerning,
    ligated,
    load_font,
    load_verdicts,
    open_font,
    place_text,
    render_text,
    save_verdicts,
    split_of_family,
)

TTF = Path(get_data_path()) / "fonts/ttf"


def altered(tmp_path: Path, change) -> Path:
    """DejaVu Sans after `change(font)` by fontTools."""
    ttlib = pytest.importorskip("fontTools.ttLib")
    font = ttlib.TTFont(TTF / "DejaVuSans.ttf")
    change(font)
    font.save(tmp_path / "altered.ttf")
    return tmp_path / "altered.ttf"


def without_letters(font) -> None:
    for table in font["cmap"].tables:
        for letter in "qxz":
            table.cmap.pop(ord(letter), None)


def without_euro(font) -> None:
    for table in font["cmap"].tables:
        table.cmap.pop(ord("€"), None)


def capitals_only(font) -> None:
    for table in font["cmap"].tables:
        for code in range(ord("a"), ord("z") + 1):
            table.cmap[code] = table.cmap.get(code - 32, "A")


def small_capitals(font) -> None:
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    glyphs = font.getGlyphSet()
    for letter in string.ascii_lowercase:
        pen = TTGlyphPen(glyphs)
        glyphs[letter.upper()].draw(TransformPen(pen, (0.75, 0, 0, 0.75, 0, 0)))
        font["glyf"][letter] = small = pen.glyph()
        small.recalcBounds(font["glyf"])
        font["hmtx"][letter] = round(0.75 * font["hmtx"][letter.upper()][0]), small.xMin


def tiny(font) -> None:
    font["head"].unitsPerEm *= 4


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (without_letters, "letters or figures missing"),
        (capitals_only, "upper and lower case alike"),
        (small_capitals, "upper and lower case alike"),
        (tiny, "wrong metrics: a capital is 0.1"),
    ],
)
def test_the_audit_sees_what_is_wrong_with_a_face(change, fault, tmp_path):
    assert audit_font(altered(tmp_path, change)).fault.startswith(fault)


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("cmex10.ttf", "symbols or scrawl in place of letters"),  # TeX's large brackets
        ("cmsy10.ttf", "symbols or scrawl in place of letters"),  # TeX's arrows and script capitals
        ("cmr10.ttf", "other signs in place of brackets"),  # letters, but ¡ and ¿ where < and > are
        ("STIXSizOneSymReg.ttf", "letters or figures missing"),
        ("DejaVuSans.ttf", ""),
        ("STIXGeneral.ttf", ""),
    ],
)
def test_the_audit_tells_letters_from_symbols(file, fault):
    assert audit_font(TTF / file).fault == fault


def test_squares_that_stand_for_missing_glyphs_are_not_taken_for_characters(tmp_path):
    verdict = audit_font(altered(tmp_path, without_euro))
    assert verdict.fault == ""
    assert "€" not in verdict.characters
    assert {"E", "£", " "} <= set(verdict.characters)


def test_a_file_that_is_no_font_gets_its_verdict_too(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    verdict = audit_font(tmp_path / "broken.ttf")
    assert verdict.fault.startswith("unreadable")
    with pytest.raises(BadDataset, match="None of 1 fonts is usable"):
        FontCatalogue([verdict], FontOptions(split="all", by_frequency=False))


def test_a_folder_without_fonts_is_told_in_a_sentence(tmp_path):
    with pytest.raises(BadDataset, match="`make fonts` fetches some"):
        audit([tmp_path])


def test_a_damaged_index_is_told_in_a_sentence(tmp_path):
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(BadDataset, match=r"index\.json is damaged"):
        font_files([tmp_path])


def test_the_index_tells_the_class_and_till_printers_are_known_by_name(tmp_path):
    for name in ("plain.ttf", "vt323-latin-400-normal.ttf"):
        shutil.copy(TTF / "DejaVuSansMono.ttf", tmp_path / name)
    index = {"plain.ttf": {"category": "serif"}, "vt323-latin-400-normal.ttf": {"category": "monospace"}}
    (tmp_path / "index.json").write_text(json.dumps(index))
    assert dict(font_files([tmp_path])) == {
        tmp_path / "plain.ttf": "serif",
        tmp_path / "vt323-latin-400-normal.ttf": "thermal",
    }


def test_verdicts_are_kept_for_files_that_did_not_change(tmp_path, monkeypatch):
    for name in ("DejaVuSans.ttf", "cmr10.ttf"):
        shutil.copy(TTF / name, tmp_path)
    first = audit([tmp_path])
    save_verdicts(first, tmp_path / "audit.json")
    kept = load_verdicts(tmp_path / "audit.json")
    assert kept == first
    (tmp_path / "cmr10.ttf").write_bytes((TTF / "STIXGeneral.ttf").read_bytes())
    looked_at = []
    monkeypatch.setattr(fonts, "audit_font", lambda path, kind="": looked_at.append(path) or audit_font(path, kind))
    assert {verdict.family for verdict in audit([tmp_path], kept)} == {"DejaVu Sans", "STIXGeneral"}
    assert looked_at == [tmp_path / "cmr10.ttf"]


def test_what_is_no_audit_is_told_in_a_sentence(tmp_path):
    (tmp_path / "audit.json").write_text('[{"path": 1}]')
    with pytest.raises(BadDataset, match="is not a font audit"):
        load_verdicts(tmp_path / "audit.json")


# --- which faces are drawn -------------------------------------------------------------------------------------------


def families(verdicts, **options) -> set[str]:
    return set(FontCatalogue(verdicts, FontOptions(**options)).families)


def test_train_validation_and_test_share_no_family_and_packages_have_some_for_each(verdicts):
    parts = [families(verdicts, split=split) for split in ("train", "val", "test")]
    assert all(parts)
    assert set.union(*parts) == families(verdicts, split="all")
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_held_out_families_are_held_out_under_any_spelling():
    assert split_of_family("Caladea") == split_of_family("CALADEA") == "test"
    assert {split_of_family(f"Family {i}") for i in range(100)} == {"train", "val", "test"}


def test_an_unknown_split_is_told_in_a_sentence():
    with pytest.raises(BadParams, match="no split 'dev' of fonts"):
        FontOptions(split="dev")


def test_fonts_that_cannot_be_had_are_told_in_a_sentence(verdicts):
    with pytest.raises(BadDataset, match="of the families Comic Sans MS for the split 'train'"):
        FontCatalogue(verdicts, FontOptions(families=("Comic Sans MS",)))


def test_families_are_chosen_by_name(verdicts):
    assert families(verdicts, families=("dejavu SANS", "Lato")) == {"DejaVu Sans", "Lato"}


@pytest.mark.parametrize(
    "family", ["VT323", "Jersey 15", "Doto Black", "Handjet", "Sixtyfour", "Bitcount Single", "Tiny5"]
)
def test_pixel_and_dot_faces_are_thermal_whatever_else_their_name_says(family):
    """The hand in Handjet is none."""
    assert guess_kind(family, open_font(str(TTF / "DejaVuSans.ttf"))) == "thermal"


def test_thermal_faces_can_be_left_out(verdicts):
    till = FontVerdict(verdicts[0].path, "Till", "Regular", "thermal", "abc", "")
    assert "Till" in families([*verdicts, till])
    assert "Till" not in families([*verdicts, till], thermal=False)


def test_by_frequency_leaves_unfit_faces_out_and_draws_common_families_more_often(verdicts):
    unfit = {verdict.family for verdict in verdicts if verdict.fault}
    assert not families(verdicts, split="all") & unfit
    assert families(verdicts, split="all", by_frequency=False) > families(verdicts, split="all")
    catalogue = FontCatalogue(verdicts, FontOptions(families=("DejaVu Sans", "Bitstream Vera Sans", "Lato")))
    weights = dict(zip([face.family for face in catalogue.faces], np.diff([0, *catalogue.edges])))
    assert weights["DejaVu Sans"] > weights["Lato"]
    even = FontCatalogue(verdicts, FontOptions(by_frequency=False))
    np.testing.assert_allclose(np.diff(even.edges), 1.0)


def test_where_files_lie_does_not_decide_which_number_draws_which_face(verdicts):
    moved = [FontVerdict(f"/{number}", v.family, v.style, v.kind, v.characters, v.fault)
             for number, v in enumerate(reversed(verdicts))]  # fmt: skip
    here, there = (FontCatalogue(some).faces for some in (verdicts, moved))
    assert [(f.family, f.style) for f in here] == [(f.family, f.style) for f in there]


def test_folders_that_are_not_there_are_left_out(tmp_path):
    assert font_folders([str(tmp_path), str(tmp_path / "missing")]) == [tmp_path]
    assert TTF in font_folders(["packages"])


# --- setting text ----------------------------------------------------------------------------------------------------


def test_a_word_is_cut_to_its_ink_and_knows_its_baseline():
    ink, top = render_text(str(TTF / "DejaVuSans.ttf"), "Hg")
    assert ink.dtype == np.uint8
    assert ink[0].any()
    assert ink[-1].any()
    advances = load_font(str(TTF / "DejaVuSans.ttf")).getlength("Hg")
    assert ink.shape[1] == pytest.approx(advances, abs=1.5)
    _, top_of_h = render_text(str(TTF / "DejaVuSans.ttf"), "H")
    assert top == top_of_h < 0
    assert ink.shape[0] > -top  # the g hangs below the baseline


def test_blanks_leave_no_ink():
    assert render_text(str(TTF / "DejaVuSans.ttf"), "  ")[0].size == 0


def test_tracking_sets_wider():
    path = str(TTF / "DejaVuSans.ttf")
    assert render_text(path, "wide", 4.0)[0].shape[1] == render_text(path, "wide")[0].shape[1] + 12


def test_kerned_letters_stand_as_their_face_pairs_them():
    path = str(TTF / "DejaVuSans.ttf")
    assert kerning(path, "P.") < -2  # px at 40 px: the point moves under the bowl
    assert kerning(path, "nn") == 0
    plain, kerned = (place_text(path, "P.n", kerned=kerned) for kerned in (False, True))
    assert [p.left for p in kerned] == pytest.approx(
        [plain[0].left, *(p.left + kerning(path, "P.") for p in plain[1:])], abs=1
    )


def test_small_capitals_stand_on_the_line_between_capitals_and_small_letters():
    path = str(TTF / "DejaVuSans.ttf")
    capital, small = place_text(path, "Nn", small_caps=0.8)
    assert (capital.bottom, small.bottom) == (0, 0)
    assert small.top == pytest.approx(0.8 * capital.top, abs=1)
    assert small.right - small.left == pytest.approx(0.8 * (capital.right - capital.left), abs=1)
    below = place_text(path, "q", small_caps=0.8)[0].bottom
    assert below == pytest.approx(0.8 * place_text(path, "Q")[0].bottom, abs=1) != 0


def test_what_is_raised_reaches_as_high_as_capitals():
    path = str(TTF / "DejaVuSans.ttf")
    capital, figure, first, second = place_text(path, "H4" + "47", raised=(2, 0.6))
    assert figure.bottom == 0
    assert first.top == second.top == pytest.approx(capital.top, abs=1)
    assert first.bottom - first.top == pytest.approx(0.6 * (figure.bottom - figure.top), abs=1)


def test_a_face_that_cannot_be_shaped_is_set_without_kerning(tmp_path):
    (tmp_path / "no.ttf").write_bytes(b"no font")
    assert kerning(str(tmp_path / "no.ttf"), "P.") == 0


@pytest.mark.parametrize(
    ("text", "set_as"), [("offer", "o\ufb00er"), ("office", "o\ufb03ce"), ("flow", "\ufb02ow"), ("of", "of")]
)
def test_ligatures_take_the_place_of_their_letters(text, set_as):
    assert ligated(str(TTF / "DejaVuSans.ttf"), text) == set_as


def test_a_face_keeps_letters_apart_that_it_has_no_ligature_for(tmp_path):
    def without(font) -> None:
        for table in font["cmap"].tables:
            for code in range(0xFB00, 0xFB05):
                table.cmap.pop(code, None)

    assert ligated(str(altered(tmp_path, without)), "office") == "office"


def test_letters_set_so_tight_that_they_overlap_keep_all_their_ink():
    path = str(TTF / "DejaVuSans.ttf")
    single, _ = render_text(path, "o")
    both, _ = render_text(path, "oo", -EM_PX / 4)
    width = single.shape[1]
    assert both.shape[1] < 2 * width
    assert (both[:, :width] >= single).all()
    assert (both[:, -width:] >= single).all()
