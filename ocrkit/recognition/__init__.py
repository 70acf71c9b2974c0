"""The Word Deep Net: crops of words in, text with confidence out."""

from ocrkit.recognition.decode import Guess
from ocrkit.recognition.recognizer import Recognizer, load_recognizer

__all__ = ["Guess", "Recognizer", "load_recognizer"]
