"""The forms other programs and competitions write, each from a file made by hand after its public description."""

import json

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import load_pages, word_samples
from ocrkit.datasets.validate import validate
from ocrkit.document import Document, Line, Page, Word, box_to_quad
from ocrkit.errors import BadDataset, OcrkitError

PAGE = np.tile(np.arange(200, dtype=np.uint8), (100, 1))  # 200 px wide, 100 px high
BOX = [10, 20, 60, 40]
QUAD = [[10, 20], [60, 20], [60, 40], [10, 40]]


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(PAGE).save(path)


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def funsd(folder, text="Date", box=BOX):
    picture(folder / "images" / "p.png")
    put(folder, "annotations/p.json", {"form": [{"words": [{"text": text, "box": box}]}]})


def cord(folder, text="Nasi", quad=QUAD):
    picture(folder / "image" / "p.png")
    corners = {f"{axis}{i}": value for i, point in enumerate(quad, 1) for axis, value in zip("xy", point)}
    line = {"category": "menu.nm", "group_id": 3, "words": [{"text": text, "quad": corners, "is_key": 0, "row_id": 1}]}
    put(folder, "json/p.json", {"valid_line": [line], "dontcare": [], "meta": {"image_size": {"width": 200}}})


def task(value, shape="rectangle", text="Total", **more):
    size = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    region = {"id": "a1", "to_name": "image", **size}
    results = [
        {**region, "from_name": "bbox", "type": shape, "value": value},
        {**region, "from_name": "label", "type": "labels", "value": {**value, "labels": ["Text"]}},
        {**region, "from_name": "transcription", "type": "textarea", "value": {**value, "text": [text]}},
        {"id": "q", "from_name": "kind", "type": "choices", "value": {"choices": ["receipt"]}},
        {"from_id": "a1", "to_id": "a1", "type": "relation", "direction": "right"},
    ]
    skipped = {"was_cancelled": True, "result": []}
    return {
        "id": 7,
        "data": {"ocr": "/data/upload/1/0a1b2c3d-p.png"},
        "annotations": [skipped, {"result": results}],
    } | more


PERCENT = {"x": 5, "y": 20, "width": 25, "height": 20, "rotation": 0}


def label_studio(folder, value=PERCENT, shape="rectangle", **more):
    picture(folder / "p.png")
    put(folder, "export.json", [task(value, shape, **more)])


def page_xml(folder, coords="10,20 60,20 60,40 10,40", text="Straße", version="2019-07-15", body=None):
    picture(folder / "p.png")
    other, equiv = (f"<TextEquiv index='{i}'><Unicode>{t}</Unicode></TextEquiv>" for i, t in [(1, "other"), (0, text)])
    word = f"<Word id='w'><Coords points='{coords}'/>{other}{equiv}</Word>"
    line = f"<TextLine id='l'><Coords points='0,0 9,0 9,9'/>{word}{equiv}</TextLine>"
    body = body or f"<TextRegion id='r'><Coords points='0,0 99,0 99,99'/>{line}</TextRegion>"
    namespace = f"http://schema.primaresearch.org/PAGE/gts/pagecontent/{version}"
    page = f"<Page imageFilename='scans/p.png' imageWidth='200' imageHeight='100'>{body}</Page>"
    put(folder, "p.xml", f"<?xml version='1.0' encoding='UTF-8'?><PcGts xmlns='{namespace}'>{page}</PcGts>")


def alto(folder, place=(10, 20, 50, 20), unit="pixel", size=(200, 100), version="4", inside="", text="Été"):
    picture(folder / "p.png")
    where = " ".join(f"{name}='{value}'" for name, value in zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), place))
    line = f"<TextLine><String CONTENT='{text}' {where}>{inside}</String></TextLine>"
    page = f"<Page WIDTH='{size[0]}' HEIGHT='{size[1]}'><PrintSpace><TextBlock>{line}</TextBlock></PrintSpace></Page>"
    measured = f"<MeasurementUnit>{unit}</MeasurementUnit>" if unit else ""
    source = "<sourceImageInformation><fileName>C:\\scans\\p.tif</fileName></sourceImageInformation>"
    head = f"<Description>{measured}{source}</Description>"
    put(
        folder,
        "p.xml",
        f"<alto xmlns='http://www.loc.gov/standards/alto/ns-v{version}#'>{head}<Layout>{page}</Layout></alto>",
    )


