import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample


def draw(text: str, height: int = 24) -> np.ndarray:
    """Black on white, in the font that OpenCV draws itself."""
    (width, _), _ = cv2.getTextSize(text or " ", cv2.FONT_HERSHEY_SIMPLEX, height / 32, 1)
    image = np.full((height, width + 8), 255, np.uint8)
    cv2.putText(image, text, (4, height * 3 // 4), cv2.FONT_HERSHEY_SIMPLEX, height / 32, 0, 1)
    return image


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Forty words of one to six figures and letters."""
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(list("abcDEF012"), rng.integers(1, 7))) for _ in range(39)]
    return [Sample(draw(text), text) for text in [*texts, ""]]


@pytest.fixture(scope="session")
def alphabet() -> Alphabet:
    return Alphabet("abcDEF012")
