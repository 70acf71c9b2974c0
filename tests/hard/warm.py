"""A process that has imported every verb and forks for each call of one, so that hundreds of calls cost little.

A line on standard input is a list of calls that run at once; a line on standard output says how each of them ended. A
call can be told when to die: as by `kill -9`, at the n-th time that it opens, renames or removes a file for writing, or
after some seconds.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from functools import partial
from importlib import import_module
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile", "shutil.rmtree"}
_LIGHT = ("data", "read", "scan", "synth")
# What such verbs import once they are called, which takes longer than most of them.
_OF_TRAINING = (
    "keras",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "mlflow.store.db.utils",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.system_metrics.system_metrics_monitor",
    "mlflow.tracking",
    "ocrkit.experiment.import_runs",
    "ocrkit.learning.convert",
    "ocrkit.studies.labelling",
    "ocrkit.studies.promote",
    "ocrkit.studies.rollout",
    "onnx",
    "sqlalchemy.dialects.sqlite",
)
_FILE_BYTES = 1 << 28  # the most that a call may write into one file


def main() -> None:
    for verb in json.loads(sys.argv[1]) or _LIGHT:
        import_module(f"ocrkit.cli.{verb}")
    import cv2
    import onnxruntime  # noqa: F401

    from ocrkit.documents import reader, scan  # noqa: F401

    cv2.setNumThreads(1)
    if "train" in sys.argv[1]:
        _prepare_training()
    gc.freeze()  # else each child would write to, and so copy, what it shares with this process
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        calls = json.loads(line)
        print(json.dumps(_ended({_begun(call): call for call in calls})), file=answers, flush=True)


def _prepare_training() -> None:
    """Import what trains, and make its rounds so small that a training of a few words has several."""
    from ocrkit.quiet import quieten_tensorflow

    quieten_tensorflow()
    for name in _OF_TRAINING:
        import_module(name)
    import sqlalchemy.orm

    from ocrkit.cli import finetune, train
    from ocrkit.learning import finetune as tuning
    from ocrkit.learning import release
    from ocrkit.learning.trainer import TrainOptions
    from ocrkit.synth.corpus import build_vocabulary, zipf_frequencies

    sqlalchemy.orm.configure_mappers()
    build_vocabulary()  # what these two read stays in memory
    zipf_frequencies(())
    train.TrainOptions = partial(TrainOptions, round_words=32)  # type: ignore[assignment,misc]
    finetune._LEAST_ROUND = 16
    tuning._GENERAL_WORDS = 8
    release.PARITY_CROPS = 20


def _begun(call: dict[str, Any]) -> int:
    sys.stdout.flush()
    if child := os.fork():
        return child
    code = 1
    try:
        _prepare(call)
        code = _run(call)
    finally:
        os._exit(code)


def _prepare(call: dict[str, Any]) -> None:
    os.setsid()
    output = os.open(call["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["OCRKIT_HARD_CALL"] = call["mark"]  # processes that it starts can be told by it
    tempfile.tempdir = call["temporary"]
    os.environ["TMPDIR"] = call["temporary"]
    os.chdir(call["folder"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))


def _run(call: dict[str, Any]) -> int:
    from ocrkit.cli import main as command

    counted = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal counted
        writes = event == "open" and isinstance(arguments[0], str) and arguments[2] & _WRITING
        if writes or event in _CHANGES:
            counted += 1
            if counted == call.get("event"):
                _die_in(call["delay_s"])

    code = 1
    if call.get("delay_s") is not None and not call.get("event"):
        _die_in(call["delay_s"])
    sys.addaudithook(count)
    try:
        command(call["command"], prog_name="ocrkit")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with open(f"{call['output']}.events", "w") as file:
        file.write(str(counted))
    return code


def _die_in(delay_s: float) -> None:
    """End this process alone, without a chance to tidy up: at once, or by a signal of the kernel's clock."""
    if delay_s <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, delay_s)


def _ended(running: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    started, left = time.monotonic(), dict(running)
    for pid, call in running.items():
        while pid in left:
            done, status, used = os.wait4(pid, os.WNOHANG)
            call["cpu_s"] = used.ru_utime + used.ru_stime
            call["seconds"] = time.monotonic() - started
            if done:
                call["status"] = os.waitstatus_to_exitcode(status)
                del left[pid]
            elif call["seconds"] > call["limit_s"]:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                call["status"] = None
                del left[pid]
            else:
                time.sleep(0.005)
    return list(running.values())


if __name__ == "__main__":
    main()