@pytest.mark.parametrize(
    ("form", "write", "text"),
    [
        ("funsd", funsd, "Date"),
        ("cord", cord, "Nasi"),
        ("label-studio", label_studio, "Total"),
        ("page-xml", page_xml, "Straße"),
        ("alto", alto, "Été"),
    ],
)
def test_every_form_gives_the_same_page(tmp_path, form, write, text):
    write(tmp_path)
    (page,) = load_pages(tmp_path, form)
    assert page.texts == [text]
    np.testing.assert_allclose(page.words[0].quad, QUAD, atol=1e-4)
    assert page.image().shape == (100, 200)
    assert validate([page]) == []
    (sample,) = word_samples([page])
    assert sample.image.shape == (20, 50)


@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("funsd", lambda f: funsd(f, box=[60, 40, 10, 20])),
        ("label-studio", lambda f: label_studio(f, {"x": 30, "y": 40, "width": -25, "height": -20})),
        ("page-xml", lambda f: page_xml(f, "60,40 60,20 10,20 10,40")),  # anticlockwise from the bottom right
        ("alto", lambda f: alto(f, (60, 40, -50, -20))),
    ],
)
def test_reversed_boxes_are_put_the_right_way_round(tmp_path, form, write):
    write(tmp_path)
    np.testing.assert_allclose(load_pages(tmp_path, form)[0].words[0].quad, QUAD, atol=1e-4)


@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("funsd", lambda f: funsd(f, box=QUAD)),
        ("funsd", lambda f: funsd(f, box=[10, 20, 60, 20, 60, 40, 10, 40])),
        (
            "label-studio",
            lambda f: label_studio(f, {"points": [[5, 20], [30, 20], [30, 40], [5, 40]]}, "polygon"),
        ),
        ("page-xml", lambda f: page_xml(f, "10,40 10,20 35,20 60,20 60,40")),
        ("alto", lambda f: alto(f, inside="<Shape><Polygon POINTS='10 20 60 20 60 40 35 40 10 40'/></Shape>")),
        ("alto", lambda f: alto(f, inside="<Shape><Polygon POINTS='10,20 60,20 60,40 10,40'/></Shape>")),
    ],
)
def test_quads_and_polygons_may_stand_for_boxes(tmp_path, form, write):
    write(tmp_path)
    np.testing.assert_allclose(load_pages(tmp_path, form)[0].words[0].quad, QUAD, atol=1e-4)


@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("funsd", lambda f: funsd(f, box=[150, 20, 260, 40])),
        ("cord", lambda f: cord(f, quad=[[150, 20], [260, 20], [260, 40], [150, 40]])),
        ("label-studio", lambda f: label_studio(f, {**PERCENT, "x": 90})),
        ("page-xml", lambda f: page_xml(f, "150,20 260,20 260,40 150,40")),
        ("alto", lambda f: alto(f, (150, 20, 110, 20))),
    ],
)
def test_boxes_outside_the_page_are_reported(tmp_path, form, write):
    write(tmp_path)
    assert [f.message.split("'")[2] for f in validate(load_pages(tmp_path, form))] == [" lies outside the page"]


def test_a_rectangle_turned_in_label_studio_keeps_its_own_top_left(tmp_path):
    # 40 x 10 px, turned by 90 degrees clockwise about (100, 20): the text runs down the page.
    label_studio(tmp_path, {"x": 50, "y": 20, "width": 20, "height": 10, "rotation": 90})
    (word,) = load_pages(tmp_path, "label-studio")[0].words
    np.testing.assert_allclose(word.quad, [[100, 20], [100, 60], [90, 60], [90, 20]], atol=1e-9)


def test_label_studio_regions_of_several_words_are_lines(tmp_path):
    label_studio(tmp_path, text="Total 9,90")
    (page,) = load_pages(tmp_path, "label-studio")
    assert (page.words, [line.text for line in page.lines]) == ((), ["Total 9,90"])


@pytest.mark.parametrize(
    "data", [{"image": "s3://bucket/p.png"}, {"id": "q", "ocr": "/data/local-files/?d=scans/p.png"}, {"ocr": "p.jpg"}]
)
def test_label_studio_names_images_in_many_ways(tmp_path, data):
    label_studio(tmp_path, data=data)
    picture(tmp_path / "q.png")
    assert load_pages(tmp_path, "label-studio")[0].id == "p"


@pytest.mark.parametrize("version", ["2013-07-15", "2017-07-15", "2019-07-15"])
def test_page_xml_of_every_version(tmp_path, version):
    page_xml(tmp_path, version=version)
    assert load_pages(tmp_path, "page-xml")[0].texts == ["Straße"]


def region(name, y, words=True):
    coords = f"<Coords points='10,{y} 60,{y} 60,{y + 20} 10,{y + 20}'/>"
    equiv = f"<TextEquiv><Unicode>{name}</Unicode></TextEquiv>"
    word = f"<Word>{coords}{equiv}</Word>" if words else ""
    return f"<TextRegion id='{name}'>{coords}<TextLine>{coords}{word}{equiv}</TextLine></TextRegion>"


