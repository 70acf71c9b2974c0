"""Where the words are on a page: regions -> letters -> lines -> words.

`detect` does it all. Its steps can be looked at one by one: `dark_on_light`, `to_text_scale`, then `find_dark` and
`find_light`, whose `Stages` hold what each step found.
"""

from ocrkit.detection.detector import (
    DetectedLine,
    Stages,
    dark_on_light,
    detect,
    find_dark,
    find_light,
    has_even_ground,
    to_text_scale,
)
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.raised import Parts

__all__ = [
    "DetectedLine",
    "DetectorOptions",
    "Parts",
    "Stages",
    "dark_on_light",
    "detect",
    "find_dark",
    "find_light",
    "has_even_ground",
    "to_text_scale",
]
