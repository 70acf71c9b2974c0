"""Everything ocrkit raises on purpose; each message is one sentence a user can act on."""

from __future__ import annotations

import errno


class OcrkitError(Exception):
    """Base of all errors that are the input's or the machine's fault, not a bug. The CLI prints it and exits 2."""


class BadImage(OcrkitError):
    """A file or array that cannot be read as an image or document."""


class Withdrawn(BadImage):
    """A donated page that its donor took back after it was asked for; what comes next goes on without it."""


class BadQuad(OcrkitError):
    """Four corners that do not make a usable quadrilateral."""


class BadLabel(OcrkitError):
    """A label with characters outside the alphabet, or too long for the network."""


class BadDataset(OcrkitError):
    """A data folder, archive or shard that is missing, incomplete or in another form than said."""


class BadModel(OcrkitError):
    """A model that is missing, damaged or made for something else."""


class BadParams(OcrkitError):
    """An unknown, missing or ill-typed value in params.yaml or an options object."""


class MissingExtra(OcrkitError):
    """An optional package or program that this action needs is not installed."""


class BadPlugin(OcrkitError):
    """An engine, form or runtime that another package adds to ocrkit, and that cannot be used."""


class TrainingFailed(OcrkitError):
    """Training that cannot go on: the last good checkpoint is kept."""


class PrivateData(OcrkitError):
    """Donated documents were about to go where they must not: to a file, a service, or a figure about too few."""


class BadVault(OcrkitError):
    """A vault that is missing, damaged, tampered with, or closed to this person."""


_withheld = False


def withhold_data() -> None:
    """From now on and until this process ends, no message quotes data: what it would quote may be a donor's."""
    global _withheld  # noqa: PLW0603  # of the whole process, and never taken back
    _withheld = True


def reason(error: OSError | ValueError) -> str:
    """Why the system refuses a path, in the system's words unless these are for programmers."""
    if getattr(error, "errno", None) == errno.ELOOP:
        return "it is a symbolic link that leads back to itself"
    return getattr(error, "strerror", None) or str(error)


def quoted(value: object, most: int = 80) -> str:
    """`value` as a message quotes it: `repr` on one line, no longer than `most` characters, those at its ends.

    Only its kind, once `withhold_data` was called.
    """
    if _withheld:
        return f"<{type(value).__name__} withheld>"
    text = repr(value[:most] + value[-most:] if isinstance(value, str) and len(value) > 2 * most else value)
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most // 2 - 2]} … {text[1 - most // 2 :]}"