def test_page_xml_regions_come_in_reading_order(tmp_path):
    order = (
        "<ReadingOrder><OrderedGroup id='g'><RegionRefIndexed index='2' regionRef='last'/>"
        "<UnorderedGroupIndexed index='1' id='h'><RegionRef regionRef='second'/></UnorderedGroupIndexed>"
        "<RegionRefIndexed index='0' regionRef='first'/></OrderedGroup></ReadingOrder>"
    )
    regions = [region(name, y) for name, y in [("aside", 0), ("last", 70), ("second", 40), ("first", 20)]]
    page_xml(tmp_path, body=order + "".join(regions))
    assert load_pages(tmp_path, "page-xml")[0].texts == ["first", "second", "last", "aside"]


def test_page_xml_without_words_everywhere_is_labelled_by_line(tmp_path):
    page_xml(tmp_path, body=region("split", 20) + region("whole", 50, words=False))
    (page,) = load_pages(tmp_path, "page-xml")
    assert (page.words, page.texts) == ((), ["split", "whole"])


def test_page_xml_finds_its_images_in_the_folder_above(tmp_path):
    page_xml(tmp_path / "page")
    (tmp_path / "page" / "p.png").rename(tmp_path / "p.png")
    assert load_pages(tmp_path / "page", "page-xml")[0].image().shape == (100, 200)


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_alto_of_every_version(tmp_path, version):
    alto(tmp_path, version=version)
    assert load_pages(tmp_path, "alto")[0].texts == ["Été"]


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("mm10", 254 / 300),  # tenths of a millimetre of a page scanned at 300 dpi
        ("inch1200", 4.0),  # 1200ths of an inch
        (None, 254 / 300),  # the schema's default is mm10
    ],
)
def test_alto_in_millimetres_and_inches_becomes_pixels(tmp_path, unit, scale):
    alto(tmp_path, [scale * v for v in (10, 20, 50, 20)], unit, [scale * v for v in (200, 100)])
    np.testing.assert_allclose(load_pages(tmp_path, "alto")[0].words[0].quad, QUAD, atol=1e-6)


@pytest.mark.parametrize(
    ("form", "name", "write"),
    [
        ("alto", "scan.xml", Document.to_alto),
        ("hocr", "scan.hocr", Document.to_hocr),
        ("page-xml", "scan.xml", Document.to_page_xml),
    ],
)
def test_what_we_write_reads_back_the_same(form, name, write, tmp_path):
    words = tuple(Word(text, box_to_quad(box)) for text, box in [("Größe", BOX), ("<&>", (70, 20, 90, 40))])
    below = Line((Word("below", box_to_quad((10, 60, 60, 80))),), paragraph=1)
    picture(tmp_path / "scan.png")
    document = Document((Page(1, 200, 100, (Line(words), below)),), source="elsewhere/scan.png")
    put(tmp_path, name, write(document))
    (page,) = load_pages(tmp_path, form)
    assert page.texts == ["Größe", "<&>", "below"]
    np.testing.assert_allclose([word.box for word in page.words], [word.box for word in document.words], atol=1e-4)


@pytest.mark.parametrize(("form", "write"), [("alto", Document.to_alto), ("page-xml", Document.to_page_xml)])
def test_words_that_lean_keep_their_corners(form, write, tmp_path):
    leaning = np.array([(20, 30), (118, 10), (122, 30), (24, 50)], float)
    picture(tmp_path / "scan.png")
    document = Document((Page(1, 200, 100, (Line((Word("leaning", leaning),)),)),), source="scan.png")
    put(tmp_path, "scan.xml", write(document))
    (page,) = load_pages(tmp_path, form)
    np.testing.assert_allclose(page.words[0].quad, leaning, atol=1)


HOCR = """<html xmlns="http://www.w3.org/1999/xhtml"><body>
<div class="ocr_page" title="image '/scans/scan.png'; bbox 0 0 400 200; ppageno 0">
<span class="ocr_line" title="bbox 20 40 120 80"><span class="ocrx_word" title="bbox 20 40 120 80; x_wconf 93">
<strong>\u00c9t\u00e9</strong></span>
<span class="ocrx_word" title="bbox 0 0 1 1">  </span></span></div></body></html>"""


def test_hocr_of_tesseract_is_read_in_the_pixels_of_the_image(tmp_path):
    """Its page is twice as large as the image; words may be bold, or blank."""
    picture(tmp_path / "scan.png")
    put(tmp_path, "scan.hocr", HOCR)
    (page,) = load_pages(tmp_path, "hocr")
    assert page.texts == ["Été"]
    np.testing.assert_allclose(page.words[0].quad, QUAD)


