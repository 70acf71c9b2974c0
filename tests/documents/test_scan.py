"""Pages photographed by a made-up camera, so that the corners, the shape and the light are known."""

import json

import cv2
import numpy as np
import PIL.Image
import pypdfium2
import pytest

import ocrkit
from ocrkit.documents.page_search import find_page
from ocrkit.documents.scan import aspect_ratio, even_light, rectification, rectify
from ocrkit.errors import BadImage, BadQuad, OcrkitError
from ocrkit.images import load_image

DESKS = {"wood": (120, 85, 55), "dark": (40, 42, 48), "green": (150, 170, 140)}


def a_page(height=1100, width=800) -> np.ndarray:
    """A white sheet with lines of text, a ruled table and a dark picture."""
    page = np.full((height, width, 3), 245, np.uint8)
    for i, y in enumerate(range(80, height - 420, 40)):
        cv2.putText(
            page, "some words of text and more"[: 12 + i % 14], (70, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20,) * 3, 2
        )
    cv2.rectangle(page, (70, height - 380), (width - 70, height - 220), (30, 30, 30), 3)
    cv2.rectangle(page, (90, height - 180), (300, height - 60), (40, 70, 160), -1)
    return page


def photographed(page, corners, desk, size=(1200, 1600)) -> np.ndarray:
    """The page on a grained desk under uneven light."""
    dice = np.random.default_rng(5)
    height, width = size
    grain = cv2.GaussianBlur(dice.normal(0, 60, (height, width)).astype(np.float32), (0, 0), 9, sigmaY=0.8)
    photo = np.clip(np.array(desk, np.float32) + grain[..., None], 0, 255)
    rows, columns = page.shape[:2]
    corners_of_page = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    view = cv2.getPerspectiveTransform(corners_of_page, corners.astype(np.float32))
    inside = cv2.warpPerspective(np.ones((rows, columns), np.float32), view, (width, height))
    seen = cv2.warpPerspective(page, view, (width, height), flags=cv2.INTER_AREA)
    photo = photo * (1 - inside[..., None]) + seen * inside[..., None]
    light = np.linspace(1.0, 0.65, width, dtype=np.float32)[None, :, None]
    return np.clip(photo * light + dice.normal(0, 3, photo.shape), 0, 255).astype(np.uint8)


QUADS = [
    [(420, 90), (1120, 130), (1180, 1090), (330, 1060)],
    [(500, 60), (1250, 240), (1020, 1150), (260, 900)],
    [(120, 60), (1500, 40), (1540, 1160), (60, 1130)],
]


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("corners", QUADS)
def test_the_corners_are_found_within_one_percent_of_the_diagonal(corners, desk):
    corners = np.array(corners, float)
    quad = find_page(photographed(a_page(), corners, DESKS[desk]))
    assert quad is not None
    assert np.abs(np.linalg.norm(quad - corners, axis=1)).max() < 0.01 * np.hypot(1200, 1600)


def test_a_flat_page_a_blank_one_and_a_bare_desk_have_no_quad():
    assert find_page(a_page()) is None
    assert find_page(np.full((600, 500), 250, np.uint8)) is None
    assert find_page(np.zeros((1, 1), np.uint8)) is None
    assert find_page(np.zeros((9000, 5), np.uint8)) is None
    bare = photographed(a_page()[:8, :8], np.array([(0, 0), (1, 0), (1, 1), (0, 1)]), DESKS["wood"])
    assert find_page(bare) is None


def test_scanned_receipts_are_flat(shared_data):
    paths = sorted(shared_data.glob("sroie/train/*.jpg"))[:20]
    assert paths, "the development data holds no scans"
    assert [path.name for path in paths if find_page(load_image(path)) is not None] == []


def camera_corners(ratio, focal=1500.0) -> np.ndarray:
    """A sheet of this width over height before a camera at (800, 600) that looks at it aslant."""
    sheet = np.array([(-ratio, -1, 0), (ratio, -1, 0), (ratio, 1, 0), (-ratio, 1, 0)]) * 400
    tilt, _ = cv2.Rodrigues(np.array([0.5, 0.35, 0.2]))
    seen = sheet @ tilt.T + (30, -20, 1600)
    return seen[:, :2] / seen[:, 2:] * focal + (800, 600)


@pytest.mark.parametrize("ratio", [0.35, 210 / 297, 1.0, 1.6])
def test_the_aspect_ratio_is_that_of_the_sheet(ratio):
    assert aspect_ratio(camera_corners(ratio), (800, 600)) == pytest.approx(ratio, rel=0.01)


def test_without_perspective_the_ratio_is_that_of_the_sides():
    assert aspect_ratio(np.array([(10, 10), (310, 10), (310, 210), (10, 210)]), (200, 200)) == pytest.approx(1.5)


