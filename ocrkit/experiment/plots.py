"""Let `dvc plots show` draw without the internet: `python -m ocrkit.experiment.plots`, part of `make setup`.

DVC's page loads Vega, which draws it, from the network. A page of ours holds it instead, taken from the package
`vl-convert-python`, and DVC is told of it in the settings of this checkout alone: elsewhere the page may be missing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ocrkit.experiment import flow, paths
from ocrkit.files import make_folder, write_whole

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots</title>
<style>body { font-family: sans-serif; margin: 2em } table { border-spacing: 15px }</style>
<script>
VEGA
</script>
{refresh_tag}
</head>
<body>
{plot_divs}
</body>
</html>
"""


def template(root: Path) -> Path:
    """Write the page that DVC fills, and make it DVC's for this checkout.

    Returns:
        The page.

    Raises:
        OcrkitError: it cannot be written.
    """
    from vl_convert import javascript_bundle

    # DVC's plots are written for Vega-Lite 5.
    page = make_folder(root / ".dvc" / "tmp") / "plots.html"
    write_whole(page, _PAGE.replace("VEGA", javascript_bundle("window.vegaEmbed = vegaEmbed;", "5.21")))
    command = [sys.executable, "-m", "dvc", "config", "--local", "plots.html_template", "tmp/plots.html"]
    subprocess.run(command, cwd=root, env=flow.environment(), check=True)
    return page


if __name__ == "__main__":
    print(f"DVC draws plots with {template(paths.root())}.")
