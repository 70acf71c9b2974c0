"""Pages of plain print of which every word's ink is known: sixteen layouts in sixteen typefaces.

Half of the layouts and half of the typefaces are for tuning and training, the others for reporting
(`ocrkit.benchmark.printed`), so that nothing reported was seen by whoever chose a threshold, or by the network.
`PrintedPages` makes the pages.
"""

from ocrkit.synth.printed.pages import PAGES, PrintedPage, PrintedPages

__all__ = ["PAGES", "PrintedPage", "PrintedPages"]
