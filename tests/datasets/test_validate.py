import json
from dataclasses import replace

import cv2
import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import LabelledPage, LabelledWord, load_pages, split_pages
from ocrkit.datasets import validate as module
from ocrkit.datasets.repeats import Seen, perceptual_hash
from ocrkit.datasets.validate import Finding, leaks, statistics, validate
from ocrkit.document import box_to_quad
from ocrkit.learning import trainer
from ocrkit.recognition import network, preprocess

PAGE = np.arange(5000, dtype=np.uint8).reshape(50, 100)
GOOD = box_to_quad((10, 10, 40, 20))


@pytest.mark.parametrize(
    ("text", "quad", "message"),
    [
        ("fine", GOOD, None),
        ("edge", box_to_quad((-1.5, 10, 101, 20)), None),  # boxes may end a little outside
        ("off", box_to_quad((80, 10, 120, 20)), "the box of 'off' lies outside the page"),
        ("up", GOOD[::-1], "the corners of 'up' enclose nothing or go round the wrong way"),  # anticlockwise
        ("flat", box_to_quad((10, 10, 40, 10)), "the corners of 'flat' enclose nothing or go round the wrong way"),
        ("", GOOD, "1 of 1 labels are empty"),
        ("Ωmega✓", GOOD, "characters outside the alphabet: Ω✓"),
        ("ﬁne\u00a0−1", GOOD, None),  # forms that normalising folds onto known characters
        ("24 time steps of it xyz", GOOD, None),  # 30 x 10 px: 24 steps for 23 characters
        ("24 time steps for llamas", GOOD, "1 labels are longer than can be read at their size"),  # ll takes three
        ("!!!!", box_to_quad((10, 10, 14, 20)), None),  # narrow crops are filled up to 32 px
    ],
)
def test_labels_are_judged(text, quad, message):
    findings = validate([LabelledPage("p", (LabelledWord(text, quad),), pixels=PAGE)])
    assert [finding.message.partition(", the first")[0] for finding in findings] == ([message] if message else [])


def test_a_page_without_labels_is_said_unless_its_labels_were_left_out():
    bare, out = LabelledPage("bare", pixels=PAGE), LabelledPage("out", pixels=~PAGE, left_out={"hidden": 2})
    assert [(finding.page, finding.message) for finding in validate([bare, out])] == [
        ("bare", "nothing on it is labelled"),
        ("out", "2 labels left out: hidden"),
    ]


def test_the_size_of_labels_is_judged_as_the_recogniser_takes_them():
    assert preprocess.HEIGHT == module.HEIGHT_PX
    assert (preprocess.WIDTHS[0], preprocess.WIDTHS[-1]) == (module.NARROWEST_PX, module.WIDEST_PX)
    assert network.STRIDE_PX == module.STRIDE_PX
    assert trainer._LONGEST_LABEL == module.LONGEST_LABEL


def test_repeated_images_and_unreadable_ones_are_serious(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"text")
    words = (LabelledWord("fine", GOOD),)
    pages = [
        LabelledPage("a", words, pixels=PAGE),
        LabelledPage("b", words, pixels=PAGE.copy()),
        LabelledPage("c", words, path=tmp_path / "bad.png"),
    ]
    again, unreadable = validate(pages)
    assert again == Finding("b", "the same image as a", serious=True)
    assert unreadable.page == "c"
    assert unreadable.serious


def page_of_text(seed, size=(900, 600)):
    """Lines of blots that look like print from afar, another arrangement for each seed."""
    r = np.random.default_rng(seed)
    image = np.full(size, 245, np.uint8)
    for y in range(60, size[0] - 60, 24):
        x = int(r.integers(40, 300))
        while x < size[1] - 100:
            width = int(r.integers(15, 90))
            image[y : y + 12, x : x + width] = r.integers(0, 200, (12, width))
            x += width + int(r.integers(8, 60))
    return image


def jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


@pytest.mark.parametrize(
    "stored_anew",
    [
        lambda image: jpeg(image, 20),
        lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda image: (image * 0.7).astype(np.uint8),
        lambda image: cv2.GaussianBlur(image, (0, 0), 2),
        lambda image: np.dstack([image] * 3),
    ],
    ids=["JPEG", "half size", "darker", "blurred", "as RGB"],
)
def test_a_page_stored_anew_looks_like_the_first(stored_anew):
    image = page_of_text(0)
    words = (LabelledWord("fine", GOOD),)
    pages = [LabelledPage("a", words, pixels=image), LabelledPage("b", words, pixels=stored_anew(image))]
    assert validate(pages) == [Finding("b", "looks like a", serious=False)]
    (leak,) = leaks({"train": pages[:1], "val": pages[1:]})
    assert leak == Finding("val/b", "looks like a in train", serious=True)


def test_other_pages_turned_pages_and_small_crops_are_no_repeats():
    seen = Seen()
    images = [page_of_text(seed) for seed in range(30)]
    images += [np.ascontiguousarray(np.rot90(image, 2)) for image in images[:3]]
    crop = page_of_text(0)[60:90, 200:300]
    assert [seen.add(i, image) for i, image in enumerate([*images, crop, jpeg(crop, 90)])] == [[]] * 35


def test_one_image_with_two_labels_is_told_apart_from_a_mere_repeat():
    a = LabelledPage("a", (LabelledWord("one", GOOD),), pixels=PAGE)
    (finding,) = validate([a, replace(a, id="b", words=(LabelledWord("two", GOOD),))])
    assert finding == Finding("b", "the same image as a, labelled differently", serious=True)


