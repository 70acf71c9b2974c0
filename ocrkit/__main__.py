"""`python -m ocrkit`: the `ocrkit` command."""

from ocrkit.cli import main

main()
