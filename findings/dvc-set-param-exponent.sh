#!/usr/bin/env bash
# DVC 3.67.1 and PyYAML 6.0.3, a small number set from the command line, `dvc exp run -S rate=1e-5`, for a stage that loads
# params.yaml.
# Guess: the stage reads a number, as it does after `-S rate=0.001`.
# Seen: DVC writes `rate: 1e-05`, which is a number of YAML 1.2, and PyYAML, which reads YAML 1.1, gives the text "1e-05", as it wants
# a point in it. `dvc params diff` shows a number either way. The same two read the `010` of a hand-written file as 10 and as 8.
# So read params.yaml as DVC does (`dvc.api.params_show`), or refuse values of another type.
"$(dirname "$0")/fresh-venv" dvc==3.67.1 pyyaml==6.0.3 <<'EOF'
import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

os.environ |= {"DVC_NO_ANALYTICS": "1", "PATH": f"{Path('venv/bin').resolve()}:{os.environ['PATH']}"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


Path("params.yaml").write_text("rate: 0.1\npage: 010\n")
Path("stage.py").write_text("import json, yaml\njson.dump(yaml.safe_load(open('params.yaml')), open('seen.json', 'w'))\n")
Path("dvc.yaml").write_text("stages:\n  train:\n    cmd: python stage.py\n    params: [rate, page]\n    outs: [seen.json]\n")
Path(".gitignore").write_text("venv\nseen.json\n")
run("git", "init", "--quiet")
run("dvc", "init", "--quiet")
run("git", "add", ".")
run("git", "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "--message", "first")
seen = {}
for value in ("0.001", "1e-5"):
    run("dvc", "exp", "run", "--quiet", "-S", f"rate={value}")
    seen[value] = json.loads(Path("seen.json").read_text())
shown = json.loads(run("dvc", "params", "diff", "--all", "--json"))["params.yaml"]
print(f"DVC {version('dvc')}, PyYAML {version('pyyaml')}: guessed 0.001 and 1e-05; the stage saw {seen}, DVC shows {shown}")
told = shown["rate"]["new"], shown["page"]["new"]
raise SystemExit((seen, told) != ({"0.001": {"rate": 0.001, "page": 8}, "1e-5": {"rate": "1e-05", "page": 8}}, (1e-05, 10)))
EOF
