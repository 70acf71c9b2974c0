#!/usr/bin/env bash
# MLflow 3.17.2, the digest of a dataset that a run logs (`mlflow.data.from_numpy`, `from_pandas`).
# Guess: word crops or labels that differ have another digest.
# Seen: 10,000 numbers of an array count, which are two crops of 32 x 128 px and a part of the third, and 10,000 rows of a table;
# what is behind them may be another data set of as many items.
# So the digest does not tell what a model was trained on: log one of the files, too.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6 <<'EOF'
import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow.data
import numpy as np
import pandas


def digests_of_crops(first_changed):
    crops = np.random.default_rng(0).integers(0, 256, (200, 32, 128), dtype=np.uint8)
    others = crops.copy()
    others[first_changed:] = 255 - others[first_changed:]
    return mlflow.data.from_numpy(crops).digest, mlflow.data.from_numpy(others).digest


def digests_of_labels(first_changed):
    labels = pandas.DataFrame({"file": [f"{i}.png" for i in range(12_000)], "text": "word"})
    others = labels.copy()
    others.loc[first_changed:, "text"] = "?"
    return mlflow.data.from_pandas(labels).digest, mlflow.data.from_pandas(others).digest


seen = {
    "200 crops, the third and all behind it changed": digests_of_crops(2),
    "200 crops, the fourth and all behind it changed": digests_of_crops(3),
    "12,000 labels, the last 2,001 changed": digests_of_labels(9_999),
    "12,000 labels, the last 2,000 changed": digests_of_labels(10_000),
}
print(f"MLflow {mlflow.__version__}: guessed two digests each; seen {seen}")
raise SystemExit([before == after for before, after in seen.values()] != [False, True, False, True])
EOF
