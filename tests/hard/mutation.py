"""Valid files, and what becomes of them when bytes, values or parts of them are changed by chance."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import PIL.features
import PIL.Image
from reportlab.pdfgen.canvas import Canvas
from ruamel.yaml import YAML

from ocrkit.files import checksum
from ocrkit.recognition.model import find_model, read_card

# --- bytes ------------------------------------------------------------------------------------------------------------


def changed_bytes(data: bytes, r: Random) -> bytes:
    """`data` with one to four accidents: of storage, of transfer, and of counts that say more than there is."""
    for _ in range(r.choice((1, 1, 2, 4))):
        data = r.choice(_ACCIDENTS)(data, r)
    return data


def _flip(data: bytes, r: Random) -> bytes:
    out = bytearray(data)
    for _ in range(min(len(out), r.choice((1, 2, 8, 64)))):
        out[r.randrange(len(out))] ^= 1 << r.randrange(8)
    return bytes(out)


def _extreme(data: bytes, r: Random) -> bytes:
    """A number of one to eight bytes becomes the least or the greatest there is."""
    value = r.choice((b"\0", b"\xff", b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\1"))
    size = r.choice((1, 2, 4, 8))
    # Numbers that say how large things are stand at the beginning.
    at = r.randrange(max(1, min(len(data), r.choice((64, 512, len(data) or 1)))))
    return data[:at] + (value * size)[:size] + data[at + size :]


def _cut(data: bytes, r: Random) -> bytes:
    return data[: r.randrange(len(data) + 1)]


def _delete(data: bytes, r: Random) -> bytes:
    at = r.randrange(len(data) + 1)
    return data[:at] + data[at + r.choice((1, 4, 100, 1000)) :]


def _repeat(data: bytes, r: Random) -> bytes:
    at, size = r.randrange(len(data) + 1), r.choice((1, 16, 500))
    return data[:at] + data[at : at + size] * r.choice((1, 2, 50)) + data[at:]


def _insert(data: bytes, r: Random) -> bytes:
    at = r.randrange(len(data) + 1)
    return data[:at] + r.randbytes(r.choice((1, 16, 400))) + data[at:]


def _digits(data: bytes, r: Random) -> bytes:
    """A number that is written out becomes another."""
    places = [i for i, byte in enumerate(data[:20_000]) if 0x30 <= byte <= 0x39]
    if not places:
        return _flip(data, r)
    at = r.choice(places)
    return data[:at] + r.choice((b"0", b"-1", b"99999999999", b"1e400", b"9" * 400, b"65536")) + data[at + 1 :]


_ACCIDENTS = (_flip, _flip, _extreme, _extreme, _cut, _delete, _repeat, _insert, _digits)


# --- pictures ---------------------------------------------------------------------------------------------------------


def pictures() -> dict[str, bytes]:
    """A small page in every form that is read."""
    page = np.full((90, 160), 255, np.uint8)
    for top, text in ((35, "Hello"), (75, "world 42")):
        cv2.putText(page, text, (8, top), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
    grey = PIL.Image.fromarray(page)
    rgb, tilted = grey.convert("RGB"), PIL.Image.Exif()
    tilted[0x0112] = 6

    def saved(picture: PIL.Image.Image, form: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        return buffer.getvalue()

    several = {"save_all": True, "append_images": [grey.resize((80, 45)), grey]}
    found = {
        "jpeg": saved(rgb, "JPEG", exif=tilted, dpi=(204, 98)),
        "progressive": saved(grey, "JPEG", progressive=True),
        "inks": saved(rgb.convert("CMYK"), "JPEG"),
        "mpo": saved(rgb, "MPO", save_all=True, append_images=[rgb.resize((40, 20))]),
        "png": saved(rgb, "PNG"),
        "png-16": saved(PIL.Image.fromarray(page.astype(np.uint16) * 257), "PNG"),
        "png-palette": saved(grey.convert("P"), "PNG", transparency=3, dpi=(300, 300)),
        "webp": saved(rgb, "WEBP"),
        "webp-animation": saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[rgb]),
        "gif": saved(grey, "GIF", save_all=True, append_images=[grey]),
        "bmp": saved(rgb, "BMP"),
        "ppm": saved(rgb, "PPM"),
        "pbm": saved(grey.convert("1"), "PPM"),
        "tiff": saved(grey, "TIFF", **several),
        "tiff-lzw": saved(rgb, "TIFF", compression="tiff_lzw", exif=tilted),
        "tiff-fax": saved(grey.convert("1"), "TIFF", compression="group4", dpi=(204, 98)),
        "tiff-jpeg": saved(rgb, "TIFF", compression="jpeg"),
        "tiff-float": saved(PIL.Image.fromarray(page.astype(np.float32) / 255), "TIFF"),
        "tiff-16": saved(PIL.Image.fromarray(page.astype(np.uint16) * 257), "TIFF", compression="tiff_deflate"),
        "pdf-text": _pdf(),
        "pdf-locked": _pdf(encrypt="secret"),
        "pdf-scan": saved(grey, "PDF", resolution=72, **several),
        "pdf-fax": saved(grey.convert("1"), "PDF", resolution=72),
    }
    for name, codec, form in (("jpeg2000", "jpg_2000", "JPEG2000"), ("avif", "avif", "AVIF")):
        if PIL.features.check(codec):
            found[name] = saved(rgb, form)
    return found


def _pdf(**options: Any) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(150, 80), pageCompression=0, **options)
    canvas.drawString(10, 50, "Hello world 42")
    canvas.acroForm.textfield(name="Hives", value="14", x=10, y=10, width=60, height=20, fontSize=12)
    canvas.linkURL("https://example.org", (0, 0, 20, 20))
    canvas.showPage()
    canvas.drawString(10, 50, "page two")
    canvas.save()
    return buffer.getvalue()


def odd_pictures() -> Iterator[tuple[str, bytes]]:
    """Files that no accident makes: nothing, next to nothing, much of nothing, and one form in another's clothes."""
    yield "empty", b""
    starts = {
        "png": b"\x89PNG\r\n\x1a\n",
        "jpeg": b"\xff\xd8\xff\xe0",
        "tiff": b"II*\0\x08\0\0\0",
        "gif": b"GIF89a",
        "pdf": b"%PDF-1.7\n",
        "heic": b"\0\0\0\x18ftypheic",
        "bmp": b"BM",
    }
    for name, start in starts.items():
        yield f"{name}-start", start
        yield f"{name}-zeros", start + bytes(4000)
        yield f"{name}-ones", start + b"\xff" * 4000
    yield "text", b"Dear Sir,\nthis is a letter.\n" * 50
    yield "loop.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    tree = b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 999999/Kids[3 0 R]>>endobj "
    page = b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj trailer<</Root 1 0 R>>"
    yield "pages.pdf", b"%PDF-1.4\n" + tree + page