def test_the_rectified_page_has_the_pixels_of_the_quad_and_its_content_upright():
    page, corners = a_page(1000, 1000), camera_corners(1.0)
    flat = rectify(photographed(page, corners, DESKS["dark"]), corners)
    assert flat.shape[0] * flat.shape[1] == pytest.approx(cv2.contourArea(corners.astype(np.float32)), rel=0.01)
    blue = flat[int(0.88 * flat.shape[0]), int(0.2 * flat.shape[1])]
    assert blue[2] > blue[0] + 50  # the picture at the lower left


def test_what_was_read_on_the_page_is_taken_back_to_the_photo():
    corners = camera_corners(0.7)
    matrix, (width, height) = rectification(corners, (1200, 1600))
    page = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float64)
    np.testing.assert_allclose(cv2.perspectiveTransform(page, np.linalg.inv(matrix))[0], corners, atol=0.01)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (100, 100), (100, 0), (0, 100)],
        [(0, 0), (50, 0), (100, 0), (150, 0)],
        [(0, 0), (9, 0), (9, 9), (0, 9)],
    ],
)
def test_four_points_that_are_no_page_are_refused(corners):
    with pytest.raises(BadQuad, match="do not go around a page"):
        rectify(np.zeros((200, 200), np.uint8), np.array(corners))


def test_even_light_whitens_the_paper_and_keeps_hue_and_ink():
    page = a_page()
    shadow = np.linspace(1.0, 0.5, page.shape[1])[None, :, None]
    flat = even_light((page * shadow).astype(np.uint8))
    paper = page.min(axis=2) == 245
    assert flat[paper].mean() > 235
    assert np.ptp(np.median(flat[:60].mean(axis=2), axis=0)) < 30  # of 122 before
    before, after = (cv2.cvtColor(image[950:1030, 120:280], cv2.COLOR_RGB2HSV)[..., 0] for image in (page, flat))
    assert abs(int(np.median(before)) - int(np.median(after))) <= 2
    assert even_light(page[..., 0]).shape == page.shape[:2]


@pytest.mark.parametrize("shape", [(3000, 1), (1, 3000), (1, 1)])
def test_even_light_of_a_strip(shape):
    assert even_light(np.full((*shape, 3), 200, np.uint8)).shape == (*shape, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_scan_gives_the_page_upright_and_its_corners_in_the_stored_photo(orientation, tmp_path):
    corners = np.array(QUADS[0], float)
    upright = photographed(a_page(), corners, DESKS["wood"])
    rotation = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    PIL.Image.fromarray(np.ascontiguousarray(np.rot90(upright, rotation // 90))).save(path, exif=exif, quality=92)

    page = ocrkit.scan(path)
    assert page.rotation == rotation
    height, width = upright.shape[:2]
    turned = {0: corners, 90: np.stack([corners[:, 1], width - corners[:, 0]], 1), 180: (width, height) - corners,
              270: np.stack([height - corners[:, 1], corners[:, 0]], 1)}[rotation]  # fmt: skip
    assert np.linalg.norm(page.quad - turned, axis=1).max() < 20
    assert page.image.shape[0] > page.image.shape[1]
    assert np.median(page.image) > 230


def test_a_scan_is_saved_as_image_or_pdf(tmp_path):
    page = ocrkit.scan(a_page())
    assert page.quad is None
    assert PIL.Image.open(page.save(tmp_path / "a.png")).size == (800, 1100)
    with pypdfium2.PdfDocument(page.save(tmp_path / "a.pdf")) as pdf:
        assert len(pdf) == 1
    with pytest.raises(OcrkitError, match=r"names no kind of image: end it in \.png, \.jpg or \.pdf"):
        page.save(tmp_path / "a.scan")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png"]


def test_what_is_no_image_cannot_be_scanned(tmp_path):
    with pytest.raises(BadImage, match="There is no file"):
        ocrkit.scan(tmp_path / "none.jpg")


def test_the_page_of_a_real_photo_is_found(shared_data):
    """Labelled by hand; its corners lie on the photo's edge, so a page running out of the picture is tried too."""
    found = 0
    for label in sorted(shared_data.glob("phone/*.json")):
        truth = json.loads(label.read_text()).get("paper_quad_tl_tr_br_bl")
        if truth is None:
            continue
        found += 1
        quad = ocrkit.scan(label.with_suffix(".jpg")).quad
        distances = np.linalg.norm(np.array(truth)[:, None] - quad[None], axis=2).min(1)
        assert distances.max() < 0.01 * np.hypot(2000, 1500)
    assert found, "the development data holds no photo with labelled corners"
