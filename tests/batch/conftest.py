"""A folder of small documents."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


def page(text: str = "Hello world") -> np.ndarray:
    """A small page with one line."""
    image = np.full((80, 300), 255, np.uint8)
    cv2.putText(image, text, (15, 50), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    return image


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three pages, one of them deeper; a file of another kind; hidden files; links that go round in circles."""
    folder = tmp_path / "scans"
    for name in ("page2.png", "page10.png", "deep/er/page1.PNG", ".hidden/page.png", "deep/.page.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), page(Path(name).stem))
    (folder / "notes.docx").write_text("no picture")
    (folder / "deep" / "round").symlink_to(folder)
    return folder
