#!/usr/bin/env bash
# MLflow 3.17.2, a loss of infinity logged to an SQLite store.
# Guess: it comes back as infinity, as NaN comes back as NaN.
# Seen: it comes back as the largest finite number, 1.797...e308.
# So `math.isinf` and `isfinite` miss a diverged training once it has been through the store.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 <<'EOF'
import logging
import math
import os
import sys

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow

logging.disable()
client = mlflow.MlflowClient("sqlite:///store.db")
run = client.create_run(client.create_experiment("losses")).info.run_id
client.log_metric(run, "loss", math.inf)
client.log_metric(run, "other", math.nan)
seen = client.get_run(run).data.metrics
print(f"MLflow {mlflow.__version__}: guessed inf and nan; seen {seen['loss']} and {seen['other']}")
raise SystemExit(seen["loss"] != sys.float_info.max or not math.isnan(seen["other"]))
EOF
