"""The process in which inputs are tried: a line a task on standard input, a line an answer on standard output."""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from pathlib import Path

_MEMORY_BYTES = 6 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    from ocrkit import OcrkitError

    for line in sys.stdin:
        kind, path, form = json.loads(line)
        try:
            TASKS[kind](Path(path), form)
            answer = ["read", ""]
        except OcrkitError as error:
            sentence = str(error)
            # A sentence is one line that a person can read.
            fault = len(sentence) > 1000 or "\n" in sentence.strip() or "Traceback" in sentence
            answer = ["bad sentence" if fault else "refused", sentence[:2000]]
        except MemoryError:
            answer = ["memory", traceback.format_exc()]
        except BaseException:
            answer = ["traceback", traceback.format_exc()]
        print(json.dumps(answer), file=answers, flush=True)


def read_document(path: Path, form: str) -> None:
    """Read a file as users do, and write what was read in every form."""
    from ocrkit import scan

    reader = _reader()
    document = reader.read(path)
    scan(path)
    document.to_dict()
    document.to_hocr()
    document.to_alto()
    document.save_pdf(path.with_suffix(".out.pdf"))
    path.with_suffix(".out.pdf").unlink()


def load_labels(path: Path, form: str) -> None:
    """Load a folder of labels, and do with them what the verbs do."""
    from ocrkit.datasets import load_pages, word_samples
    from ocrkit.datasets.validate import statistics, validate

    pages = load_pages(path, form)
    findings = validate(pages)
    assert all(len(finding.message) < 1000 for finding in findings), "a message quotes too much"
    json.dumps(statistics(pages)).encode()
    list(word_samples(pages))


def load_model(path: Path, form: str) -> None:
    """Load a model and read a word with it."""
    import numpy as np

    from ocrkit.recognition import load_recognizer

    load_recognizer(path, threads=1).recognize([np.zeros((20, 50), np.uint8)])


def load_params(path: Path, form: str) -> None:
    """Read the values of every stage, those of one with overrides, and the pipeline."""
    from ocrkit.experiment import params
    from ocrkit.experiment.run import parse_overrides
    from ocrkit.studies.sections import SECTIONS

    params.check_all(SECTIONS, path)
    given = (path / "overrides").read_text("utf-8", "replace").splitlines()
    params.params("train", SECTIONS, parse_overrides(tuple(given)), path)


_READERS: list = []


def _reader():
    if not _READERS:
        from ocrkit import Reader

        _READERS.append(Reader(threads=1))
    return _READERS[0]


TASKS = {"document": read_document, "labels": load_labels, "params": load_params, "model": load_model}

if __name__ == "__main__":
    main()
