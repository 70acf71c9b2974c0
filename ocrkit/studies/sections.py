"""What each section of params.yaml may hold: the values of each stage, and the options of the steps that it takes.

A section that inherits a step's own options takes all of them, with the step's defaults where params.yaml is silent;
what a section adds has no default. A `ClassVar` takes an option away again that the notebook works out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ocrkit.detection import DetectorOptions
from ocrkit.documents.options import ReadOptions
from ocrkit.errors import BadParams
from ocrkit.experiment.params import Base, Sections
from ocrkit.learning.trainer import TrainOptions
from ocrkit.recognition.options import DecodeOptions
from ocrkit.rollout.policy import Policy
from ocrkit.synth.generator import WordOptions
from ocrkit.values import Count, NotNegative, Positive, Share, Within


@dataclass(frozen=True, kw_only=True)
class Start(Base):
    """00_start_here.

    Attributes:
        real_pages: folder of `ocrkit data fetch realpages`.
        page: which of them is read.
    """

    real_pages: str
    page: str


@dataclass(frozen=True, kw_only=True)
class Synthesise(WordOptions, Base):
    """10_synthesise.

    Attributes:
        words: for training.
        validation_words: of held-out font families.
        shard_size: words a file.
        books: folder of plain-text books whose words are used too.
    """

    words: Count
    validation_words: Count
    shard_size: Count
    books: str | None


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of labelled pages, the form of its labels, and whether the net may learn from it."""

    path: str
    form: str
    use: Literal["tune", "test"]

    def __post_init__(self) -> None:
        """FUNSD's forms are what readers are compared on, so nothing here may have seen them."""
        if self.form == "funsd" and self.use == "tune":
            raise BadParams(f"{self.path}: FUNSD is for evaluation only, so its use must be test.")


@dataclass(frozen=True, kw_only=True)
class Real(Base):
    """20_real_data.

    Attributes:
        folders: labelled pages.
        margin: blank around a word, in shares of its height.
        validation_share: of the documents that may be learnt from.
        simulated_pages: drawn by us, where there are no real ones to learn from; at least two.
    """

    folders: tuple[Folder, ...]
    margin: NotNegative
    validation_share: Share
    simulated_pages: Annotated[int, Within(ge=2)]


@dataclass(frozen=True, kw_only=True)
class Label(Base):
    """25_label.

    Attributes:
        jobs: folders that `ocrkit label export --form votes` wrote, to report on.
        words: of data/real/tune, for a job that simulated people answer.
        people: shares of right answers of the simulated people.
        redundancy: of them, who answer each word.
    """

    jobs: tuple[str, ...]
    words: Count
    people: tuple[Share, ...]
    redundancy: Count

    def __post_init__(self) -> None:
        """Nobody answers a word twice."""
        if self.redundancy > len(self.people):
            raise BadParams(f"label.redundancy is {self.redundancy}, more than the {len(self.people)} people.")


@dataclass(frozen=True, kw_only=True)
class Train(TrainOptions, Base):
    """30_train; `epochs` passes over the synthetic words."""

    epochs: Count
    words: ClassVar[None] = None  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class Finetune(TrainOptions, Base):
    """40_finetune.

    Attributes:
        epochs: passes over the real words.
        synthetic_share: of all words seen; of synthetic words alone no number makes a pass over the real ones.
        seeds: runs on all words, that differ by chance only.
        parts: shares of the real words for one more run each: the learning curve.
    """

    epochs: Count
    synthetic_share: Annotated[float, Within(ge=0, lt=1)]
    seeds: Count
    parts: tuple[Annotated[float, Within(gt=0, le=1)], ...]
    words: ClassVar[None] = None  # type: ignore[misc]
    size: ClassVar[None] = None  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class Assemble(Base):
    """50_assemble."""

    detector: DetectorOptions
    decoding: DecodeOptions
    reading: ReadOptions


@dataclass(frozen=True, kw_only=True)
class Benchmark(Base):
    """60_benchmark.

    Attributes:
        words: crops a measurement.
        repeats: measurements.
        runtimes: names; those not installed are left out with a word.
        threads: of a runtime and of an engine.
        engines: names of others to compare with; those not installed are left out with a word.
        soak_pages: read in one process to see that memory stays flat.
    """

    words: Count
    repeats: Count
    runtimes: tuple[str, ...]
    threads: Count
    engines: tuple[str, ...]
    soak_pages: Count


@dataclass(frozen=True, kw_only=True)
class Service(Base):
    """70_service.

    Attributes:
        documents: small ones, drawn by us, that go through the queue.
        jails: that read at once.
        hostile: among the documents, one in so many cannot be read.
        index_pages: simulated, to be searched.
        questions: to the index.
    """

    documents: Count
    jails: Count
    hostile: Count
    index_pages: Count
    questions: Count


@dataclass(frozen=True, kw_only=True)
class Leaderboard(Base):
    """90_leaderboard.

    Attributes:
        engines: names of others to compare with; those not installed are left out with a word.
        timeout_s: seconds that an engine has for a page.
        real_pages: folder of `ocrkit data fetch realpages`, whose pages are compared on besides the book page.
        folders: labelled pages of one's own to compare on too.
    """

    engines: tuple[str, ...]
    timeout_s: Positive
    real_pages: str | None
    folders: tuple[Folder, ...]


@dataclass(frozen=True, kw_only=True)
class Ladder(WordOptions, TrainOptions, Base):
    """80_ladder; the options of words are those of its last rung.

    Attributes:
        words: that the network of each rung sees.
        validation_words: of held-out font families, for the curves.
        test_words: of other held-out families, with all improvements; as many crops without text again.
        books: folder of plain-text books whose words are used too.
        folders: labelled pages to test on, of which the half is read that rules are tuned on; else the book page.
    """

    validation_words: Count
    test_words: Count
    books: str | None
    folders: tuple[Folder, ...]


@dataclass(frozen=True, kw_only=True)
class Promote(Base):
    """`ocrkit promote`, which is no stage: the gate between challenger and champion, all on real pages.

    Attributes:
        pages: the least that decide anything.
        gain: in F1 overall, that the 95 % interval of the challenger's gain must exceed as a whole.
        loss: in F1 on any category, beyond which its interval must not lie as a whole.
        slower: the most that its time a page may be, in times the champion's.
    """

    pages: Count
    gain: float
    loss: NotNegative
    slower: Positive


@dataclass(frozen=True, kw_only=True)
class Vault(Base):
    """`ocrkit vault`, which is no stage: what becomes of models that learnt from withdrawn documents.

    Attributes:
        folder: of the vault that the project's models learn from.
        retire_days: within which such a model is no champion any more.
    """

    folder: str
    retire_days: Count


@dataclass(frozen=True, kw_only=True)
class Rollout(Base):
    """`ocrkit rollout`, and 95_rollout, which replays made-up traffic by its policy.

    Attributes:
        policy: how a challenger comes to everybody, and back.
        look_every_s: how often `ocrkit rollout watch` does what the policy says.
        days: of made-up traffic.
        documents: of it, a day.
        pages: simulated ones that it is made of, where `folders` names none.
        folders: labelled pages that it is made of.
    """

    policy: Policy
    look_every_s: Positive
    days: Count
    documents: Count
    pages: Count
    folders: tuple[Folder, ...]


# The class `Train` is for the section `train`.
SECTIONS: Sections = {
    options.__name__.lower(): options for options in Base.__subclasses__() if options.__module__ == __name__
}