# --- labels -----------------------------------------------------------------------------------------------------------

_WORD = {"text": "Hello", "box": [8, 10, 90, 40]}
_QUAD = [[8, 10], [90, 10], [90, 40], [8, 40]]
_REGION = {"id": "a", "original_width": 160, "original_height": 90, "image_rotation": 0, "type": "textarea"}
_VALUE = {"x": 5, "y": 11, "width": 50, "height": 33, "rotation": 0, "text": ["Hello"]}
_EQUIV = "<TextEquiv index='0'><Unicode>Hello</Unicode></TextEquiv>"
_COORDS = "<Coords points='8,10 90,10 90,40 8,40'/>"
_PAGE_XML = (
    "<PcGts xmlns='http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15'><Page imageFilename='p.png'>"
    "<ReadingOrder><OrderedGroup id='g'><RegionRefIndexed index='0' regionRef='r'/></OrderedGroup></ReadingOrder>"
    f"<TextRegion id='r'>{_COORDS}<TextLine>{_COORDS}<Word>{_COORDS}{_EQUIV}</Word>{_EQUIV}</TextLine></TextRegion>"
    "</Page></PcGts>"
)
_ALTO = (
    "<alto xmlns='http://www.loc.gov/standards/alto/ns-v4#'><Description><MeasurementUnit>mm10</MeasurementUnit>"
    "<sourceImageInformation><fileName>p.png</fileName></sourceImageInformation></Description><Layout>"
    "<Page WIDTH='160' HEIGHT='90'><PrintSpace><TextBlock><TextLine><String CONTENT='Hello' HPOS='8' VPOS='10' "
    "WIDTH='82' HEIGHT='30'/></TextLine></TextBlock></PrintSpace></Page></Layout></alto>"
)
# Form -> where its labels lie, what they are, and where its image lies.
LABELS: dict[str, tuple[str, Any, str]] = {
    "alto": ("p.xml", _ALTO, "p.png"),
    "cord": (
        "json/p.json",
        {"valid_line": [{"words": [{"text": "Hello", "quad": {f"{a}{i}": 9 * i for i in range(1, 5) for a in "xy"}}]}]},
        "image/p.png",
    ),
    "crops": ("labels.csv", "file,text,document\np.png,Hello,one\n", "p.png"),
    "funsd": ("annotations/p.json", {"form": [{"words": [_WORD]}]}, "images/p.png"),
    "icdar": ("gt.txt", 'p.png, "Hello"\n', "p.png"),
    "label-studio": (
        "e.json",
        [{"data": {"ocr": "p.png"}, "annotations": [{"result": [{**_REGION, "value": _VALUE}]}]}],
        "p.png",
    ),
    "page-xml": ("p.xml", _PAGE_XML, "p.png"),
    "pdf": ("p.pdf", _pdf(), "p.png"),
    "phone": ("p.json", {"words": [_WORD], "category": "letter_sized", "simulated": False}, "p.png"),
    "sroie": ("p.json", {"lines": [{"text": "Hello 42", "quad": _QUAD}]}, "p.png"),
}


