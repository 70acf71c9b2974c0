"""The detector on small pages drawn here, where every word's place is known."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ocrkit.detection import DetectedLine, DetectorOptions, dark_on_light, detect, find_dark, to_text_scale
from ocrkit.detection.bands import bands
from ocrkit.detection.check_boxes import are_check_boxes
from ocrkit.detection.detector import tight
from ocrkit.detection.lines import are_broken, regular_lines
from ocrkit.detection.pairs import components
from ocrkit.detection.prune import are_blocks
from ocrkit.detection.regions import ink_regions, rule_map
from ocrkit.detection.underlined import without_underlines

FONTS = {
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "serif": "DejaVuSerif.ttf",
    "typewriter": "DejaVuSansMono.ttf",
}
TWO_LINES = ("The quick brown dogs came", "over the lazy fox today")


@dataclass
class Drawn:
    """A page and the ink boxes of its words."""

    image: np.ndarray
    boxes: np.ndarray


def draw(lines, font="sans", size=18, ink=0, paper=255, shape=(160, 420), at=(20, 30), leading=1.6) -> Drawn:
    """`lines` of text, one under the other; the words' boxes are those of their ink."""
    page = Image.new("L", shape[::-1], paper)
    pen = ImageDraw.Draw(page)
    face = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{FONTS[font]}", size)
    boxes, y = [], at[1]
    for line in lines:
        x = float(at[0])
        for word in line.split():
            pen.text((x, y), word, ink, face)
            boxes.append(pen.textbbox((x, y), word, face))
            x += pen.textlength(word + " ", face)
        y += round(size * leading)
    return Drawn(np.array(page), np.array(boxes, float))


def words(lines: list[DetectedLine]) -> np.ndarray:
    return np.concatenate([line.boxes for line in lines]) if lines else np.zeros((0, 4))


