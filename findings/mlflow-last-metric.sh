#!/usr/bin/env bash
# MLflow 3.17.2, a metric logged at step 10 and then, by a resumed training, again at step 5.
# Guess: a run's metric is the value that was logged last.
# Seen: it is the value with the highest step, however old.
# So a training that resumes from an earlier checkpoint shows the score of the lost part until it has passed it.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 <<'EOF'
import logging
import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow

logging.disable()
client = mlflow.MlflowClient("sqlite:///store.db")
run = client.create_run(client.create_experiment("scores")).info.run_id
for time, step, value in ((1000, 10, 0.9), (2000, 5, 0.7)):
    client.log_metric(run, "accuracy", value, timestamp=time, step=step)
seen = client.get_run(run).data.metrics["accuracy"]
print(f"MLflow {mlflow.__version__}: guessed 0.7, logged last; seen {seen}")
raise SystemExit(seen != 0.9)
EOF