def test_hocr_of_several_pages_or_without_boxes_is_refused(tmp_path):
    picture(tmp_path / "scan.png")
    put(tmp_path, "scan.hocr", HOCR.replace("<body>", "<body><div class='ocr_page' title='bbox 0 0 1 1'/>"))
    with pytest.raises(BadDataset, match="holds 2 pages; write a file for each"):
        load_pages(tmp_path, "hocr")
    put(tmp_path, "scan.hocr", HOCR.replace("bbox 20 40 120 80; x_wconf 93", "x_wconf 93"))
    with pytest.raises(BadDataset, match="a label without a text and four corners"):
        load_pages(tmp_path, "hocr")


def test_icdar_word_crops(tmp_path):
    lines = ['word_1.png, "Tiredness"', 'word_2.png, "\\"Hi,\\" he"', "word_3.png, plain, 5", "", 'word_4.png, """']
    (tmp_path / "gt.txt").write_bytes(("\ufeff" + "\r\n".join(lines)).encode())
    for number in range(1, 5):
        picture(tmp_path / f"word_{number}.png")
    pages = load_pages(tmp_path, "icdar")
    assert [page.words[0].text for page in pages] == ["Tiredness", '"Hi," he', "plain, 5", '"']
    assert [sample.document for sample in word_samples(pages)] == [f"word_{n}.png" for n in range(1, 5)]


def turned(folder):
    label_studio(folder)
    content = (folder / "export.json").read_text().replace('"image_rotation": 0', '"image_rotation": 90')
    put(folder, "export.json", content)


@pytest.mark.parametrize(
    ("form", "write", "message"),
    [
        ("cord", lambda f: put(f, "json/p.json", {"gt_parse": {"menu": []}}), "valid_line"),  # another CORD
        ("cord", lambda f: put(f, "json/p.json", {"valid_line": []}), "no image"),
        ("cord", lambda f: cord(f, quad=[["a", 1]] * 4), "four corners"),
        ("label-studio", lambda f: put(f, "e.json", [{"image": "p.png", "bbox": []}]), "JSON export"),  # JSON-MIN
        ("label-studio", lambda f: put(f, "e.json", {"images": []}), "JSON export"),  # COCO
        ("label-studio", lambda f: put(f, "e.json", [task(PERCENT)]), "image is not beside it"),
        ("label-studio", lambda f: label_studio(f, {**PERCENT, "x": "left"}), "JSON export"),
        ("label-studio", turned, "turned by 90°"),
        ("page-xml", lambda f: put(f, "p.xml", "<PcGts><Page>"), "cannot be read"),  # cut off
        ("page-xml", lambda f: put(f, "p.xml", "<PcGts/>"), "no Page"),
        ("page-xml", lambda f: alto(f), "its root is"),
        ("page-xml", lambda f: page_xml(f, ""), "four corners"),
        ("page-xml", lambda f: page_xml(f, "10,20 60"), "four corners"),
        ("page-xml", lambda f: (page_xml(f), (f / "p.png").unlink()), "not beside it"),
        ("alto", lambda f: page_xml(f), "its root is"),
        ("alto", lambda f: alto(f, ("a", 2, 3, 4)), "no numbers"),
        ("alto", lambda f: alto(f, ()), "four corners"),
        ("alto", lambda f: alto(f, unit="mm10", size=("", "")), "WIDTH"),
        ("alto", lambda f: put(f, "p.xml", "<alto/>"), "0 pages"),
        ("icdar", lambda f: None, "cannot be read"),
        ("icdar", lambda f: put(f, "gt.txt", "word_1.png\n"), "comma"),
        ("icdar", lambda f: put(f, "gt.txt", 'word_1.png, "x"\n'), "missing"),
        ("icdar", lambda f: (f / "gt.txt").write_bytes(b'word_1.png, "caf\xe9"\n'), "UTF-8"),
    ],
)
def test_bad_labels_end_the_command_with_one_sentence(tmp_path, form, write, message):
    write(tmp_path)
    with pytest.raises(BadDataset, match=message):
        load_pages(tmp_path, form)
    done = CliRunner().invoke(main, ["data", "validate", str(tmp_path), "--form", form])
    assert done.exit_code == 2
    assert message in done.output


def test_alto_in_millimetres_needs_an_image_that_can_be_read(tmp_path):
    alto(tmp_path, unit="mm10")
    (tmp_path / "p.png").write_bytes(b"text")
    with pytest.raises(OcrkitError, match="neither an image"):
        load_pages(tmp_path, "alto")
