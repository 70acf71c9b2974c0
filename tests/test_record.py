import pytest

from ocrkit.errors import BadDataset
from ocrkit.record import Record, Step, load_record, load_steps, save_steps

RECORD = Record("train nano", {"words": 9, "fonts": ["packages"]}, {"stage": "train"}, {"fonts": "0" * 32})


def test_what_is_written_is_read_again(tmp_path):
    steps = [Step(8, 1.5, {"loss": 2.0}), Step(16, 2.5, {"loss": 1.0, "swa": 0.5})]
    RECORD.save(tmp_path / "new")
    save_steps(tmp_path / "new", steps)
    assert load_record(tmp_path / "new") == RECORD
    assert load_steps(tmp_path / "new") == steps


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no record"),
        ("{", "holds no record"),
        ("[]", "holds no record"),
        ('{"format": 1, "name": "x"}', "holds no record"),
        ('{"format": 9}', "another version"),
    ],
)
def test_what_is_no_record_is_said(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(BadDataset, match=sentence):
        load_record(tmp_path)


def test_damaged_steps_are_said(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(BadDataset, match=r"metrics\.jsonl is damaged"):
        load_steps(tmp_path)
