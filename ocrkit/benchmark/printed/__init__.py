"""How pages of plain print are read: those of `ocrkit.synth.printed`, of which every word's ink is known.

`score_page` says how an engine read one of them, `Report` how it read them all.
"""

from ocrkit.benchmark.printed.overlays import overlay
from ocrkit.benchmark.printed.report import Report
from ocrkit.benchmark.printed.scores import Outcome, PrintScore, score_page

__all__ = ["Outcome", "PrintScore", "Report", "overlay", "score_page"]