def overlaps(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Intersection over union, `(N, M)`."""
    corner0 = np.maximum(truth[:, None, :2], found[None, :, :2])
    corner1 = np.minimum(truth[:, None, 2:], found[None, :, 2:])
    shared = np.clip(corner1 - corner0, 0, None).prod(2)
    area = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).prod(1)  # noqa: E731
    return shared / (area(truth)[:, None] + area(found) - shared)


def assert_found(drawn: Drawn, lines: list[DetectedLine], spurious: int = 0) -> None:
    found = words(lines)
    best = overlaps(drawn.boxes, found).max(1, initial=0)
    assert (best >= 0.5).all(), f"missed {np.flatnonzero(best < 0.5)} of {len(best)}"
    assert len(found) <= len(drawn.boxes) + spurious


LETTER = (
    "The parcel left our depot on Tuesday and is now on its way to you. It's packed in two boxes, and each of them",
    "carries the number of your order. If one is missing when the driver calls, please don't sign for both. A clerk",
    "will ring back within a day, at no cost. We are sorry that the first van broke down near the bridge, which is why",
    "a second one had to be hired.",
)


@pytest.mark.parametrize(("font", "size"), [("sans", 46), ("sans", 60), ("sans", 50), ("serif", 50)])
def test_low_letters_of_a_line_are_no_line_of_small_print(font, size):
    """At 300 dpi and more the letters of a line without risers, looked at by themselves, made words of small print."""
    page = draw(LETTER, font, size, shape=(10 * size, 66 * size), at=(2 * size, size), leading=1.35)
    found = words(detect(page.image))
    assert len(found) == len(page.boxes)
    assert overlaps(page.boxes, found).max(1).min() > 0.5


@pytest.mark.parametrize("quarters", [1, 3])
@pytest.mark.parametrize("number", ["632120763", "51669 8130"])
def test_a_number_on_its_side_along_the_margin_is_a_line_aside(quarters, number):
    page, strip = draw(TWO_LINES, shape=(160, 460)), draw([number], "bold", shape=(60, 160), at=(8, 20))
    page.image[:, 400:] = np.rot90(strip.image, quarters)
    lines = detect(page.image)
    assert_found(page, [line for line in lines if not line.aside], spurious=len(number))  # its digits, one by one
    (aside,) = [line for line in lines if line.aside]
    x0, y0, x1, y1 = strip.boxes.T
    turned = np.stack([y0, 160 - x1, y1, 160 - x0] if quarters == 1 else [60 - y1, x0, 60 - y0, x1], 1)
    turned[:, [0, 2]] += 400
    assert_found(Drawn(page.image, turned), [aside])
    assert (np.diff(aside.boxes[:, 1]) > 0).all()


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("size", [13, 18, 40, 90])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 170)])
def test_every_word_of_a_clean_page_is_found_once(font, size, ink, paper):
    drawn = draw(TWO_LINES, font, size, ink, paper, shape=(5 * size, 20 * size), at=(size, size))
    assert_found(drawn, detect(drawn.image))


def test_words_of_a_line_come_from_left_to_right_on_one_line():
    drawn = draw(TWO_LINES)
    lines = detect(drawn.image)
    assert len(lines) == 2
    assert all((np.diff(line.boxes[:, 0]) > 0).all() for line in lines)


def test_colour_pages_read_like_grey_ones():
    drawn = draw(TWO_LINES)
    colour = np.repeat(drawn.image[..., None], 3, axis=2)
    assert np.array_equal(words(detect(colour)), words(detect(drawn.image)))


def test_the_ends_of_a_tinted_row_are_no_part_of_the_words_beside_them():
    lines = ("Prices of the season", "tea 17", "and much more for all")
    drawn = draw(lines, size=14, at=(20, 20), leading=2)
    tint = np.full_like(drawn.image, 255)
    tint[44:76, 16:70] = 205
    image = np.minimum(drawn.image, tint)
    found = words(detect(image))
    assert len(found) == len(drawn.boxes)
    inside = words(detect(drawn.image))
    assert np.allclose(found[np.lexsort(found.T)], inside[np.lexsort(inside.T)], atol=1)


def test_light_words_in_a_dark_bar_are_found_beside_dark_ones_on_the_page():
    drawn = draw(TWO_LINES, at=(20, 20))
    drawn.image[46:76] = 255 - drawn.image[46:76]
    assert_found(drawn, detect(drawn.image))


def test_light_words_are_found_on_the_mid_tone_that_a_copier_makes_of_a_bar():
    drawn = draw(TWO_LINES, at=(20, 20))
    drawn.image[46:76] = 255 - drawn.image[46:76] / 255 * (255 - 186)
    assert_found(drawn, detect(drawn.image), spurious=2)


def test_the_left_end_of_a_grey_row_is_no_part_of_the_dark_word_beside_it():
    drawn = draw(TWO_LINES, at=(60, 20))
    tint = np.full(drawn.image.shape, 255, np.uint8)
    tint[48:72, 54:] = 187
    drawn.image[:] = np.minimum(drawn.image, tint)
    assert_found(drawn, detect(drawn.image))


@pytest.mark.parametrize("ground", [70, 150])
@pytest.mark.parametrize("above", [2, 4])
@pytest.mark.parametrize("word", ["Paid", "Pending"])
def test_light_words_on_badges_hardly_higher_than_they_are_are_found_whole(word, above, ground):
    drawn = draw((*TWO_LINES, word), at=(40, 20))
    x0, y0, x1, y1 = drawn.boxes[-1].astype(int) + np.array([-6, -above, 6, above])
    badge = drawn.image[y0:y1, x0:x1]
    badge[:] = 255 - badge / 255 * (255 - ground)
    assert_found(drawn, detect(drawn.image))


@pytest.mark.parametrize(
    ("beside", "fall"),
    [((6, 300), 8), ((0, 200), 0), ((-1, 300), 0)],  # askew, wide, one that begins within its word
)
def test_short_light_words_are_found_on_badges_of_any_place_and_width(beside, fall):
    drawn = draw((*TWO_LINES, "Its", "In", "It"), at=(40, 20), shape=(220, 420), leading=2)
    for box in drawn.boxes[-3:]:
        x0, y0, x1, y1 = box.astype(int) + np.array([-beside[0], -5, beside[1], 5])
        ground = np.zeros_like(drawn.image)
        cv2.fillPoly(ground, [np.array([(x0, y0 - fall), (x1, y0), (x1, y1), (x0, y1 - fall)])], 255)
        drawn.image[ground > 0] = 255 - drawn.image[ground > 0] / 255 * 155
    assert_found(drawn, detect(drawn.image), spurious=1)


def test_words_in_boxes_with_round_corners_are_found_where_there_is_little_else():
    drawn = draw(("Each mapping item",), "sans", 14, shape=(500, 1300), at=(60, 30))
    page = Image.fromarray(drawn.image)
    pen, face = ImageDraw.Draw(page), ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{FONTS['sans']}", 14)
    boxes = [*drawn.boxes]
    for i in range(8):
        x, y = 20 + i % 4 * 320, 80 + i // 4 * 210
        pen.rounded_rectangle([x, y, x + 300, y + 190], 30, fill=90 if i % 2 else 235, outline=90)
        for word, at in (("You", x + 100), ("are", x + 140), ("not", x + 170)):
            pen.text((at, y + 90), word, 255 if i % 2 else 0, face)
            boxes.append(pen.textbbox((at, y + 90), word, face))
    drawn = Drawn(np.array(page), np.array(boxes, float))
    assert_found(drawn, detect(drawn.image), spurious=16)  # rims


@pytest.mark.parametrize("rule", [True, False])
def test_what_ends_at_a_rule_is_no_part_of_what_begins_behind_it(rule):
    rows = [(str(7 + i), f"2025-0{1 + i}-1{i}") for i in range(8)]
    page = Image.new("L", (260, 260), 255)
    pen, face = ImageDraw.Draw(page), ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{FONTS['sans']}", 16)
    boxes = []
    for i, (number, date) in enumerate(rows):
        left = 60 - pen.textlength(number, face)
        for text, x in ((number, left), (date, 63)):
            pen.text((x, 22 + 28 * i), text, 0, face)
            boxes.append(pen.textbbox((x, 22 + 28 * i), text, face))
        pen.line([10, 18 + 28 * i, 240, 18 + 28 * i], 0)
    if rule:
        pen.line([61, 18, 61, 242], 0)
        lines = detect(np.array(page))
        assert_found(Drawn(np.array(page), np.array(boxes, float)), lines)
        assert all(len(set(line.cells.tolist())) == len(line.boxes) for line in lines)
    else:
        assert len(words(detect(np.array(page)))) < len(boxes)


def test_rules_that_cross_letters_part_no_words():
    lines = ("Every committee meeting", "is held in the rooms", "of another library", "outside the village")
    drawn = draw(lines, leading=2, shape=(180, 420))
    whole = len(words(detect(drawn.image)))
    drawn.image[:, 30::45] = 0
    found = detect(drawn.image)
    assert len(words(found)) <= whole + 1
    assert sum(len(set(line.cells.tolist())) for line in found) <= len(found) + 2


@pytest.mark.parametrize(("stroke", "box"), [(3, True), (24, False)])
def test_a_large_bold_letter_is_no_box_with_round_corners(stroke, box):
    page = Image.new("L", (160, 200), 0)
    ImageDraw.Draw(page).rounded_rectangle([20, 20, 140, 180], 24, outline=255, width=stroke)
    ink = np.array(page)
    assert are_blocks(ink_regions(ink), ink, 20, DetectorOptions()).any() == box


def test_two_threads_find_what_one_does():
    drawn = draw(TWO_LINES, at=(20, 20))
    drawn.image[46:76] = 255 - drawn.image[46:76]
    one, two = detect(drawn.image), detect(drawn.image, threads=2)
    assert len(one) == len(two) > 1
    for line, again in zip(one, two):
        assert np.array_equal(line.boxes, again.boxes)
        assert np.array_equal(line.ink, again.ink)


def test_a_table_of_rules_does_not_merge_the_words_of_its_cells():
    drawn = draw(("alpha beta gamma delta", "eleven twelve forty fifty", "some more words here"), leading=2)
    for y in (18, 58, 94, 130):
        cv2.line(drawn.image, (8, y), (400, y), 0, 2)
    for x in (8, 400):
        cv2.line(drawn.image, (x, 18), (x, 130), 0, 2)
    assert_found(drawn, detect(drawn.image))


def test_underlined_words_are_found_one_by_one():
    drawn = draw(TWO_LINES, leading=2.5)
    for x0, _, _, y1 in drawn.boxes[[0, 5]]:
        cv2.line(drawn.image, (int(x0), int(y1)), (360, int(y1)), 0, 2)
    assert_found(drawn, detect(drawn.image))


def test_dotted_leaders_are_no_words():
    drawn = draw(("Chapter", "Appendix"))
    for y in (45, 74):
        for x in range(125, 300, 7):
            cv2.circle(drawn.image, (x, y), 1, 0, -1)
    assert_found(drawn, detect(drawn.image))


@pytest.mark.parametrize(("sign", "left_px"), [(":", 125), (":", 200), ("=", 125), ("-", 118), ("1", 200)])
def test_a_sign_or_a_narrow_number_between_words_is_a_word(sign, left_px):
    """A space away, or in a column of its own."""
    columns = [
        draw((text, text), size=24, shape=(140, 420), at=(x, 30))
        for text, x in (("Cashier", 20), (sign, left_px), ("Thandar", 270))
    ]
    found = words(detect(np.min([column.image for column in columns], axis=0)))
    for column in columns:
        middle = column.boxes.reshape(-1, 2, 2).mean(1)
        over = ((found[:, None, :2] < middle) & (middle < found[:, None, 2:])).all(2)
        assert (over.sum(0) == 1).all()
    assert len(found) == 6


def test_a_colon_at_a_word_stays_with_it():
    assert_found(drawn := draw(("Cashier: Thandar", "Change: 12:30")), detect(drawn.image))


def test_two_columns_are_not_strung_together():
    left, right = draw(TWO_LINES, shape=(160, 640)), draw(TWO_LINES, shape=(160, 640), at=(320, 30))
    page = Drawn(np.minimum(left.image, right.image), np.concatenate([left.boxes, right.boxes]))
    lines = detect(page.image)
    assert_found(page, lines)
    assert sorted(len(line.boxes) for line in lines) == [5, 5, 5, 5]


@pytest.mark.parametrize("degrees", [-3, -2, 2, 3])
def test_a_slightly_skewed_page_keeps_its_words_and_lines(degrees):
    drawn = draw(TWO_LINES, shape=(200, 440), at=(20, 70))
    turn = cv2.getRotationMatrix2D((220, 100), degrees, 1)
    image = cv2.warpAffine(drawn.image, turn, (440, 200), borderValue=255)
    corners = drawn.boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ turn[:, :2].T + turn[:, 2]
    lines = detect(image)
    assert_found(Drawn(image, np.concatenate([corners.min(1), corners.max(1)], 1)), lines)
    assert len(lines) == 2


def test_boxes_are_tight_around_the_ink():
    drawn = draw(("Mountain",), size=40, shape=(120, 300))
    (box,) = words(detect(drawn.image))
    rows, columns = np.nonzero(drawn.image < 128)
    ink = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(box - ink).max() <= 6


NOTHING_TO_READ = {
    "white": np.full((300, 200), 255, np.uint8),
    "black": np.zeros((300, 200), np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "one row": np.arange(256, dtype=np.uint8)[None],
    "ramp": np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1)),
    "narrow bar": np.repeat(np.array([[255, 0, 255]], np.uint8), 300, axis=0),
    "faint noise": np.random.default_rng(0).normal(200, 4, (400, 300)).clip(0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("name", NOTHING_TO_READ)
def test_nothing_is_found_where_there_is_nothing_to_read(name):
    assert detect(NOTHING_TO_READ[name]) == []


def test_a_page_is_always_read_alike():
    drawn = draw(TWO_LINES)
    assert np.array_equal(words(detect(drawn.image)), words(detect(drawn.image.copy())))


def photographed(drawn: Drawn) -> Drawn:
    """The page as a dim photo of grey paper that darkens to one side, on a black desk."""
    light = np.linspace(0.35, 0.62, drawn.image.shape[1])
    photo = np.pad(drawn.image * light, 40).astype(np.uint8)
    return Drawn(photo, drawn.boxes + 40)


def test_dim_grey_paper_on_a_black_desk_reads_as_dark_on_light():
    drawn = photographed(draw(TWO_LINES))
    assert_found(drawn, detect(drawn.image))


def blobs(size_px: float) -> np.ndarray:
    """Marble-like: smooth random blobs with full contrast."""
    clouds = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (700, 500)), (0, 0), size_px)
    return cv2.normalize(clouds, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def grain() -> np.ndarray:
    """Wood-like: wavy stripes."""
    x = np.arange(500)[None] / 7 + 2 * np.sin(np.arange(700)[:, None] / 60)
    return (128 + 60 * np.sin(x + np.sin(x / 3))).astype(np.uint8)


TEXTURES = {
    "grain": grain(),
    "fine blobs": blobs(2),
    "middling blobs": blobs(4),
    "coarse blobs": blobs(8),
    "strong noise": np.random.default_rng(0).integers(0, 256, (700, 500)).astype(np.uint8),
}


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_has_no_words(name):
    assert len(words(detect(TEXTURES[name]))) <= 4


def test_noise_does_not_hide_print():
    drawn = draw(TWO_LINES)
    noise = np.random.default_rng(0).normal(0, 12, drawn.image.shape)
    assert_found(drawn, detect((drawn.image + noise).clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("cues", [("components",), ("components", "mser"), ("mser",)])
def test_every_cue_finds_crisp_print(cues):
    text = "the quick brown dogs came over the lazy fox today and saw that all was well in town"
    drawn = draw((text[:43], text[43:]) * 4, "serif", 12, shape=(190, 420))
    assert_found(drawn, detect(drawn.image, DetectorOptions(cues=cues)))


def test_stable_regions_that_join_the_letters_of_blurred_print_are_not_taken_for_letters():
    drawn = draw(TWO_LINES)
    blurred = cv2.GaussianBlur(drawn.image, (5, 5), 0)
    assert_found(drawn, detect(blurred, DetectorOptions(cues=("mser",))))


def test_an_opencv_that_drops_stable_regions_is_named(caplog, monkeypatch):
    monkeypatch.setattr(cv2, "__version__", "5.0.0")
    drawn = draw(TWO_LINES)
    detect(drawn.image, DetectorOptions(cues=("mser",)))
    assert not caplog.records
    detect(drawn.image, DetectorOptions(cues=("mser",), mser_min_diversity=0.05))
    assert "OpenCV 5.0.0" in caplog.text


def test_stable_regions_add_no_second_box_to_a_word():
    drawn = draw(TWO_LINES)
    assert_found(drawn, detect(drawn.image, DetectorOptions(cues=("components", "mser"))))


def test_stages_show_what_was_taken_for_rules_and_for_letters():
    drawn = draw(TWO_LINES)
    cv2.line(drawn.image, (10, 120), (410, 120), 0, 2)
    page, scale, height = to_text_scale(drawn.image)
    stages = find_dark(page, height)
    assert scale == 1
    assert stages.rules[120, 15:405].all()
    assert not stages.rules[:110].any()
    assert 35 <= stages.letter.sum() <= len("Thequickbrowndogscameoverthelazyfoxtoday")  # some touch
    assert len(np.unique(stages.line[stages.letter])) == 2
    assert len(stages.words) == len(drawn.boxes)


def test_boxes_lie_within_the_image():
    drawn = draw(TWO_LINES, at=(0, 0), shape=(60, 300))
    found = words(detect(drawn.image))
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= [300, 60]).all()


def test_a_huge_page_is_read_at_the_same_places():
    drawn = draw(TWO_LINES, size=200, shape=(2000, 6000), at=(300, 300))
    assert_found(drawn, detect(drawn.image))


@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (10, 4), (300, 200), (300, 299), (200, 600)])
def test_components_are_those_of_scipy(nodes, edges):
    rng = np.random.default_rng(nodes + edges)
    a, b = rng.integers(0, nodes, (2, edges))
    graph = coo_matrix((np.ones(edges, np.int8), (a, b)), shape=(nodes, nodes))
    assert components(nodes, a, b).tolist() == connected_components(graph, directed=False)[1].tolist()


def test_a_comma_that_touches_the_line_below_its_word_is_of_that_word():
    page = draw(["Harbour at", "the river bank"], size=24, shape=(160, 400), leading=2.5)
    x0, _, x1, foot = page.boxes[1].round().astype(int)
    page.image[foot + 3 : foot + 5, x0 : x1 + 7] = 0
    page.image[foot - 2 : foot + 3, x1 + 3 : x1 + 6] = 0
    words = [ink for line in detect(page.image) for ink in line.ink]
    assert len(words) == 5
    assert any(ink[[0, 2]] == pytest.approx([x0, x1 + 6], abs=1) for ink in words)


def test_low_letters_that_touch_are_no_line_with_commas_on_it():
    ink = np.zeros((60, 100), np.uint8)
    ink[10:28, 20:60:8] = ink[10:28, 21:61:8] = 255  # a word above
    ink[30:40, 20:60:6] = ink[38:40, 20:60] = 255  # stems on a common serif
    regions = ink_regions(ink)
    assert len(without_underlines(regions, ink, 18.0, DetectorOptions())) == len(regions)


def test_signs_alone_in_a_row_are_found_and_specks_are_not():
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520"], size=20, shape=(200, 600), leading=2)
    for y in (43, 83):  # half-way up the first two rows: dashes of empty cells
        page.image[y : y + 2, 400:408] = 0
    page.image[103:107, 500:504] = 0  # between two rows
    page.image[123:125, 400:408] = 200  # dirt, much fainter than print
    lines = detect(page.image)
    signs = [line for line in lines if line.sign]
    assert sorted(float(line.ink[0, 1]) for line in signs) == pytest.approx([43, 83], abs=1)
    assert {round(float(line.ink[0, 0])) for line in signs} <= {399, 400, 401}


@pytest.mark.parametrize(
    ("dashes", "found"),
    [
        ([(400, 43, 8)], 0),  # far from any word: dirt
        ([(400, 43, 8), (400, 83, 12)], 0),  # of any size
        ([(400, 43, 8), (460, 83, 8)], 2),
        ([(152, 43, 8)], 1),  # beside a word
    ],
)
def test_a_dash_far_from_any_word_is_one_where_another_is_as_large(dashes, found):
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520"], size=20, shape=(200, 600), leading=2)
    for x, y, width in dashes:
        page.image[y : y + 2, x : x + width] = 0
    assert sum(line.sign for line in detect(page.image)) == found


@pytest.mark.parametrize(
    ("column", "left", "found"),
    [
        (["4711", "", "", ""], 480, 1),  # the dash stands between words
        (["", "1203", "5520", "8064"], 240, 1),  # it begins where its column does
        (["", "1203", "5520", "8064"], 255, 0),
    ],
)
def test_a_table_may_have_a_single_dash(column, left, found):
    drawn = [
        draw(lines, size=20, shape=(220, 600), leading=2, at=(x, 30)).image
        for lines, x in ((["Depot", "Bridge", "Harbour", "Market"], 20), (column, left))
    ]
    page = np.minimum(*drawn)
    page[43:45, 240:252] = 0
    assert sum(line.sign for line in detect(page)) == found


def test_a_dash_that_rises_as_a_pens_is_found():
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520"], size=30, shape=(200, 700), leading=2)
    x1, middle = page.boxes[1, 2], page.boxes[0, 1::2].mean()
    cv2.line(page.image, (round(x1) + 22, round(middle) + 2), (round(x1) + 50, round(middle) - 3), 0, 2, cv2.LINE_AA)
    (sign,) = [line for line in detect(page.image) if line.sign]
    assert sign.ink[0, [0, 2]] == pytest.approx([x1 + 21, x1 + 52], abs=2)


def test_a_thin_dash_that_leans_with_its_page_is_found():
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520"], size=24, shape=(200, 700), leading=2)
    x, y = round(page.boxes[1, 2]) + 22, round(page.boxes[0, 1::2].mean())
    for part in range(3):
        page.image[y + part : y + part + 2, x + 4 * part : x + 4 * part + 4] = 0
    (sign,) = [line for line in detect(page.image) if line.sign]
    assert sign.ink[0, [0, 2]] == pytest.approx([x, x + 12], abs=1)


@pytest.mark.parametrize(
    ("sign", "rows", "found"),
    [
        ([(6, 12, 0, 6)], 4, 4),  # a bullet
        ([(5, 7, 0, 10), (10, 12, 0, 10)], 4, 4),  # an equals sign
        ([(11, 14, 0, 3), (11, 14, 7, 10), (11, 14, 14, 17)], 4, 4),  # an ellipsis
        ([(6, 12, 0, 6)], 1, 0),  # dirt in no column
    ],
)
def test_signs_in_a_column_of_a_table_are_its_cells(sign, rows, found):
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520", "Market 8164"], size=20, shape=(240, 600), leading=2)
    top = [int(line.ink[0, 1]) for line in sorted(detect(page.image), key=lambda line: line.ink[0, 1])]
    for y in top[:rows]:
        for y0, y1, x0, x1 in sign:
            page.image[y + y0 : y + y1, 400 + x0 : 400 + x1] = 0
    signs = [line.ink[0] for line in detect(page.image) if line.sign]
    assert len(signs) == found
    for ink in signs:
        assert ink[[0, 2]] == pytest.approx([400, 400 + max(x1 for *_, x1 in sign)], abs=1)


@pytest.mark.parametrize(("rows", "found"), [(4, 4), (1, 0)])
def test_a_dash_in_a_column_of_a_table_stands_farther_from_its_rows_words_than_others(rows, found):
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520", "Market 8164"], size=20, shape=(240, 1200), leading=2)
    for line in sorted(detect(page.image), key=lambda line: line.ink[0, 1])[:rows]:
        y = int(line.ink[0, [1, 3]].mean())
        page.image[y - 1 : y + 1, 1000:1008] = 0
    assert sum(line.sign for line in detect(page.image)) == found


@pytest.mark.parametrize("degrees", [-1.5, 1.5])
def test_a_stroke_far_along_a_row_of_a_page_askew_is_of_that_row(degrees):
    page = draw(["Depot by the harbour", "Bridge over the river", "Harbour of the town"], shape=(240, 900), leading=3)
    page.image[88:101, 620:623] = 0  # as high as the capitals of the second row
    around = cv2.getRotationMatrix2D((450, 120), degrees, 1)
    lines = detect(cv2.warpAffine(page.image, around, (900, 240), flags=cv2.INTER_AREA, borderValue=255))
    x, y = around @ np.array([621.5, 94.5, 1])
    signs = [line.ink[0] for line in lines if line.sign]
    assert any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in signs)


def test_boxes_of_shrunk_pages_stand_on_the_ink():
    page = draw(["Harbour News tonight"], size=70, shape=(200, 1000))
    found = detect(page.image)
    dark = page.image < 128
    for line in found:
        for x0, y0, x1, y1 in line.ink.round().astype(int):
            ys = np.flatnonzero(dark[:, x0 - 8 : x1 + 8].any(1))
            assert abs(ys.min() - y0) <= 1
            assert abs(ys.max() + 1 - y1) <= 1


@pytest.mark.parametrize(
    "rows", [{20: 0, 21: 0}, {19: 128, 20: 0, 21: 128}, {19: 200, 20: 64, 21: 0, 22: 192}, {20: 0}]
)
def test_the_box_of_a_dash_is_as_low_as_its_ink(rows):
    page = np.full((40, 60), 255, np.uint8)
    for y, grey in rows.items():
        page[y, 20:30] = grey
    _, y0, _, y1 = tight(page, np.array([[20.0, min(rows), 30.0, max(rows) + 1]]), 1.0)[0]
    ink = sum(1 - grey / 255 for grey in rows.values())
    assert y1 - y0 == pytest.approx(ink + 0.25, abs=0.25)
    assert y0 >= min(rows) - 0.3
    assert y1 <= max(rows) + 1.3


def test_the_box_of_a_dash_on_a_page_that_was_shrunk_is_as_low_as_its_ink():
    page = np.full((40, 60), 230, np.uint8)
    page[18:22, 20:40] = np.array([[90], [20], [25], [100]])
    _, y0, _, y1 = tight(page, np.array([[20.0, 17.0, 40.0, 25.3]]), 1.8)[0]
    assert (y0, y1) == pytest.approx((18.4, 21.6), abs=0.3)


def test_the_bar_of_a_seven_is_no_dash_though_its_stroke_is_too_faint_for_ink():
    page = np.full((60, 60), 255, np.uint8)
    page[20:22, 20:32] = 140
    page[22:39, 26] = 210
    assert tight(page, np.array([[20.0, 20.0, 32.0, 39.0]]), 1.0)[0].tolist() == [20, 20, 32, 39]


def test_the_box_of_an_equals_sign_holds_both_bars():
    page = np.full((40, 60), 255, np.uint8)
    page[[18, 22], 20:34] = 0
    _, y0, _, y1 = tight(page, np.array([[20.0, 18.0, 34.0, 23.0]]), 1.0)[0]
    assert (y0, y1) == (18, 23)


@pytest.mark.parametrize(
    ("ground", "ink", "turned"), [(130, 255, True), (130, 20, False), (60, 255, True), (235, 20, False)]
)
def test_light_print_is_known_by_its_ground_also_where_that_is_mid_grey(ground, ink, turned):
    page = np.full((200, 400), ground, np.uint8)
    page[40:160:20, 40:360] = ink
    page[44:160:20, 40:360] = ink
    assert bool(dark_on_light(page)[40, 40] != ink) is turned


def test_print_whose_letters_are_in_pieces_is_a_line():
    rng = np.random.default_rng(4)
    x = np.arange(20.0, 1000, 14)
    cut = rng.uniform(6, 14, len(x))  # where each letter, 20 px high, is broken
    whole = np.stack([x, x * 0 + 40, x + 9, x * 0 + 60], 1)
    upper, lower = np.stack([x, x * 0, x + 9, cut], 1), np.stack([x, cut + 1, x + 9, x * 0 + 20], 1)
    boxes, line = np.concatenate([whole, whole, upper, lower]), np.repeat([0, 1, 2, 2], len(x))
    boxes[len(x) : 2 * len(x), 1::2] += 40
    letter = np.ones(len(boxes), bool)
    assert (regular_lines(boxes, letter, line, DetectorOptions()) == line).all()
    boxes[line == 2, 1::2] += rng.uniform(-15, 15, (2 * len(x), 1))
    assert (regular_lines(boxes, letter, line, DetectorOptions())[line == 2] == -1).all()


def test_a_short_line_of_a_page_whose_letters_are_in_pieces_is_a_line():
    rng = np.random.default_rng(4)
    line = np.repeat([0, 1, 2, 3], [60, 60, 60, 5])
    x, y = 20 + 14.0 * np.concatenate([np.arange(n) for n in (60, 60, 60, 5)]), 40.0 * line
    cut = y + rng.uniform(6, 14, len(x))  # where each letter, 20 px high, is broken
    boxes = np.concatenate([np.stack([x, y, x + 9, cut], 1), np.stack([x, cut + 1, x + 9, y + 20], 1)])
    line, letter = np.tile(line, 2), np.ones(len(boxes), bool)
    assert (regular_lines(boxes, letter, line, DetectorOptions()) == line).all()


@pytest.mark.parametrize(
    ("in_pieces", "dirt", "broken"),
    [(0, 0, False), (1, 0, False), (3, 0, True), (60, 0, True), (3, 40, False)],
)
def test_print_is_broken_where_several_letters_are_in_pieces(in_pieces, dirt, broken):
    x = 14.0 * np.arange(60)
    cut = np.where(np.arange(60) < in_pieces, 9.0, 20.0)
    upper, lower = np.stack([x, 0 * x, x + 9, cut], 1), np.stack([x, cut + 1, x + 9, 0 * x + 20], 1)[:in_pieces]
    boxes = np.concatenate([upper, lower, np.tile([0.0, 100, 9, 120], (dirt, 1))])
    line = np.repeat([0, -1], [60 + in_pieces, dirt])
    assert are_broken(boxes, np.ones(len(boxes), bool), line, DetectorOptions()) is broken


def test_letters_of_a_worn_printer_of_dots_are_words():
    rng = np.random.default_rng(2)
    drawn = draw([*TWO_LINES, "TOTAL 12.80 RM", "CASH 20.00 RM", "CHANGE 7.20 RM"] * 2, "typewriter", shape=(420, 420))
    for y in range(30, 420, 29):
        for x in range(20, 400, 11):
            drawn.image[y + rng.integers(7, 12), x : x + 11] = 255  # a row of dots that its head left out
    found = words(detect(drawn.image))
    assert (overlaps(drawn.boxes, found).max(1) < 0.5).sum() <= 3
    assert len(found) <= 1.5 * len(drawn.boxes)


def test_bars_of_small_letters_that_touch_are_no_rule():
    row = np.zeros((7, 80), np.uint8)  # of the form of UNCHANGED, seven pixels high
    row[:, ::4] = row[:, 1::4] = row[3] = 255
    ink = np.zeros((60, 300), np.uint8)
    ink[20:27, 40:120] = row
    ink[50:52, 40:250] = 255  # a rule below it
    rules = rule_map(ink, 49, 4)
    assert not rules[15:30].any()
    assert rules[50:52, 45:245].all()


@pytest.mark.parametrize(("dashes", "signs"), [(2, 2), (6, 0)])
def test_the_dashes_of_a_rule_are_no_signs(dashes, signs):
    page = draw(["Depot 4711", "Bridge 1203", "Harbour 5520"], size=20, shape=(200, 600), leading=2)
    for x in range(300, 300 + 18 * dashes, 18):
        page.image[43:45, x : x + 9] = 0
    assert sum(line.sign and not line.check for line in detect(page.image)) == signs


@pytest.mark.parametrize("side", [9, 12, 18])
def test_empty_check_boxes_are_told_from_letters(side):
    page = draw(
        ["Open all Orders", "Other odd Offers", "Ordinary of old"], size=15, shape=(140, 330), at=(60, 20), leading=2
    )
    assert not any(line.check for line in detect(page.image))
    tops = [round(y0) for y0 in page.boxes[::3, 1].tolist()]
    for top in tops:
        cv2.rectangle(page.image, (40, top), (40 + side - 1, top + side - 1), 0, 1)
    lines = detect(page.image)
    checks = np.concatenate([line.ink for line in lines if line.check])
    np.testing.assert_allclose(sorted(checks[:, 1]), tops, atol=1)
    assert_found(page, [line for line in lines if not line.check])


@pytest.mark.parametrize("side", [8, 16])
@pytest.mark.parametrize(("letters", "found"), [(1, 8), (6, 0)])
def test_squares_that_mostly_stand_among_letters_are_letters(side, letters, found):
    ink = np.zeros((5 * side, 80 * side), np.uint8)
    for word in range(8):
        for letter in range(letters):
            x = side * 3 * letter // 2 + 10 * side * word
            cv2.rectangle(ink, (x, 2 * side), (x + side - 1, 3 * side - 1), 255, 1)
    assert are_check_boxes(ink_regions(ink), ink, float(side), DetectorOptions()).sum() == found


@pytest.mark.parametrize(("rule", "lower_px"), [(False, 0), (True, 0), (True, 14)])
def test_words_of_a_tall_page_are_found_once_also_beside_the_cuts_of_its_bands(rule, lower_px):
    left = draw(TWO_LINES * 60, shape=(3600, 320))
    right = draw(TWO_LINES * 60, shape=(3600, 320), at=(20, 30 + lower_px))  # its lines stand beside the others' gaps
    page = Drawn(
        np.hstack([left.image, right.image]), np.vstack([left.boxes, right.boxes + np.array([320, 0, 320, 0])])
    )
    if rule:
        cv2.rectangle(page.image, (6, 6), (633, 3593), 0, 2)
        cv2.line(page.image, (320, 6), (320, 3593), 0, 2)
    options = DetectorOptions(max_pixels=500_000)
    assert len(bands(page.image, options)) > 3
    lines = detect(page.image, options)
    assert_found(page, lines)
    ink = np.concatenate([line.ink for line in lines])
    assert overlaps(page.boxes, ink).max(1).min() >= 0.6


def test_more_letters_than_are_looked_at_on_a_page_are_found_on_a_tall_one():
    page = draw(TWO_LINES * 60, shape=(3600, 420))
    letters = sum(map(len, " ".join(TWO_LINES * 60).split()))
    assert_found(page, detect(page.image, DetectorOptions(max_pixels=500_000, max_letters=letters // 2)))


def test_labels_above_and_below_the_bars_of_a_chart_are_found():
    page = np.full((300, 640), 255, np.uint8)
    drawn = draw(TWO_LINES, shape=page.shape)
    pen = ImageDraw.Draw(image := Image.fromarray(drawn.image))
    face = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", 14)
    labels = []
    for i, height in enumerate((120, 60, 90, 40)):
        x = 40 + 90 * i
        pen.rectangle([x, 260 - height, x + 60, 259], fill=120)
        for text, y in ((f"{height / 8:.1f}", 238 - height), (f"Q{i + 1}", 266)):
            pen.text((x + 15, y), text, 0, face)
            labels.append(pen.textbbox((x + 15, y), text, face))
    boxes = np.concatenate([drawn.boxes, np.array(labels, float)])
    assert_found(Drawn(np.array(image), boxes), detect(np.array(image)), spurious=4)


def test_what_is_left_of_the_end_of_a_rule_behind_a_word_is_no_part_of_it():
    drawn = draw(["CONCLUSION:"], size=14, shape=(90, 500))
    left, foot = int(drawn.boxes[0, 2]) + 6, int(drawn.boxes[0, 3])
    drawn.image[foot - 2 : foot, left : left + 250] = 0
    drawn.image[foot - 1 : foot + 1, left - 4 : left] = 0  # worn, a pixel off the rest
    assert words(detect(drawn.image))[:, 2].tolist() == pytest.approx(drawn.boxes[:, 2], abs=1.5)


def test_a_number_too_wide_for_its_cell_is_one_word_across_the_rule():
    page = Image.new("L", (420, 260), 255)
    pen, face = ImageDraw.Draw(page), ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{FONTS['sans']}", 18)
    boxes = []
    for i in range(8):
        for text, x in (("Item", 20), (f"{26 + i},817.75", 180)):
            pen.text((x, 22 + 28 * i), text, 0, face)
            boxes.append(pen.textbbox((x, 22 + 28 * i), text, face))
        pen.line([10, 18 + 28 * i, 400, 18 + 28 * i], 0)
    cut = round(180 + pen.textlength("2", face))
    pen.line([cut, 18, cut, 242], 0)
    assert_found(Drawn(np.array(page), np.array(boxes, float)), detect(np.array(page)))
