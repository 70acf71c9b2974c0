"""Our OCR and other people's behind one face, and the comparison between them."""

from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.engines.compare import Comparison, PageScore, compare
from ocrkit.engines.leaderboard import leaderboard_html
from ocrkit.engines.process import EngineProcess
from ocrkit.engines.registry import ENGINES, load_engine, missing_engines, start_engine

__all__ = [
    "ENGINES",
    "Comparison",
    "Engine",
    "EngineFailed",
    "EngineProcess",
    "PageScore",
    "compare",
    "leaderboard_html",
    "load_engine",
    "missing_engines",
    "start_engine",
]
