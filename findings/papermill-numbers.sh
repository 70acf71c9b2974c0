#!/usr/bin/env bash
# papermill 2.7.0, parameters of the command line that only look like numbers.
# Guess: `-p` makes a number of what is plainly one; the short hash of a commit, "010" and "1_000" stay text.
# Seen: a hash of digits and one e becomes infinity, "010" becomes 10 and "1_000" becomes 1000.
# So ids, hashes and versions are passed with `-r` (raw), which keeps text.
"$(dirname "$0")/fresh-venv" papermill==2.7.0 <<'EOF'
import json
import subprocess
import sys
from importlib.metadata import version

cells = [{"cell_type": "code", "execution_count": None, "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [], "source": ""}]
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
with open("in.ipynb", "w") as file:
    json.dump({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, file)
texts = {"commit": "12e4567", "page": "010", "folder": "1_000"}


def injected(option):
    arguments = [part for item in texts.items() for part in (option, *item)]
    command = [sys.executable, "-m", "papermill", "--prepare-only", "in.ipynb", "out.ipynb", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    with open("out.ipynb") as file:
        return "".join(json.load(file)["cells"][1]["source"]).splitlines()[1:]


seen, raw = injected("-p"), injected("-r")
print(f"papermill {version('papermill')}: guessed that -p keeps {texts} as text; seen {seen}; with -r {raw}")
raise SystemExit(seen != ["commit = float('inf')", "page = 10", "folder = 1000"] or raw != [f'{k} = "{v}"' for k, v in texts.items()])
EOF
