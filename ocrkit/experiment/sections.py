"""What each section of params.yaml may hold: the only place where the glue meets the steps it joins.

No field has a default: params.yaml says every value. Options that a step declares itself are used as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Base:
    """What all stages share; every section has these too."""

    seed: int
    profile: str


@dataclass(frozen=True, kw_only=True)
class Start(Base):
    """00_start_here."""


@dataclass(frozen=True, kw_only=True)
class Synthesise(Base):
    """10_synthesise."""

    words: int
    validation_words: int
    shard_size: int


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of labelled pages and the form its labels have."""

    path: str
    form: Literal["funsd", "sroie", "phone"]


@dataclass(frozen=True, kw_only=True)
class Real(Base):
    """20_real_data."""

    folders: tuple[Folder, ...]
    simulated_pages: int


@dataclass(frozen=True, kw_only=True)
class Train(Base):
    """30_train."""

    size: Literal["nano", "small", "base"]
    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Finetune(Base):
    """40_finetune."""

    epochs: int
    batch_size: int
    learning_rate: float
    synthetic_share: float


@dataclass(frozen=True, kw_only=True)
class Assemble(Base):
    """50_assemble."""


@dataclass(frozen=True, kw_only=True)
class Benchmark(Base):
    """60_benchmark."""

    words: int
    repeats: int


@dataclass(frozen=True, kw_only=True)
class Leaderboard(Base):
    """90_leaderboard."""

    iou: float


SECTIONS: dict[str, type[Base]] = {
    "start": Start,
    "synthesise": Synthesise,
    "real": Real,
    "train": Train,
    "finetune": Finetune,
    "assemble": Assemble,
    "benchmark": Benchmark,
    "leaderboard": Leaderboard,
}
