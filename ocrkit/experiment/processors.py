"""Whether the pipeline makes the same on other processors: `python -m ocrkit.experiment.processors`.

A copy of the project runs up to a stage for each of several processors: this one; this one where the environment asks
for older instructions and one thread, as another machine would choose by itself; and, where QEMU is installed, one that
it emulates, with other instructions, caches and last bits of approximate reciprocals. Then the outputs are compared.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from ocrkit.errors import OcrkitError
from ocrkit.experiment import flow, notebooks, paths, pipeline, smoke
from ocrkit.files import digest

_OLDER = {
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "OPENCV_IPP": "sse42",
    "OPENBLAS_CORETYPE": "Nehalem",
}
_QEMU = "qemu-x86_64"


def compare(stage: str, profile: str, emulated: str, is_strict: bool) -> bool:
    """Run the pipeline up to `stage` on each processor, print a line an output, and say whether all are the same.

    Args:
        stage: the last one; those before it run, too.
        profile: sizes, as in params.yaml.
        emulated: a processor that QEMU knows, such as `Haswell`; none where empty.
        is_strict: the copies compute in strict mode, whatever params.yaml says.

    Raises:
        OcrkitError: a stage failed, or QEMU is not installed.
    """
    root = paths.root()
    scratch = root / "scratch" / "processors"
    processors: dict[str, Mapping[str, str]] = {"this processor": {}, "SSE4.1, one thread": _OLDER}
    if emulated:
        processors[f"{emulated}, emulated"] = {"JUPYTER_PATH": str(_emulating_kernel(emulated, scratch / "jupyter"))}
    digests = {}
    for number, (name, environment) in enumerate(processors.items()):
        print(f"== {name}", flush=True)
        copy = smoke.new_copy(root, scratch / str(number), profile=profile, strict=is_strict)
        flow.run_dvc("repro", stage, cwd=copy, extra=environment)
        digests[name] = _digests(copy)
    first, *others = digests.values()
    same = all(other == first for other in others)
    for path in sorted(set().union(*digests.values())):
        row = [found.get(path, "missing")[:8] for found in digests.values()]
        print(f"{'same  ' if len(set(row)) == 1 else 'DIFFER'}  {path:40} {'  '.join(row)}")
    print(f"{len(first)} files on {', '.join(digests)}: {'the same' if same else 'not the same'}.")
    return same


def _digests(root: Path) -> dict[str, str]:
    """The digest of every file that stages made; runs and reports, which tell of times and places, are left out."""
    outs = [out for stage in pipeline.stages(root).values() for out in stage.outs]
    outs = [out for out in outs if not out.startswith(("runs/", "reports/"))]
    files = [file for out in outs for file in [root / out, *(root / out).rglob("*")] if file.is_file()]
    return {str(file.relative_to(root)): digest(file) for file in files}


def _emulating_kernel(processor: str, folder: Path) -> Path:
    """A folder for `JUPYTER_PATH` whose Python kernel runs on an emulated processor.

    Raises:
        OcrkitError: QEMU is not installed.
    """
    emulator = shutil.which(_QEMU)
    if not emulator:
        raise OcrkitError(f"{_QEMU} is not installed (apt-get install qemu-user): leave --emulate out, or install it.")
    # `-0` tells Python the name that it was called by, from which it knows its environment.
    python = [emulator, "-cpu", processor, "-0", sys.executable, str(Path(sys.executable).resolve())]
    command = [*python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = folder / "kernels" / notebooks.KERNEL["name"]
    kernel.mkdir(parents=True, exist_ok=True)
    spec = {"argv": command, "display_name": f"Python on {processor}", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    return folder


@click.command()
@click.option("--stage", default="finetune", show_default=True, help="Last stage to run.")
@click.option("--profile", default="smoke", show_default=True, help="Sizes, as in params.yaml.")
@click.option("--emulate", default="", metavar="CPU", help="Also on a processor that QEMU emulates, such as Haswell.")
@click.option("--loose", is_flag=True, help="Without strict mode: what differs then?")
def main(stage: str, profile: str, emulate: str, loose: bool) -> None:
    """Compare what the pipeline makes on different processors."""
    try:
        same = compare(stage, profile, emulate, not loose)
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(2)
    sys.exit(not same)


if __name__ == "__main__":
    main()
