#!/usr/bin/env bash
# MLflow 3.17.2, a model that was saved with its code (`code_paths`), loaded where a newer version of that code runs already.
# Guess: the model runs its own code, or, since Python keeps what is imported, this process and all that it starts the newer one.
# Seen: this process goes on with the newer code, the model included; what it starts by `spawn` imports the model's older code.
# So after a look at a registered model, a pool of readers reads with another version than the one that started it.
"$(dirname "$0")/fresh-venv" mlflow-skinny==3.17.2 pandas==2.3.3 numpy==2.2.6 <<'EOF'
import os
import pathlib
import subprocess
import sys

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
pathlib.Path("made.py").write_text('''
import multiprocessing, sys
from mlflow import pyfunc
import reading

if __name__ == "__main__":
    before = list(sys.path)
    model = pyfunc.load_model("model")
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        started = pool.apply(reading.version)
    print(reading.version(), model.predict(["page"])[0], started, sys.path == before)
''')
pathlib.Path("script.py").write_text('''
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel
import reading

class Reader(PythonModel):
    def predict(self, context, model_input):
        return [reading.version() for _ in model_input]

set_model(Reader())
''')
for folder, version in (("old", "old"), ("new", "new")):
    pathlib.Path(folder).mkdir()
    pathlib.Path(folder, "reading.py").write_text(f"def version():\n    return {version!r}\n")
save = "from mlflow import pyfunc; pyfunc.save_model('model', python_model='script.py', code_paths=['old/reading.py'], pip_requirements=[])"
run = {"check": True, "capture_output": True, "text": True}
subprocess.run([sys.executable, "-c", save], env={**os.environ, "PYTHONPATH": "old"}, **run)
done = subprocess.run([sys.executable, "made.py"], env={**os.environ, "PYTHONPATH": os.path.abspath("new")}, **run)
seen = done.stdout.split()[-4:]
print(f"guessed one code for all; seen: this process {seen[0]}, the model in it {seen[1]}, a process it started {seen[2]}")
raise SystemExit(seen != ["new", "new", "old", "False"])
EOF
