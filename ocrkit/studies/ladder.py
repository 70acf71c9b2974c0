"""The original's six improvements one after the other, as notebook 80 climbs them.

Each rung trains a network of the same size from the same seed on equally many invented words, made with one more
improvement than those of the rung below, and all rungs read the same test words. Order and first version are those of
Dropbox, "Creating a Modern OCR Pipeline Using Computer Vision and Deep Learning" (2017).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ocrkit.datasets import Sample, book_page, funsd_protocol_label, half_of, load_pages, word_samples
from ocrkit.errors import BadDataset
from ocrkit.experiment import params, paths, track
from ocrkit.files import make_folder
from ocrkit.learning.trainer import Progress, Trainer, TrainOptions, read_all
from ocrkit.metrics import Interval, bootstrap_interval, correct_words
from ocrkit.studies.sections import Folder, Ladder
from ocrkit.synth.corpus import build_vocabulary
from ocrkit.synth.engine import Recipe
from ocrkit.synth.fonts import audit, font_folders, load_verdicts, save_verdicts
from ocrkit.synth.generator import SWITCHES, WordOptions, validation_options

# Each rung by the switch that it turns on: its name, and what it is about.
RUNGS = {
    "": ("First version", "Words of books and vocabularies, every readable font equally often, tilt, underline, blur."),
    "receipts": ("Receipts and products", "Product lines, prices, dates, codes and labels, as documents hold them."),
    "thermal": ("Thermal fonts", "The faces of tills and matrix printers, whose letters fall into dots."),
    "by-frequency": ("Fonts by frequency, audited", "The most used fonts most often, those with wrong glyphs never."),
    "negatives": ("Crops without text", "Surfaces, rules and specks that are to be read as nothing."),
    "symbol-boost": (
        "Rare symbols boosted",
        "Texts with the symbols that running text seldom has.",
    ),
    "warps": (
        "Warps, shadows, creases",
        "These and all other distortions of print, light and camera.",
    ),
}


@dataclass(frozen=True)
class Test:
    """Words that every rung reads; `caseless` where the labels' case is not that of the print."""

    samples: Sequence[Sample]
    caseless: bool = False

    def score(self, texts: Sequence[str]) -> Interval:
        """Share of words read right, with its 95 % interval."""
        return bootstrap_interval(correct_words([s.text for s in self.samples], texts, self.caseless))

    @property
    def digest(self) -> str:
        """Equal for equal pictures and labels."""
        whole = hashlib.sha256()
        for sample in self.samples:
            whole.update(repr((sample.image.shape, sample.text)).encode() + sample.image.tobytes())
        return whole.hexdigest()


def rungs(options: Ladder) -> dict[str, Ladder]:
    """The options of each rung by its name, the first version first; the last one has all of `options`."""
    made = {}
    for number, switch in enumerate(RUNGS):
        rung = options
        for later in list(RUNGS)[number + 1 :]:
            rung = SWITCHES[later](rung)  # type: ignore[assignment]  # it replaces values, whatever the class is
        made[f"{number}. {RUNGS[switch][0]}"] = rung
    return made


def climb(options: Ladder, whole: track.Run) -> dict[str, Any]:
    """Train and test all rungs, and record them in MLflow as parts of the run `whole`.

    What was trained stays in `ladder` of the scratch folder: an interrupted ladder goes on at the last round, and a
    rung whose words and options are the same as before is tested only.

    Returns:
        For files: `commit`, whether there were changes since (`None` where git cannot say), `params`, the number of
        `font_families`, the `tests` with their sizes and digests, and the `rungs` with their scores by test.

    Raises:
        OcrkitError: no usable font or word, or folders that cannot be read.
    """
    work = make_folder(paths.scratch() / "ladder")
    recipe = _recipe(options, work)
    tests = _tests(options, recipe)
    validation = list(_held_out(recipe, "val").generator().samples(0, options.validation_words))

    tags = whole.client.get_run(whole.id).data.tags
    overridden = tags["overridden"] == "true"
    rows = []
    for (name, rung), (_, story) in zip(rungs(options).items(), RUNGS.values()):
        run = track.start("ladder", rung, overridden, name, parent=whole)
        words = replace(recipe, options=rung.options(WordOptions))
        network, trainer = _trained(run, words, rung.options(TrainOptions), validation, work)
        scores = {}
        for test, its in tests.items():
            score = its.score(read_all(network, trainer.alphabet, [sample.image for sample in its.samples]))
            scores[test] = {key: round(value, 4) for key, value in asdict(score).items()}
        run.log_metrics(_metrics(scores))
        run.describe(f"{story}\n\nRead right: {_told(scores)}.")
        run.client.set_tag(run.id, "words.digest", words.digest)
        run.close("FINISHED")
        rows.append({"name": name, "story": story, "words_digest": words.digest, "scores": scores})
        print(f"{name}: {_told(scores)}", flush=True)

    whole.log_metrics(_metrics(scores))
    values = params.flatten(options)
    for name in ("folders", "books"):  # where they lie on this machine says nothing: the digests do
        del values[name]
    return {
        "commit": tags["mlflow.source.git.commit"],
        "changed_since": {"true": True, "false": False}.get(tags["git.dirty"]),
        "params": values,
        "font_families": len(recipe.generator().catalogue.families),
        "tests": {name: {"words": len(test.samples), "digest": test.digest} for name, test in tests.items()},
        "rungs": rows,
    }


