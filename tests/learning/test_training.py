import io
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import ocrkit.cli.train as train_verb
from ocrkit.cli import main
from ocrkit.learning.trainer import Progress, TrainOptions
from ocrkit.learning.training import kept_materials
from ocrkit.recognition.model import alphabet_of, read_card
from ocrkit.record import load_record, load_steps


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def stopped_and_resumed(tmp_path_factory):
    """A training in two calls: its folder, what each said, and the record of the run after the first."""
    folder = tmp_path_factory.mktemp("train") / "tiny"
    options = ["--size", "nano", "--words", 9000, "--workers", 0, "--batch-size", 256]
    first = run(folder, *options, "--until", 100)
    assert not (folder / "model").exists(), first.output
    begun = load_record(folder / "record")
    return folder, first, begun, run(folder, *options, "--resume")


@pytest.fixture
def folder(stopped_and_resumed):
    """Of a training that has ended."""
    return stopped_and_resumed[0]


def test_training_stops_and_goes_on_and_ends_with_a_model(stopped_and_resumed):
    folder, first, begun, second = stopped_and_resumed
    assert first.exit_code == 0, first.output
    assert "--resume goes on" in first.output
    assert begun.status == "RUNNING"
    assert second.exit_code == 0, second.output
    card = read_card(folder / "model")
    assert card["trained_on"] == "synthetic words only"
    assert [row[0] for row in card["curve"]] == [8192, 9000]
    assert card["word_options"]["fonts"]["split"] == "train"
    record = load_record(folder / "record")
    assert (record.id, record.status, record.params["batch_size"]) == (begun.id, "FINISHED", 256)
    assert record.inputs.keys() == {"vocabulary", "fonts", "beginning"}
    steps = load_steps(folder / "record")
    assert [step.step for step in steps] == [8192, 9000]
    assert steps[-1].metrics.keys() == {"loss", "learning_rate", "words_per_second", "swa"}
    errors = json.loads((folder / "record" / "tables" / "errors.json").read_text())
    assert record.metrics["swa"] == pytest.approx(1 - len(errors["truth"]) / 500)
    assert (folder / "record" / "artifacts" / "readings.png").exists()


def test_only_a_resumed_training_takes_the_words_that_are_there(vocabulary, tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.synth.corpus.build_vocabulary", lambda books, seed: vocabulary)
    monkeypatch.setattr("ocrkit.synth.fonts.audit", lambda folders: [])
    kept = tmp_path / "vocabulary.json", tmp_path / "fonts.json"
    earlier = replace(vocabulary, words=("earlier",))
    for resume, words in ((False, vocabulary.words), (True, ("earlier",))):
        earlier.save(kept[0])
        assert kept_materials(*kept, None, (), 7, resume)[0].words == words


def test_a_loaded_model_learns_the_characters_it_lacks(folder, tmp_path):
    small = ["--size", "nano", "--words", 96, "--validation-words", 32, "--workers", 0]
    letters = "abcdefghijklmnopqrstuvwxyz0123.,"
    (tmp_path / "few.txt").write_text("abc\n$€Ж\n")
    new = run(tmp_path / "new", *small, "--load", folder / "model", "--alphabet", "new", "--characters", letters)
    assert new.exit_code == 0, new.output
    card = read_card(tmp_path / "new" / "model")
    assert (card["alphabet"], card["began_with"]["name"]) == (letters, "model")
    asked = [*small, "--load", tmp_path / "new" / "model", "--characters", f"@{tmp_path / 'few.txt'}"]
    refused = run(tmp_path / "refused", *asked)
    assert refused.exit_code == 2
    assert "does not know ' $Ж€'" in refused.output
    union = run(tmp_path / "union", *asked, "--alphabet", "union")
    assert union.exit_code == 0, union.output
    assert "No invented word holds 'Ж'" in union.output
    assert alphabet_of(tmp_path / "union" / "model").characters == f"{letters} $Ж€"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch, capsys, terminal):
    stderr = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    trainer = SimpleNamespace(options=TrainOptions(words=2000), words=500)
    with train_verb._shown(trainer) as (show, on_batch):
        on_batch(800, 3.25)
        show(Progress(1000, 2.5, 1e-3, 100.0, 0.625))
    lines, bar = capsys.readouterr().out, stderr.getvalue()
    if terminal:
        assert "1000/2000" in bar
        assert "SWA=0.625, loss=2.500" in bar
        assert lines == ""
    else:
        assert lines == "      1,000 of 2,000 words, loss 2.500, SWA 0.625, 100 words/s, 0 min left\n"
        assert bar == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--words", "10"], "holds a training already"),
        (["--resume", "--load", "x"], "give one of them"),
        (["--resume", "--words", "9000", "--batch-size", "7", "--size", "nano"], "another batch_size"),
        (["--load", "nowhere", "--fonts", "packages"], "holds a training already"),
        (["--resume", "--characters", "abc"], "give one of them"),
        (["--alphabet", "union", "--characters", "abc"], "the model of --load"),
    ],
)
def test_what_cannot_be_meant_is_said(folder, arguments, sentence):
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert sentence in result.output


def test_characters_that_cannot_be_read_are_said(tmp_path):
    result = run(tmp_path / "new", "--characters", f"@{tmp_path / 'nowhere.txt'}")
    assert result.exit_code == 2
    assert "nowhere.txt cannot be read" in result.output


def test_resuming_nothing_is_said(tmp_path):
    result = run(tmp_path / "new", "--resume", "--size", "nano")
    assert result.exit_code == 2
    assert "no training to go on with" in result.output
