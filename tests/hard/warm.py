"""A process that has imported every verb and forks for each call of one, so that hundreds of calls cost little.

A line on standard input is a list of calls that run at once; a line on standard output says how each of them ended. A
call can be told when to die: as by `kill -9`, some seconds after the n-th time that it opens, renames or removes a file
for writing.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from typing import Any, ClassVar

from small import shrink

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile", "shutil.rmtree"}
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
    if "train" in sys.argv[1]:
        shrink()
    for verb in json.loads(sys.argv[1]):
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
    """Import what trains, and read what stays in memory."""
    for name in _OF_TRAINING:
        import_module(name)
    import sqlalchemy.orm
    from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

    from ocrkit.synth import corpus, fonts

    sqlalchemy.orm.configure_mappers()
    warn_dependency_requirement_mismatches(["mlflow"])  # lists all packages that are installed
    corpus.build_vocabulary()  # as finetune and convert ask for it, and as train does
    corpus.build_vocabulary(None, seed=7)
    corpus.zipf_frequencies(())
    fonts.audit(fonts.font_folders(("packages",)))


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

    counted, first = 0, time.monotonic()

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal counted, first
        writes = event == "open" and isinstance(arguments[0], str) and arguments[2] & _WRITING
        if writes or event in _CHANGES:
            counted += 1
            if counted == 1:
                first = time.monotonic()
            if counted == call.get("event"):
                _die_in(call["delay_s"])

    code = 1
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
        json.dump([counted, time.monotonic() - first], file)
    return code


class _Event(ctypes.Structure):
    """`struct sigevent` of Linux: a signal, as which a timer goes off."""

    _fields_: ClassVar = [
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("kind", ctypes.c_int),  # 0: a signal
        ("rest", ctypes.c_char * 48),
    ]


def _die_in(delay_s: float) -> None:
    """Kill this process alone, by SIGKILL: at once, or by a timer of the kernel."""
    if delay_s <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    system, timer = ctypes.CDLL(None, use_errno=True), ctypes.c_void_p()
    whole, part = divmod(round(delay_s * 1e9), 10**9)
    times = (ctypes.c_long * 4)(0, 0, whole, part or 1)  # no interval; when it goes off
    made = system.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(_Event(None, signal.SIGKILL)), ctypes.byref(timer))
    if made or system.timer_settime(timer, 0, times, None):
        raise OSError(ctypes.get_errno(), "no timer")


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