def as_csv(results: Mapping[str, Any]) -> str:
    """The results of `climb` as a table, a row a rung and test, each with what leads back to its words and code."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rung", "test", "value", "low", "high", "words", "test_digest", "words_digest", "commit"])
    for rung in results["rungs"]:
        for test, its in results["tests"].items():
            scores = [rung["scores"][test][key] for key in ("value", "low", "high")]
            digests = [its["digest"], rung["words_digest"], results["commit"]]
            writer.writerow([rung["name"], test, *scores, its["words"], *digests])
    return text.getvalue()


def _recipe(options: Ladder, work: Path) -> Recipe:
    """The words of the last rung; the fonts' audit is kept in `work`."""
    kept = work / "fonts.json"
    verdicts = audit(font_folders(options.fonts.sources), load_verdicts(kept) if kept.exists() else ())
    save_verdicts(verdicts, kept)
    vocabulary = build_vocabulary(Path(options.books) if options.books else None, seed=options.seed)
    return Recipe(vocabulary, tuple(verdicts), options.options(WordOptions))


def _held_out(recipe: Recipe, split: str, negatives: float = 0.0) -> Recipe:
    return replace(recipe, options=replace(validation_options(recipe.options, split), negatives=negatives))


def _tests(options: Ladder, recipe: Recipe) -> dict[str, Test]:
    """Invented words in unseen fonts, crops without text, and real words, by name."""
    invented = {"Invented words in unseen fonts": 0.0, "Crops without text": 1.0}
    tests = {
        name: Test(list(_held_out(recipe, "test", negatives).generator().samples(0, options.test_words)))
        for name, negatives in invented.items()
    }
    for folder in options.folders:
        samples = list(_real_words(folder))
        if not samples:
            raise BadDataset(f"{folder.path} holds no single word on the pages of its tune half.")
        caseless = folder.form == "sroie"  # its transcripts are in capitals, whatever the print is
        tests[f"{samples[0].source} words{' without case' if caseless else ''}"] = Test(samples, caseless)
    if not options.folders:
        tests["Book page"] = Test(list(word_samples([book_page()], label=funsd_protocol_label)))
    return tests


def _real_words(folder: Folder) -> Iterable[Sample]:
    """Single words of the pages that rules may be tuned on; of pages labelled by line, the lines of one word."""
    pages = (page for page in load_pages(folder.path, folder.form) if half_of(page.id) == "tune")
    return word_samples((replace(page, words=page.readable) for page in pages), label=funsd_protocol_label)


def _trained(
    run: track.Run, words: Recipe, options: TrainOptions, validation: Sequence[Sample], work: Path
) -> tuple[Any, Trainer]:
    """The network after the last word; a training that `work` holds is gone on with."""
    key = hashlib.sha256(json.dumps([words.digest, asdict(options)]).encode()).hexdigest()[:16]
    trainer = Trainer(words.generator().samples, validation, options, work / key)

    def report(progress: Progress) -> None:
        swa = {} if progress.swa is None else {"word_accuracy": progress.swa}
        print(f"{run.name}: {progress.words:,} of {options.words:,} words, loss {progress.loss:.2f}", flush=True)
        run.log_metrics({"loss": progress.loss, "words_per_second": progress.words_per_second, **swa}, progress.words)

    trainer.resume()
    for progress in trainer.history:
        report(progress)
    trainer.run(report)
    return trainer.finished(best=False), trainer


def _metrics(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    """The scores by names that MLflow takes."""
    return {re.sub(r"[^\w .:/-]", "_", test): its for test, its in scores.items()}


def _told(scores: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(f"{test} {s['value']:.1%} ({s['low']:.1%} to {s['high']:.1%})" for test, s in scores.items())
