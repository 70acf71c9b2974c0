import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.recognition.release import read_card


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("train") / "tiny"


def test_training_stops_and_goes_on_and_ends_with_a_model(folder):
    first = run(folder, "--size", "nano", "--words", 9000, "--until", 100, "--workers", 0, "--batch-size", 256)
    assert first.exit_code == 0, first.output
    assert "--resume goes on" in first.output
    assert not (folder / "model").exists()
    second = run(folder, "--size", "nano", "--words", 9000, "--workers", 0, "--batch-size", 256, "--resume")
    assert second.exit_code == 0, second.output
    card = read_card(folder / "model")
    assert card["trained_on"] == "synthetic words only"
    assert [row[0] for row in card["curve"]] == [8192, 9000]
    assert card["word_options"]["fonts"]["split"] == "train"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--words", "10"], "holds a training already"),
        (["--resume", "--load", "x"], "give one of them"),
        (["--resume", "--words", "9000", "--batch-size", "7", "--size", "nano"], "another batch_size"),
        (["--load", "nowhere", "--fonts", "packages"], "holds a training already"),
    ],
)
def test_what_cannot_be_meant_is_said(folder, arguments, sentence):
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert sentence in result.output


def test_resuming_nothing_is_said(tmp_path):
    result = run(tmp_path / "new", "--resume", "--size", "nano")
    assert result.exit_code == 2
    assert "no training to go on with" in result.output
