"""`ocrkit evaluate`: how well a model reads invented words of unseen fonts, and labelled real ones."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from ocrkit.datasets import Sample, funsd_protocol_label, half_of, load_pages, word_samples
from ocrkit.datasets.forms import PAGE_FORMS
from ocrkit.errors import BadDataset, BadParams
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.report import interval, png, reliability_diagram, report_markdown, worst_sheet
from ocrkit.learning.scoring import Evaluation, evaluate
from ocrkit.recognition import Guess, Recognizer, load_recognizer
from ocrkit.recognition.model import find_model
from ocrkit.recognition.recognizer import DECODERS, recognize_turned
from ocrkit.synth.corpus import Vocabulary, build_vocabulary
from ocrkit.synth.fonts import FontVerdict, audit, font_folders, load_verdicts
from ocrkit.synth.generator import WordGenerator, WordOptions, validation_options


@dataclass(frozen=True)
class Materials:
    """What invented words are made of."""

    vocabulary: Vocabulary
    verdicts: list[FontVerdict]

    @classmethod
    def of_training(cls, folder: Path, fonts: Sequence[str] = ("packages",)) -> Materials:
        """Those kept in the folder of a training; built from installed packages where there are none.

        Raises:
            MissingExtra: the packages are not installed.
            BadDataset: what is kept is damaged, or there is no font.
        """
        words, kept = folder / "vocabulary.json", folder / "fonts.json"
        return cls(
            Vocabulary.load(words) if words.exists() else build_vocabulary(),
            load_verdicts(kept) if kept.exists() else audit(font_folders(fonts)),
        )

    def font_sources(self) -> dict[str, int]:
        """How many usable families came from Python packages, the system and other folders."""
        places = {"/site-packages/": "Python packages", "/usr/": "the system"}
        families = {
            (next((name for part, name in places.items() if part in v.path), "Fontsource or other folders"), v.family)
            for v in self.verdicts
            if not v.fault
        }
        return dict(Counter(source for source, _ in sorted(families)))

    def words(self, number: int, split: str) -> list[Sample]:
        """Words with all distortions, set in the families of `split`: the same for every model."""
        return list(
            WordGenerator(self.vocabulary, self.verdicts, validation_options(WordOptions(), split)).samples(0, number)
        )


def real_words(folder: Path, form: str, half: str | None = None) -> list[Sample]:
    """Labelled words of real pages, or of lines that are one word, under the protocol of docTR's published figures.

    Args:
        folder: of the pages.
        form: one of `PAGE_FORMS`.
        half: only `tune` or `report`; see `half_of`.

    Raises:
        BadDataset: nothing there to read.
    """
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))]
    pages = [replace(page, words=page.words or page.lines) for page in pages]
    samples = list(word_samples(pages, label=funsd_protocol_label))
    if not samples:
        raise BadDataset(f"{folder} holds no labelled word that could be read.")
    return samples


def read_samples(recognizer: Recognizer, samples: Sequence[Sample]) -> tuple[list[Guess], Evaluation]:
    """What was read in `samples`, and how good it is; by font class where the source tells it."""
    guesses = recognize_turned(recognizer.recognize, [sample.image for sample in samples])
    # The generator writes the class behind its own name; crops without text have none, nor have real words.
    kinds = [sample.source.partition("/")[2] or "none" for sample in samples]
    attributes = {"font": kinds} if set(kinds) != {"none"} else {}
    return guesses, evaluate([sample.text for sample in samples], guesses, attributes)


def as_json(evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """For files and cards: plain values, `None` in place of `nan`."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return {name: plain(asdict(evaluation)) for name, evaluation in evaluations.items()}


def write_report(
    folder: Path, model: str, sets: Mapping[str, Sequence[Sample]], recognizer: Recognizer
) -> dict[str, Evaluation]:
    """Read all `sets` and write `report.json`, `report.md`, `reliability.png` and `worst.png` into `folder`."""
    evaluations, errors = {}, []
    for name, samples in sets.items():
        guesses, evaluations[name] = read_samples(recognizer, samples)
        errors += [(samples[row], guesses[row]) for row in evaluations[name].worst]
    make_folder(folder)
    write_whole(folder / "report.json", json.dumps(as_json(evaluations), indent=1, ensure_ascii=False) + "\n")
    write_whole(folder / "report.md", report_markdown(model, evaluations))
    write_whole(folder / "reliability.png", png(reliability_diagram(evaluations)))
    errors.sort(key=lambda error: -error[1].confidence)
    write_whole(folder / "worst.png", png(worst_sheet(errors)))
    return evaluations


def echo_scores(evaluations: Mapping[str, Evaluation]) -> None:
    """Print a short table."""
    click.echo(f"{'set':<20} {'words':>7}  {'exact':<24} {'caseless':<24} {'CER':>6} {'ECE':>6}")
    for name, e in evaluations.items():
        t = e.total
        shares = f"{interval(t.exact):<24} {interval(t.caseless):<24}"
        click.echo(f"{name:<20} {t.words:>7,}  {shares} {t.cer.value:>6.3f} {e.calibration_error:>6.3f}")


@click.command("evaluate")
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--form", type=click.Choice(sorted(PAGE_FORMS)), help="The form FOLDER is in.")
@click.option("--half", type=click.Choice(["tune", "report"]), help="Only half of FOLDER's pages, chosen by a hash.")
@click.option("--synthetic", type=click.IntRange(min=1), help="So many invented words of unseen fonts.")
@click.option("--fonts", multiple=True, default=("packages",), help="packages, system or a folder; may be repeated.")
@click.option("--decoder", type=click.Choice(DECODERS), default=DECODERS[0], show_default=True)
@click.option(
    "--lexicon",
    type=click.Path(path_type=Path),
    help="Words, one a line, to prefer. Default: the model's.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the report.")
def evaluate_verb(
    *,
    model: str,
    folder: Path | None,
    form: str | None,
    half: str | None,
    synthetic: int | None,
    fonts: tuple[str, ...],
    decoder: str,
    lexicon: Path | None,
    output: Path,
) -> None:
    """Say how well MODEL, a released name or a model's folder, reads the words of FOLDER or invented ones."""
    if bool(folder) != bool(form):
        raise BadParams("FOLDER and --form belong together: give both or neither.")
    if not folder and not synthetic:
        raise BadParams("There is nothing to read: give a FOLDER with its --form, or --synthetic with a number.")
    words = _lexicon(lexicon) if lexicon else None
    recognizer = load_recognizer(model, decoder=decoder, lexicon=words)
    sets: dict[str, list[Sample]] = {}
    if synthetic:
        sets["synthetic"] = Materials.of_training(find_model(model).parent, fonts).words(synthetic, "test")
    if folder and form:
        sets[" ".join(filter(None, (folder.resolve().name, half)))] = real_words(folder, form, half)
    echo_scores(write_report(output, recognizer.name, sets, recognizer))
    click.echo(f"Written: {output}")


def _lexicon(path: Path) -> Any:
    from ocrkit.recognition.beam import Lexicon

    try:
        return Lexicon(path.read_text("utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise BadParams(f"{path} is no list of words in UTF-8: {error}.") from None
