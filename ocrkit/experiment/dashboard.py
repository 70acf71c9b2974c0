"""Serve MLflow's pages on this project's runs: `python -m ocrkit.experiment.dashboard`."""

from __future__ import annotations

import os
import sys

import click

from ocrkit.experiment import paths, setup


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True)
def main(host: str, port: int) -> None:
    """Serve the runs until interrupted."""
    if paths.server():
        print(f"The runs are on the server that MLFLOW_TRACKING_URI names: {paths.server()}")
        return
    setup.ensure_store()
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        paths.tracking_uri(),
        "--default-artifact-root",
        paths.artifact_folder().as_uri(),
    ]
    # Without it MLflow opens on its pages for chats with language models.
    print(f"http://{host}:{port}/#/experiments?workflowType=machine_learning", flush=True)
    # Eight more processes, for judging language models.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.execv(sys.executable, command)  # the server takes this process over, so that a signal reaches it


if __name__ == "__main__":
    main()