def test_two_splits_that_share_a_page_or_a_document_leak(tmp_path):
    def page(name, seed, document=""):
        return LabelledPage(name, pixels=page_of_text(seed), document=document)

    unreadable = LabelledPage("bad", path=tmp_path / "gone.png")
    train = [page("1", 1), page("2", 2, "invoice"), page("1 again", 1), unreadable]
    assert leaks({"train": train, "val": [page("1", 3), page("4", 4, "letter"), unreadable]}) == []
    found = leaks({"train": train, "val": [page("5", 5, "invoice"), page("6", 1)]})
    assert [(finding.page, finding.message) for finding in found] == [
        ("val/5", "its document invoice is also in train"),
        ("val/6", "the same image as 1 in train"),
        ("val/6", "the same image as 1 again in train"),
    ]


SHARES = {"train": 0.5, "val": 0.5}


def test_splits_keep_documents_and_what_repeats_them_together():
    pages = [LabelledPage(f"{i}", pixels=page_of_text(i)) for i in range(12)]
    # A chain: page 12 repeats page 3 and belongs to a document whose other page is repeated by page 14.
    pages += [LabelledPage("12", pixels=jpeg(page_of_text(3), 40), document="letter")]
    pages += [LabelledPage("13", pixels=page_of_text(13), document="letter")]
    pages += [LabelledPage("14", pixels=page_of_text(13))]
    for salt in "abcdef":
        splits = split_pages(pages, SHARES, salt)
        assert sum(map(len, splits.values())) == 15
        assert leaks(splits) == []
        assert {frozenset({"3", "12", "13", "14"} & {p.id for p in part}) for part in splits.values()} == {
            frozenset({"3", "12", "13", "14"}),
            frozenset(),
        }


def test_new_pages_move_none_of_those_already_split():
    pages = [LabelledPage(f"{i}", pixels=page_of_text(i)) for i in range(20)]
    before, after = (split_pages(part, SHARES) for part in (pages[:10], pages))
    assert all({page.id for page in before[name]} <= {page.id for page in after[name]} for name in SHARES)


def test_among_real_receipts_and_forms_one_page_repeats_another(shared_data, record_property):
    folders = {"sroie/train": "sroie", "sroie/val": "sroie", "funsd/training_data": "funsd"}
    pages = [page for folder, form in folders.items() for page in load_pages(shared_data / folder, form)]
    looks = np.array([perceptual_hash(page.image()) for page in pages])
    apart = [int(bits) for i in range(len(pages)) for bits in np.bitwise_count(looks[:i] ^ looks[i]).sum(1)]
    record_property("measured", f"bits between {len(pages)} receipts and forms, nearest pairs: {sorted(apart)[:4]}")
    assert sorted(apart)[0] == 0
    assert sorted(apart)[1] > 12
    twins = [page for page in pages[:220] if page.id in ("012", "015")]
    assert validate(twins) == [Finding("015", "the same image as 012, labelled differently", serious=True)]
    for salt in "abcdef":
        assert leaks(split_pages(twins, SHARES, salt)) == []


def crops(folder, document, *words):
    folder.mkdir()
    for i, _ in enumerate(words):
        PIL.Image.fromarray(page_of_text(len(folder.name) + i)[50:90, 300:500]).save(folder / f"{i}.png")
    rows = "".join(f"{i}.png,{word},{document}\n" for i, word in enumerate(words))
    (folder / "labels.csv").write_text("file,text,document\n" + rows)
    return str(folder)


def test_the_commands_take_several_folders_of_crops(tmp_path):
    train, val = crops(tmp_path / "train", "A", "one", "two"), crops(tmp_path / "val", "B", "x" * 60)
    fine = CliRunner().invoke(main, ["data", "validate", train, "--form", "crops"])
    assert (fine.exit_code, fine.output) == (0, "2 crops, 0 errors, 0 notes.\n")
    both = CliRunner().invoke(main, ["data", "validate", train, val, train + "/../val", "--form", "crops"])
    assert both.exit_code == 1
    assert f"error: {val}/0.png: 1 labels are longer than can be read" in both.output
    assert f"0.png: its document B is also in {val}\n" in both.output
    described = json.loads(CliRunner().invoke(main, ["data", "stats", train, val, "--form", "crops", "--json"]).output)
    assert [described[name]["transcribed words"] for name in (train, val)] == [2, 1]
    table = CliRunner().invoke(main, ["data", "stats", train, val, "--form", "crops"])
    assert table.output.count("page width px  200.0 200.0 200.0") == 2
    assert table.output.count("outside the alphabet  none") == 2


def test_a_folder_of_crops_is_judged_crop_by_crop(tmp_path):
    (tmp_path / "labels.csv").write_text("file,text\na.png,word\nb.png,\n")
    PIL.Image.fromarray(PAGE).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"text")
    (finding,) = validate(load_pages(tmp_path, "crops"))
    assert (finding.page, finding.serious) == ("b.png", True)


def test_statistics_count_what_is_there(tmp_path):
    words = tuple(LabelledWord(text, GOOD) for text in ("one", "two", "", "ø"))
    line = LabelledWord("three four", GOOD)
    pages = [
        LabelledPage("a", words, pixels=PAGE, category="scanned_docs"),
        LabelledPage("b", lines=(line,), pixels=PAGE, simulated=True),
        LabelledPage("c", path=tmp_path / "gone.png"),
    ]
    described = statistics(pages)
    assert (described["pages"], described["unreadable pages"], described["simulated pages"]) == (3, 1, 1)
    assert (described["labelled words"], described["labelled lines"], described["transcribed words"]) == (4, 1, 5)
    assert described["categories"] == {"scanned_docs": 1, "other": 2}
    assert described["word height px"] == [10, 10, 10]
    assert described["outside the alphabet"] == "ø"
