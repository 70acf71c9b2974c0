"""What is known of a result that was written: from what, how, and what it was then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ocrkit.batch.places import Place


@dataclass(frozen=True)
class Record:
    """Noted before a result is put into its place, so that a run that is killed in between knows it for its own.

    Attributes:
        output: the result's name in its folder.
        source: the document's, relative to the folder where both are on one machine.
        identity: of the document.
        recipe: digest of the model, the options and the version that it was read with.
        sizes: name of each file of the result -> its bytes.
        fingerprints: name of each -> what tells whether it was changed since.
        replaces: the same of what was there before.
        pages: in it.
        left_alone: of them.
        words: read.
        faults: sentences about pages that could not be read.
    """

    output: str
    source: str
    identity: str
    recipe: str
    sizes: Mapping[str, int]
    fingerprints: Mapping[str, str]
    replaces: Mapping[str, str] = field(default_factory=dict)
    pages: int = 0
    left_alone: int = 0
    words: int = 0
    faults: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of(cls, text: str | None) -> Record | None:
        """What `text` notes; `None` where it is damaged or of another version, as if nothing had been noted."""
        try:
            told: dict[str, Any] = json.loads(text or "")
            return cls(**{**told, "faults": tuple(told.get("faults", ()))})
        except (ValueError, TypeError, AttributeError):
            return None

    def is_of(self, name: str, fingerprint: str) -> bool:
        """Whether a file of the result is what was written, now or before."""
        return fingerprint in (self.fingerprints.get(name), self.replaces.get(name))

    def stands(self, place: Place, identity: str, recipe: str) -> bool:
        """Whether all of the result is there, and would be made the same again."""
        if not identity or (self.identity, self.recipe) != (identity, recipe):
            return False
        # By size alone, as all of it would take long to look at; unless a run may have been killed before it was put.
        return all(place.size(name) == size for name, size in self.sizes.items()) and all(
            place.fingerprint(name) == self.fingerprints[name] for name in self.replaces if name in self.fingerprints
        )
