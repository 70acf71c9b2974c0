"""Where the words are on a page: regions -> letters -> lines -> words."""

from ocrkit.detection.detector import DetectedLine, detect
from ocrkit.detection.options import DetectorOptions

__all__ = ["DetectedLine", "DetectorOptions", "detect"]
