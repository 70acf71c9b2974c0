"""params.yaml is read strictly, and mistakes are told in one sentence."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocrkit.errors import BadParams
from ocrkit.experiment import params, paths, run
from ocrkit.studies.sections import SECTIONS
from ocrkit.synth.generator import WordOptions

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Blur:
    """Options as a step of the kit declares them."""

    sigma: float = 1.0


@dataclass(frozen=True)
class Draw:
    """Options that hold others."""

    blur: Blur
    sizes: tuple[int, ...] = (12,)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with this repository's params.yaml and dvc.yaml."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, tmp_path / name)
    # The table of mistakes changes this value, whatever the project's own is.
    values = tmp_path / "params.yaml"
    values.write_text(re.sub(r"^  epochs: \d+ ", "  epochs: 5 ", values.read_text(), count=1, flags=re.MULTILINE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    return tmp_path


def edit(root: Path, old: str, new: str, file: str = "params.yaml") -> None:
    text = (root / file).read_text()
    assert text.count(old) >= 1, old
    (root / file).write_text(text.replace(old, new, 1))


def test_values_of_section_base_profile_and_overrides_are_laid_over_each_other(root):
    default = params.params("train", SECTIONS)
    assert (default.seed, default.profile) == (7, "default")
    smoke = params.params("train", SECTIONS, {"profile": "smoke", "learning_rate": 1})
    assert (smoke.epochs, smoke.learning_rate, smoke.size) == (1, 1.0, default.size)
    assert params.flatten(smoke)["profile"] == "smoke"


def test_of_the_options_of_steps_a_notebook_shows_those_that_are_not_at_their_defaults(root):
    every = len(params.flatten(params.params("assemble", SECTIONS)))
    assert params.shown(params.params("assemble", SECTIONS)) == {
        "seed": 7, "profile": "default", "strict": True, "at their defaults": f"{every - 3} other values",
    }  # fmt: skip
    changed = params.shown(params.params("assemble", SECTIONS, {"detector.cues": ["mser"]}))
    assert changed["detector.cues"] == ("mser",)
    assert changed["at their defaults"] == f"{every - 4} other values"


def test_options_are_frozen(root):
    with pytest.raises(AttributeError):
        params.params("train", SECTIONS).epochs = 3


def test_the_whole_file_is_right_in_every_profile(root):
    params.check_all(SECTIONS)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs: 5 ", "epoch: 6 ", "train knows no 'epoch': did you mean epochs?"),
        ("epochs: 5 ", "epochs: many ", "params.yaml: train.epochs must be a whole number, not 'many'."),
        ("epochs: 5 ", "epochs: 5.5 ", "params.yaml: train.epochs must be a whole number, not 5.5."),
        ("epochs: 5 ", "epochs: true ", "params.yaml: train.epochs must be a whole number, not True."),
        (
            "epochs: 5 ",
            "epochs: 2026-01-01 ",
            "train.epochs is read as a date, 2026-01-01: put it in quotes if it is a text.",
        ),
        ("epochs: 5 ", "# ", "params.yaml: train.epochs is missing."),
        ("epochs: 5 ", "seed: 6\n  epochs: 5 ", "params.yaml: seed belongs to base, not to train."),
        ("size: nano", "words: 9", "train knows no 'words'"),
        ("    foreign: 0.0 ", "    chunk: 1\n    foreign: 0.0 ", "there is no value synthesise.corpus.chunk."),
        ("detector: {} ", "detector: 3 ", "assemble.detector must be a table of names and values, not 3."),
        (
            "folders: [] ",
            "folders: [{path: a, form: sroie, use: both}] ",
            "params.yaml: real.folders.0.use must be 'tune' or 'test', not 'both'.",
        ),
        ("learning_rate: 0.004", "learning_rate: '3'", "params.yaml: train.learning_rate must be a number, not '3'."),
        ("folders: [] ", "folders: here ", "params.yaml: real.folders must be a list, not 'here'."),
        (
            "folders: [] ",
            "folders: [{path: a, form: funsd, use: tune}] ",
            "a: FUNSD is for evaluation only, so its use must be test.",
        ),
        ("seed: 7", "seed: x", "params.yaml: base.seed must be a whole number, not 'x'."),
        (
            "profile: default",
            "profile: hughe",
            "params.yaml: base.profile is 'hughe', but there are default, full, smoke.",
        ),
        ("train:\n", "trian:\n", "params.yaml knows no 'trian': did you mean train?"),
        ("      epochs: 1\n", "      epoch: 1\n", "train knows no 'epoch': did you mean epochs?"),
        ("epochs: 5 ", "epochs: -1 ", "params.yaml: train.epochs must be greater than or equal to 1, not -1."),
        ("ema: 0.99 ", "ema: 1.0 ", "params.yaml: train.ema must be less than 1, not 1.0."),
        (
            "learning_rate: 0.004 ",
            "learning_rate: .nan ",
            "train.learning_rate must be a finite number, not nan.",
        ),
        (
            "learning_rate: 0.004 ",
            "learning_rate: .inf ",
            "train.learning_rate must be a finite number, not inf.",
        ),
        (
            "learning_rate: 0.004 ",
            "learning_rate: 0 ",
            "train.learning_rate must be greater than 0, not 0.",
        ),
        (
            "    tilt: 0.4 ",
            "    tilt: 40 ",
            "synthesise.distortions.tilt must be less than or equal to 1, not 40.",
        ),
        (
            "validation_share: 0.2",
            "validation_share: -0.1",
            "real.validation_share must be greater than or equal to 0,",
        ),
        (
            "synthetic_share: 0.5",
            "synthetic_share: 1.0",
            "finetune.synthetic_share must be less than 1, not 1.0.",
        ),
        ("profile: default", "profile: []", "params.yaml: base.profile is [], but there are default, full, smoke."),
        (
            "books:  ",
            "books: 2026-01-01 # ",
            "synthesise.books is read as a date, 2026-01-01: put it in quotes",
        ),
        ("detector: {} ", "detector: &a {cues: *a} ", "params.yaml: assemble.detector.cues holds itself."),
        (
            "detector: {} ",
            "detector: {1: 2} ",
            "assemble.detector has the name 1, which must be a text: put it in quotes.",
        ),
        ("detector: {} ", "detector: !!set {a} ", "params.yaml: assemble.detector is a set, which no value can be."),
        ("seed: 7", "seed: '7", "params.yaml cannot be read"),
        ("\nreal:\n", "\nreal: 3\nunreal:\n", "params.yaml knows no 'unreal': did you mean real?"),
        ("  smoke:\n    start", "  smoke:\n    strat", "profiles.smoke knows no 'strat': did you mean start?"),
        (
            "    assemble: {}",
            "    assemble: 3",
            "params.yaml: profiles.default.assemble must be a table of names and values, not 3.",
        ),
        ("epochs: 5", "epochs: 5\n  epochs: 6", "params.yaml cannot be read"),
        ("books:  ", 'books: "\\ud800" # ', r"params.yaml: synthesise.books holds half a character: '\ud800'."),
        ("learning_rate: 0.004 ", f"learning_rate: {'x' * 5000} ", "train.learning_rate must be a number, not 'xxx"),
        ("  seed: 7", f"  {'s' * 900}: 7", "base knows no"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(root, old, new, sentence):
    edit(root, old, new)
    with pytest.raises(BadParams) as error:
        params.check_all(SECTIONS)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_nested_options_are_checked_by_the_same_rule():
    assert params.validate(Draw, {"blur": {"sigma": 2}, "sizes": [1, 2]}, "draw") == Draw(Blur(2.0), (1, 2))
    with pytest.raises(BadParams, match=r"there is no value draw\.blur\.sigmma\."):
        params.validate(Draw, {"blur": {"sigmma": 2}}, "draw")
    with pytest.raises(BadParams, match=r"draw\.sizes\.1 must be a whole number, not 'b'\."):
        params.validate(Draw, {"blur": {}, "sizes": [1, "b"]}, "draw")


def test_the_full_profile_draws_words_as_the_generator_does_by_default(root):
    full, default = params.params("synthesise", SECTIONS, {"profile": "full"}), WordOptions()
    assert full.distortions == default.distortions
    assert full.corpus == default.corpus
    assert full.smallest_px == default.smallest_px


def test_an_unknown_section_is_named(root):
    with pytest.raises(BadParams, match=r"params\.yaml knows no 'trane': did you mean train"):
        params.params("trane", SECTIONS)


@pytest.mark.parametrize(
    ("value", "given", "sentence"),
    [
        ("depth: 3", {}, ""),
        ("depth: 3", {"depth": 4}, ""),
        ("depth: 3", {"depth": "deep"}, "mine.depth must be a whole number, not 'deep'"),
        ("depth: 3", {"dept": 4}, "mine knows no 'dept': did you mean depth?"),
        ("share: 0.5", {"share": 1}, ""),
        ("on: true", {"on": 1}, "mine.on must be true or false, not 1"),
        ("sizes: [1, 2]", {"sizes": [1, "b"]}, "mine.sizes.1 must be a whole number, not 'b'"),
        ("folders: []", {"folders": [{"path": "a"}]}, ""),
        ("books: null", {"books": "here"}, ""),
        ("blur: {sigma: 1.0}", {"blur.sigma": "b"}, "mine.blur.sigma must be a number, not 'b'"),
        ("two words: 1", {}, "mine.two words must be named by letters, digits and `_` only"),
    ],
)
def test_a_section_without_a_class_has_values_of_the_types_it_was_given(root, value, given, sentence):
    edit(root, "\npromote:", f"\nmine:\n  {value}\npromote:")
    edit(root, "stages:\n", "stages:\n  mine:\n    cmd: python -m ocrkit.experiment.run mine\n", "dvc.yaml")
    if sentence:
        with pytest.raises(BadParams, match=re.escape(sentence)):
            params.params("mine", SECTIONS, given)
    else:
        assert params.params("mine", SECTIONS, given).seed == 7
        params.check_all(SECTIONS)


def test_overrides_are_read_as_yaml_and_reach_into_nested_options(root):
    given = run.parse_overrides(("epochs=2", "learning_rate=1e-3"))
    assert given == {"epochs": 2, "learning_rate": 0.001}
    assert params.params("train", SECTIONS, given).learning_rate == 0.001
    nested = params.resolve(params.read(root, SECTIONS), "train", {"a.b.c": 1, "a.b.d": 2})[1]
    assert nested["a"] == {"b": {"c": 1, "d": 2}}
    with pytest.raises(BadParams, match="written name=value"):
        run.parse_overrides(("epochs",))
    for value in ("\x7f", "'", "[" * 5000, "!!int x"):
        with pytest.raises(BadParams, match="The value of epochs cannot be read"):
            run.parse_overrides((f"epochs={value}",))


@pytest.mark.parametrize("undeclared", ["base", "train", "profiles.${base.profile}.train"])
def test_the_pipeline_reads_only_what_dvc_yaml_declares(root, monkeypatch, undeclared):
    monkeypatch.setenv("DVC_STAGE", "train")
    params.params("train", SECTIONS)
    declared = "    - base\n    - train\n    - profiles.${base.profile}.train\n"
    edit(root, declared, declared.replace(f"    - {undeclared}\n", ""), "dvc.yaml")
    with pytest.raises(BadParams, match=r"but dvc\.yaml does not declare that"):
        params.params("train", SECTIONS)


def test_the_pipeline_takes_no_overrides_and_no_other_section(root, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train")
    with pytest.raises(BadParams, match="run train without overrides"):
        params.params("train", SECTIONS, {"epochs": 1})
    with pytest.raises(BadParams, match=r"Stage train reads finetune of params\.yaml"):
        params.params("finetune", SECTIONS)


def test_places_are_absolute_wherever_one_stands(root, monkeypatch):
    (root / "notebooks").mkdir()
    monkeypatch.delenv("DVC_ROOT", raising=False)
    seen = set()
    for folder in (root, root / "notebooks"):
        monkeypatch.chdir(folder)
        seen.add((paths.root(), paths.tracking_uri(), paths.artifact_folder()))
    assert seen == {(root, f"sqlite:///{root}/mlflow.db", root / "mlartifacts")}
    monkeypatch.setenv("DVC_ROOT", "/elsewhere")
    assert paths.tracking_uri() == "sqlite:////elsewhere/mlflow.db"
    monkeypatch.chdir("/")
    with pytest.raises(paths.NoProject, match="go to the project's folder first"):
        paths.root()
