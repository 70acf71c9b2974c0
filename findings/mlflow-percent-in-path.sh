#!/usr/bin/env bash
# MLflow 3.17.2 with SQLAlchemy 2.1.9, a store in a folder whose name holds a per cent sign and two figures.
# Guess: f"sqlite:///{path}" is the store at `path`, as it was with SQLAlchemy 2.0.
# Seen: the name is decoded, so runs go to the folder `50A`; written as `50%2541`, the store is right, but an empty folder of that name is made.
# So write % as %25 (and ? as %3F) in an address of `sqlite+pysqlite:`, for which MLflow makes no folders.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 <<'EOF'
import logging
import os
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow
import sqlalchemy

logging.disable()


def made(where: str, address: str) -> list[str]:
    """What lies in a new folder after a run was logged to a store in its folder `50%41`."""
    root = Path.cwd() / where
    (root / "50%41").mkdir(parents=True)
    (root / "50A").mkdir()
    client = mlflow.MlflowClient(address.format(root))
    client.create_run(client.create_experiment("pages", (root / "files").as_uri()))
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


plain = made("plain", "sqlite:///{}/50%41/runs.db")
encoded = made("encoded", "sqlite:///{}/50%2541/runs.db")
driver = made("driver", "sqlite+pysqlite:///{}/50%2541/runs.db")
print(f"MLflow {mlflow.__version__}, SQLAlchemy {sqlalchemy.__version__}: guessed ['50%41', '50%41/runs.db', '50A']")
print(f"  seen {plain}; encoded {encoded}; with the driver's name {driver}")
right = ["50%41", "50%41/runs.db", "50A"]
raise SystemExit([plain, encoded, driver] != [["50%41", "50A", "50A/runs.db"], ["50%2541", *right], right])
EOF
