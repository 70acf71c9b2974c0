"""The measurements measure what they say; how fast this machine is, no test asserts."""

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit import cli
from ocrkit.benchmark import machine, precision, speed, training
from ocrkit.benchmark.soak import WARM_UP, Soak
from ocrkit.datasets import Sample
from ocrkit.errors import BadModel, BadParams, OcrkitError
from ocrkit.learning.trainer import TrainOptions, endless
from ocrkit.recognition.model import find_model
from ocrkit.recognition.network import cost
from ocrkit.recognition.ranking import FEATURES


def drawn(text: str) -> np.ndarray:
    image = np.full((32, 18 * len(text) + 12), 255, np.uint8)
    cv2.putText(image, text, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2, cv2.LINE_AA)
    return image


SAMPLES = [Sample(drawn(text), text) for text in ("Total", "12.50", "Receipt", "number", "thanks", "cash")]
CROPS = [sample.image for sample in SAMPLES]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    image = np.full((400, 600), 255, np.uint8)
    for row in range(8):
        cv2.putText(image, f"Line number {row} of a page", (30, 50 + 40 * row), 0, 0.9, 0, 2, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("pages") / "page.png"
    cv2.imwrite(str(path), image)
    return path


def run(*args):
    return CliRunner().invoke(cli.main, ["benchmark", *map(str, args)])


def test_latency_is_of_every_word_after_a_warm_up():
    calls = []

    def read(crops):
        time.sleep(0.03 if calls and len(calls) % 3 == 1 else 0.002)  # of three batches one is slow
        calls.append(len(crops))

    found = speed.latency(read, list(range(24)), batch=8, repeats=2)
    assert calls == [8] * 9
    assert 2 / 8 <= found["ms_p50"] < 30 / 8 <= found["ms_p99"]
    assert 0 < found["words_per_second"] <= 24 / 0.034
    assert found["cpu_ms"] < found["ms_p50"]  # asleep, it computes nothing


def test_the_last_batch_may_be_smaller():
    sizes = []
    speed.latency(lambda crops: sizes.append(len(crops)), list(range(10)), batch=4, repeats=1)
    assert sizes == [4, 4, 2] * 2


def test_steps_are_told_apart():
    found = speed.steps(find_model(None), CROPS * 4)
    assert list(found) == ["crops to batches", "network", "outputs to texts"]
    assert found["network"] > found["crops to batches"] > 0


class Sleepy:
    """An engine that knows the words, and takes its time."""

    version = "1"

    def __init__(self, name, seconds):
        self.name, self.seconds, self.calls = name, seconds, 0

    def recognize(self, crops):
        self.calls += 1
        time.sleep(self.seconds)
        sum(range(int(1e7 * self.seconds)))
        return [sample.text for sample in SAMPLES][: len(crops)]


def test_engines_take_turns_and_are_compared_with_the_first():
    engines = [Sleepy("quick", 0.02), Sleepy("slow", 0.2)]
    quick, slow = speed.beside(engines, SAMPLES, repeats=2)
    assert [engine.calls for engine in engines] == [3, 3]
    assert (quick["engine"], quick["exact"], quick["cpu_times_first"]) == ("quick", 1, 1)
    assert 200 / len(SAMPLES) <= slow["fastest"] <= slow["ms_per_word"] <= slow["slowest"]
    assert slow["cpu_times_first"] > 2


def test_processes_read_together_and_their_errors_come_back(tmp_path):
    assert speed.words_per_second(find_model(None), CROPS, processes=2, threads=1, seconds=0.1) > 0
    with pytest.raises(BadModel, match="There is no model"):
        speed.words_per_second(tmp_path, CROPS, processes=1, threads=1, seconds=0.1)


def test_a_larger_batch_does_more_with_the_weights_it_loads():
    one, many = (machine.load("fast", 120, batch) for batch in (1, 64))
    assert many.flops == 64 * one.flops == 128 * cost("fast", 120).macs
    assert 64 * one.bytes > many.bytes > one.bytes > 4 * cost("fast", 120).parameters
    assert many.intensity > 2 * one.intensity


def test_peaks_are_those_of_a_processor():
    found = machine.peaks()
    assert 0.1 < found.gflops < 10_000
    assert 0.1 < found.gb_per_second < 10_000


def test_starts_are_measured_in_fresh_processes(page, record_property):
    python, kit, first = machine.starts(page, repeats=1)
    assert [row.what for row in (python, kit, first)] == list(machine.STARTS)
    assert python.cpu_seconds < first.cpu_seconds < first.seconds * (os.cpu_count() or 1) + 0.1
    assert python.peak_mb < first.peak_mb
    record_property("measured", f"import ocrkit {kit.cpu_seconds:.2f} s, first page {first.cpu_seconds:.2f} s of CPU")


def test_a_page_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(OcrkitError, match="There is no file"):
        machine.starts(tmp_path / "none.png", repeats=1)


def soaked(read: str, pages: int, *files) -> list[float]:
    """Growth and slowdown of `read`, in a process of its own: what earlier tests hold would hide a leak."""
    program = (
        "import sys, pathlib, numpy, ocrkit\n"
        "from ocrkit.benchmark.soak import soak\n"
        f"{read}\n"
        f"found = soak(read, [pathlib.Path(name) for name in sys.argv[1:]], {pages}, lambda _: None)\n"
        "print(found.growth, found.slowdown)"
    )
    done = subprocess.run([sys.executable, "-c", program, *files], capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


def test_many_pages_leave_memory_as_it_was(page, record_property):
    growth, _ = soaked("read = ocrkit.Reader(threads=1).read", 200, page)
    record_property("measured", f"memory after 200 pages: {growth:+.1%} of that after {WARM_UP}")
    assert growth < 0.05


def test_a_leak_and_a_slowdown_are_seen():
    leaky = (
        "held = []\n"
        "def read(path):\n"
        "    held.append(numpy.ones(1 << 18))  # 2 MB a page\n"
        "    sum(range(20_000 + 2_000 * len(held)))"
    )
    growth, slowdown = soaked(leaky, 2 * WARM_UP, "a", "b")
    assert growth > 0.2
    assert slowdown > 0.05


def test_growth_and_slowdown_are_of_the_same_pages():
    memory = np.concatenate([np.linspace(50, 100, WARM_UP), np.full(50, 103.0)])
    seconds = np.tile([1.0, 5.0], 50)
    seconds[50:] *= 1.1
    found = Soak(memory, seconds, period=2)
    assert (found.growth, found.slowdown) == (pytest.approx(0.03), pytest.approx(0.1))


def test_int8_is_compared_way_by_way(tmp_path):
    models = precision.quantised(find_model(None), CROPS, tmp_path)
    rows = precision.precision_rows(models, {"drawn": SAMPLES}, repeats=1)
    ways = [row["way"] for row in rows]
    assert ways[:7] == list(precision.WAYS)[:7]
    assert (rows[0]["ratio"], rows[0]["drawn_gain"], rows[0]["drawn_gain_high"]) == (1, 0, 0)
    for row in rows:
        assert 0 <= row["drawn"] <= 1
        assert row["words_per_second"] > 0
        assert row["ratio"] > 0
        assert row["drawn_gain_low"] <= row["drawn_gain"] <= row["drawn_gain_high"]
    assert precision.int8_gain(side=64, repeats=2) > 0

    parts = precision.part_rows(models, CROPS, repeats=1)
    assert [row["way"] for row in parts] == ways[:7]
    assert all(row[part] > 0 for row in parts for part in ("convolutions", "lstms", "outputs", "rest"))


@pytest.mark.parametrize(("gain", "most"), [(1.0, 1.0), (2.0, 10 / 5.5), (1e9, 10.0)])
def test_what_is_no_product_bounds_the_gain_of_int8(gain, most):
    parts = {"way": "float32", "convolutions": 4.0, "lstms": 4.0, "outputs": 1.0, "rest": 1.0}
    assert precision.most_gain(parts, gain) == pytest.approx(most)


@pytest.fixture
def words(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    for number, sample in enumerate(SAMPLES):
        cv2.imwrite(str(folder / f"{number}.png"), sample.image)
    (folder / "labels.csv").write_text("file,text\n" + "".join(f"{i}.png,{s.text}\n" for i, s in enumerate(SAMPLES)))
    return folder


def test_the_verb_prints_a_table(words, page):
    done = run("runtimes", words, "--form", "crops", "--runtimes", "onnxruntime", "--batches", "1,4", "--repeats", 1)
    assert done.exit_code == 0, done.output
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["runtime", "batch"],
        ["onnxruntime", "1"],
        ["onnxruntime", "4"],
    ]
    done = run("engines", words, "--form", "crops", "--engines", "ours", "--repeats", 2)
    assert done.stdout.splitlines()[-1].split()[0] == "ours"
    done = run("soak", page.parent, "--pages", WARM_UP + 10)
    assert "Memory after 50 pages grew by" in done.stdout


def test_a_ranking_is_judged_by_other_documents_words_and_written(tmp_path):
    texts = ("Total", "12.50", "Receipt", "thanks", "No.", "24/11/87", "(copy)", "don't", "street", "1,250.00")
    blurred = [cv2.GaussianBlur(drawn(text), None, 2.5 + place / 10) for place in range(6) for text in texts]
    (tmp_path / "words").mkdir()
    rows = ["file,text,document"]
    for number, image in enumerate(blurred):
        cv2.imwrite(str(tmp_path / "words" / f"{number}.png"), image)
        rows.append(f'{number}.png,"{texts[number % len(texts)]}",page {number // len(texts)}')
    (tmp_path / "words/labels.csv").write_text("\n".join(rows))
    real = ("--real", tmp_path / "words", "crops", "all")
    done = run("ranking", *real, "--synthetic", 40, "-o", tmp_path / "ranking.json")
    assert done.exit_code == 0, done.output
    (row,) = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("words ")]
    assert row[1] == str(len(blurred))
    assert 10 < int(row[2]) <= len(blurred)
    written = json.loads((tmp_path / "ranking.json").read_text())
    assert written["fitted_on"] == {"words": len(blurred), "invented": 40}
    assert set(written["weights"]) == set(FEATURES)


def test_bad_input_is_one_sentence(words, tmp_path):
    (tmp_path / "empty").mkdir()
    crops = (words, "--form", "crops")
    for args, sentence in (
        (("runtimes", *crops, "--runtimes", "abacus"), "There is no runtime 'abacus'"),
        (("runtimes", *crops, "--batches", "many"), "'many' is no list of whole numbers such as 1,8,64."),
        (("runtimes", *crops, "--model", "nowhere"), "There is no model 'nowhere'"),
        (("engines", *crops, "--engines", "abacus"), "There is no engine 'abacus'"),
        (("soak", tmp_path / "empty"), "holds no picture or PDF."),
        (("ranking", "--real", words, "crops", "all", "--model", "nowhere"), "There is no model 'nowhere'"),
        (("soak", words, "--pages", 10), "10 is not in the range x>=51"),
    ):
        done = run(*args)
        assert done.exit_code == 2
        assert sentence in done.stderr


# --- training ---


def test_builds_train_side_by_side_for_equal_processor_time(monkeypatch, tmp_path):
    turns = []
    monkeypatch.setattr(training, "_ROUND_WORDS", 32)
    monkeypatch.setattr(training, "_speed", lambda trainer: {True: 96.0, False: 64.0}[trainer.options.fused])
    monkeypatch.setattr(training, "WordGenerator", lambda *_: SimpleNamespace(samples=endless(SAMPLES, 1)))
    builds = [training.Build.parse(text) for text in ("nano/keras/text", "nano/fused/print")]
    materials = SimpleNamespace(vocabulary=None, verdicts=None)
    options = TrainOptions(batch_size=8)
    rows = training.side_by_side(builds, materials, {"drawn": SAMPLES}, 1.0, options, turns.append)
    assert [(row.build, row.words) for row in rows] == [("nano/keras/text", 64), ("nano/fused/print", 96)]
    assert turns == [32] * 5
    for row in rows:
        assert row.words_per_cpu_s == pytest.approx(row.words / row.cpu_s)
        assert 0 <= row.right["drawn"] <= 1


@pytest.mark.parametrize("text", ["fast", "fast/fused", "huge/fused/print", "fast/onednn/print", "fast/fused/wide"])
def test_a_build_of_another_form_is_told_in_a_sentence(text):
    with pytest.raises(BadParams, match=r"no build; the form is nano\|lean\|fast.*/keras\|fused/print\|text"):
        training.Build.parse(text)
