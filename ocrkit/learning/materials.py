"""What a model is judged by: invented words of unseen fonts, and labelled real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocrkit.datasets import Sample, funsd_protocol_label, half_of, load_pages, word_samples
from ocrkit.errors import BadDataset
from ocrkit.privacy import check_documents
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
        PrivateData: donated pages of too few documents to tell anything of.
    """
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))]
    pages = [replace(page, words=page.words or page.lines) for page in pages]
    samples = list(word_samples(pages, label=funsd_protocol_label))
    if not samples:
        raise BadDataset(f"{folder} holds no labelled word that could be read.")
    if any(sample.private for sample in samples):
        check_documents(len({sample.document for sample in samples}), f"The score of {folder}")
    return samples
