#!/usr/bin/env bash
# DVC 3.67.1 and papermill 2.7.0, a stage whose command hands a boolean of params.yaml to a notebook: `-p augment ${augment}`.
# Guess, by the documentation of each: `augment: false` arrives as False, as numbers and null arrive as themselves.
# Seen: DVC writes `false` and papermill knows only `False`, so the notebook gets the text "false", which is true to `if augment`.
# DVC records false in dvc.lock all the same.
# So hand booleans over as YAML, `-y "augment: ${augment}"`, or let the notebook read params.yaml.
"$(dirname "$0")/fresh-venv" dvc==3.67.1 papermill==2.7.0 <<'EOF'
import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

cells = [{"cell_type": "code", "execution_count": None, "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [], "source": ""}]
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
Path("in.ipynb").write_text(json.dumps(notebook))
Path("params.yaml").write_text("augment: false\nrate: 1e-05\nnote: null\n")
run = "venv/bin/python -m papermill --prepare-only in.ipynb"
Path("dvc.yaml").write_text(f"""
stages:
  by_p:
    cmd: {run} by_p.ipynb -p augment ${{augment}} -p rate ${{rate}} -p note ${{note}}
    params: [augment, rate, note]
    outs: [by_p.ipynb]
  by_y:
    cmd: '{run} by_y.ipynb -y "augment: ${{augment}}"'
    params: [augment]
    outs: [by_y.ipynb]
""")
for command in (["init", "--no-scm"], ["repro"]):
    subprocess.run(["venv/bin/dvc", *command], check=True, capture_output=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"})


def given(name):
    """The parameters that a notebook was given."""
    values = {}
    exec("".join(json.loads(Path(name).read_text())["cells"][1]["source"]), {}, values)
    return values


seen, as_yaml = given("by_p.ipynb"), given("by_y.ipynb")
locked = "augment: false" in Path("dvc.lock").read_text()
print(f"DVC {version('dvc')}, papermill {version('papermill')}: guessed augment False; seen {seen}, which is {bool(seen['augment'])} "
      f"to an if; as YAML {as_yaml}; false in dvc.lock: {locked}")
raise SystemExit(seen != {"augment": "false", "rate": 1e-05, "note": None} or as_yaml["augment"] is not False or not locked)
EOF
