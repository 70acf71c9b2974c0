"""Pages of plain print of which every word's ink is known: sixteen layouts in sixteen typefaces, and how they are read.

Half of the layouts and half of the typefaces are for tuning, the others for reporting, so that nothing reported was
seen by whoever chose a threshold. `PrintedPages` makes the pages, `score_page` says how an engine read one.
"""

from ocrkit.benchmark.printed.overlays import overlay
from ocrkit.benchmark.printed.pages import PAGES, PrintedPage, PrintedPages
from ocrkit.benchmark.printed.report import Report
from ocrkit.benchmark.printed.scores import Outcome, PrintScore, score_page

__all__ = ["PAGES", "Outcome", "PrintScore", "PrintedPage", "PrintedPages", "Report", "overlay", "score_page"]
