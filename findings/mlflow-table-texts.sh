#!/usr/bin/env bash
# MLflow 3.17.2 with pandas 3.1.1, a table of words logged by `log_table`, then more rows of it.
# Guess, by the documentation: texts come back as the texts they are, and more rows leave the first ones alone.
# Seen: `load_table` gives 7 for "007", 1.5 for "1.50" and infinity for "12e4567"; and the second `log_table` writes the first rows
# anew with those numbers (infinity as null), so the artifact has lost what was read. A table named `.parquet` keeps them.
# So log tables of truth and reading as Parquet, or once, and read the JSON with `json`.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 pandas==3.1.1 pyarrow==25.0.1 numpy==2.4.6 <<'EOF'
import json
import logging
import os
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
import mlflow
import pandas

logging.disable()
client = mlflow.MlflowClient("sqlite:///store.db")
mlflow.set_tracking_uri("sqlite:///store.db")
words = client.create_experiment("words", Path("files").resolve().as_uri())
table = {"truth": ["007", "12e4567"], "read": ["007", "1.50"]}


def lists(frame):
    return {name: frame[name].tolist() for name in table}


seen = {}
for name in ("words.json", "words.parquet"):
    run = client.create_run(words).info.run_id
    client.log_table(run, table, name)
    loaded = lists(client.load_table(words, name, [run]))
    client.log_table(run, {"truth": ["and"], "read": ["ard"]}, name)
    path = client.download_artifacts(run, name)
    if name.endswith(".json"):
        stored = json.loads(Path(path).read_text())
        after = {column: [row[at] for row in stored["data"][:2]] for at, column in enumerate(stored["columns"])}
    else:
        after = lists(pandas.read_parquet(path)[:2])
    seen[name] = (loaded, after)
print(f"MLflow {mlflow.__version__}, pandas {pandas.__version__}: guessed {table} always; seen, loaded and stored after more rows:")
for name, (loaded, after) in seen.items():
    print(f"  {name}: {loaded}, {after}")
numbers = {"truth": [7, float("inf")], "read": [7, 1.5]}
stored = {"truth": [7, None], "read": [7, 1.5]}
raise SystemExit(seen != {"words.json": (numbers, stored), "words.parquet": (table, table)})
EOF