def write_labels(folder: Path, form: str, picture: bytes, r: Random) -> None:
    """A folder in a form, its labels changed as values or as bytes."""
    place, labels, image = LABELS[form]
    for path in (folder / place, folder / image):
        path.parent.mkdir(parents=True, exist_ok=True)
    (folder / image).write_bytes(picture)
    (folder / place).write_bytes(_changed_labels(labels, r))


def _changed_labels(labels: Any, r: Random) -> bytes:
    if isinstance(labels, str | bytes):
        return changed_bytes(labels.encode() if isinstance(labels, str) else labels, r)
    if r.random() < 0.3:
        return changed_bytes(json.dumps(labels).encode(), r)
    return changed_json(labels, r)


def changed_json(value: Any, r: Random) -> bytes:
    """JSON of which one to three values became something else, or are missing."""
    value = copy.deepcopy(value)
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        holders = list(_holders(value))
        if not holders:
            break
        holder, key = r.choice(holders)
        if r.random() < 0.15:
            del holder[key]
        else:
            holder[key] = r.choice(_STRANGE)()
    return json.dumps(value).encode("ascii").replace(b'"DEEP"', b"[" * 5000 + b"]" * 5000)


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value within `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _holders(inner)


_STRANGE: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: -1,
    lambda: 0,
    lambda: 10**12,
    lambda: int("9" * 400),
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: 1e300,
    lambda: "",
    lambda: "x" * 200_000,
    lambda: "\ud800",
    lambda: "a\0b",
    lambda: [],
    lambda: {},
    lambda: [None],
    lambda: [[1, 2], [3]],
    lambda: {"text": None},
    lambda: "DEEP",
)


# --- params -----------------------------------------------------------------------------------------------------------

_ROOT = Path(__file__).resolve().parents[2]
# What YAML says and JSON does not.
_YAML_ONLY = ("2001-01-01", "2001-01-01 12:00:00 +25", "!!set {a, b}", "&x [*x]", "&y {a: *y}", ".nan", "-.inf", "0o17",
              "1_000", "!!python/object/apply:os.getcwd []", "!!binary aGk=", "*nobody", "{? [a] : b}", "1:30", "yes",
              "<<: 3", "!!int x", "!mine 3", "'", "0x" + "f" * 500, "1e999")  # fmt: skip


def write_params(folder: Path, r: Random) -> None:
    """A project's values, pipeline and overrides, of which one is changed as values or as bytes."""
    folder.mkdir(parents=True)
    changed = r.choice(("params.yaml", "params.yaml", "dvc.yaml", "overrides"))
    for name, (data, value) in project().items():
        if name == changed:
            data = changed_bytes(data, r) if r.random() < 0.4 else _changed_yaml(value, r)
        (folder / name).write_bytes(data)
    pair = "train.epochs=3" if r.random() < 0.5 else f"learning_rate={r.choice(_YAML_ONLY)}"
    (folder / "overrides").write_bytes(changed_bytes(pair.encode(), r) if changed == "overrides" else b"epochs=2")


@lru_cache
def project() -> dict[str, tuple[bytes, Any]]:
    """What params.yaml and dvc.yaml hold, as bytes and as values; of deps and outs a few, as they are much alike."""
    params, pipeline = ((_ROOT / name).read_bytes() for name in ("params.yaml", "dvc.yaml"))
    stages = YAML(typ="safe").load(pipeline)
    for stage in stages["stages"].values():
        stage |= {name: stage[name][:2] for name in ("deps", "outs") if name in stage}
    few = {"stages": stages["stages"]}
    written = io.BytesIO()
    YAML().dump(few, written)
    return {"params.yaml": (params, YAML(typ="safe").load(params)), "dvc.yaml": (written.getvalue(), few)}


def _changed_yaml(value: Any, r: Random) -> bytes:
    if r.random() < 0.5:
        return changed_json(value, r)
    value = copy.deepcopy(value)
    holder, key = r.choice(list(_holders(value)))
    holder[key] = "HERE"
    return json.dumps(value).replace('"HERE"', r.choice(_YAML_ONLY)).encode()


# --- models -----------------------------------------------------------------------------------------------------------

_ALPHABETS: tuple[Callable[[str], Any], ...] = (
    lambda letters: letters + "Ω",
    lambda letters: letters[:-1],
    lambda letters: letters[0] + letters,
    lambda letters: letters[::-1] + "\ud800",
    lambda letters: letters.replace("a", "\0"),
    lambda letters: "",
    lambda letters: list(letters),
    lambda letters: letters * 100_000,
)
_DAMAGES = (
    "bytes",
    "bytes",
    "unnoticed",
    "missing",
    "swapped",
    "strangers",
    "alphabet",
    "warm",
    "sure",
    "card",
    "card",
)
_TEMPERATURES = (None, 0, -1, 1e-300, 1e300, float("nan"), float("inf"), "1.0", [1.0], True, int("9" * 400))


def write_model(folder: Path, r: Random) -> None:
    """A copy of the released model with one thing wrong: its card, a file, or which files there are."""
    original = find_model(None)
    folder.mkdir(parents=True)
    card = read_card(original)
    files = {name: (original / name).read_bytes() for name in card["files"]}
    one, other = r.sample(sorted(files), 2)
    told = {key: card[key] for key in ("size", "alphabet", "files", "temperature", "calibration") if key in card}
    damage = r.choice(_DAMAGES)
    if damage in ("bytes", "unnoticed"):
        files[one] = changed_bytes(files[one], r)
    elif damage == "missing":
        files[one] = b""
    elif damage == "swapped":
        files[one], files[other] = files[other], files[one]
    elif damage == "strangers":
        stranger = next(path for path in original.parent.iterdir() if path.is_dir() and path.name != original.name)
        files[one] = (stranger / one).read_bytes() if (stranger / one).exists() else files[other]
    elif damage == "alphabet":
        told["alphabet"] = r.choice(_ALPHABETS)(card["alphabet"])
    elif damage == "warm":
        told["temperature"] = r.choice(_TEMPERATURES)
    elif damage == "sure":
        told["calibration"] = {"slope": r.choice(_TEMPERATURES), "offset": r.choice((0.3, *_TEMPERATURES))}
    for name, data in files.items():
        if not (damage == "missing" and name == one and r.random() < 0.5):
            (folder / name).write_bytes(data)
    if damage != "unnoticed":
        told["files"] = {name: checksum(folder / name) for name in files if (folder / name).exists()}
    text = json.dumps(told).encode()
    if damage == "card":
        text = changed_json(told, r) if r.random() < 0.7 else changed_bytes(text, r)
    (folder / "card.json").write_bytes(text)
