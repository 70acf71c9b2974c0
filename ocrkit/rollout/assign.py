"""Which documents the challenger reads: by a salted hash of their key, so that the answer is the same everywhere."""

from __future__ import annotations

from hashlib import sha256

_BYTES = 8


def bucket(salt: str, key: str) -> float:
    """The place of `key` in [0, 1), evenly spread, the same in every process and on every machine.

    Args:
        salt: of the rollout; another one deals the keys anew.
        key: of what must always get the same answer: a user, a device, or a document.
    """
    digest = sha256(f"{len(salt)}:{salt}{key}".encode("utf-8", "surrogatepass")).digest()
    return (
        int.from_bytes(digest[:_BYTES]) >> 11
    ) / 2.0**53  # as many bits as a float has, so that 1.0 is never reached


def in_group(salt: str, key: str, share: float) -> bool:
    """Whether `key` belongs to the first `share` of all; who is in a small share is in every larger one too."""
    return bucket(salt, key) < share
