"""A PDF as it reaches its place: whole or not at all, and as PDF/A-2b where that was asked for."""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, cast

import pikepdf

from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.files import whole_file

_SHOWN_FAULTS = 3


def packed(pdf: pikepdf.Pdf, data: bytes, **entries: int) -> pikepdf.Stream:
    """A stream of `data` that is packed, whatever becomes of other streams as the file is written."""
    return pikepdf.Stream(pdf, zlib.compress(data, 9), Filter=pikepdf.Name.FlateDecode, **entries)


def save(pdf: pikepdf.Pdf, path: Path, *, new: bool, pdfa: bool = False) -> Path:
    """Write `pdf` to `path`; returns the path.

    The same PDF always gives the same bytes, but for the dates of PDF/A.

    Args:
        pdf: what is to be written.
        path: written over, if there is something.
        new: whether `pdf` came from no file, whose packing and layout for the web it would keep.
        pdfa: make PDF/A-2b: colours, metadata and notes are told as it wants, and the file is checked by the allow-list
            of `pikepdf.pdfa`, which approves what it knows to conform.

    Raises:
        MissingExtra: PDF/A is wanted, and what checks it is not installed.
        OcrkitError: the file cannot be written, or cannot be made PDF/A; then nothing is.
    """
    try:
        with whole_file(path) as file, _told_late(file) as patient:
            if pdfa:
                _save_pdfa(pdf, patient, path, not new and pdf.is_linearized)
            elif new:
                packed = pikepdf.ObjectStreamMode.generate
                pdf.save(patient, deterministic_id=True, min_version="1.6", object_stream_mode=packed)
            else:
                write_again(pdf, patient)
    except (pikepdf.PdfError, RuntimeError) as error:
        raise OcrkitError(f"{path} cannot be written: {error}.") from None
    return path


def write_again(pdf: pikepdf.Pdf, file: BinaryIO) -> None:
    """Write a `pdf` that came from a file, packed and laid out for the web as that was."""
    pdf.save(
        file,
        deterministic_id=True,
        fix_metadata_version=False,
        linearize=pdf.is_linearized,
        # Without this qpdf would leave streams of objects as plain text; with it, it packs other plain streams, too. A
        # table of objects that is a stream says that there are such.
        compress_streams="/Type" in pdf.trailer,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
    )


@contextmanager
def _told_late(file: BinaryIO) -> Iterator[BinaryIO]:
    """A file whose errors of writing, such as a full disk, are raised at the end of the context.

    qpdf 12.4 ends the whole process where one is raised while it writes.

    Raises:
        OSError: the first of them.
    """
    patient = _PatientFile(file)
    yield cast(BinaryIO, patient)
    if patient.error is not None:
        raise patient.error


class _PatientFile:
    """A file that takes whatever is written, and keeps the first error in mind."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, unless that has failed before; returns the number of bytes of `data`."""
        self._try(lambda: self._file.write(data))
        return len(data)

    def flush(self) -> None:
        """Write what waits to be written."""
        self._try(self._file.flush)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere, which writes what waits, too."""
        return self._try(lambda: self._file.seek(offset, whence)) or 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _try(self, call: Callable[[], int | None]) -> int | None:
        if self.error is None:
            try:
                return call()
            except OSError as error:
                self.error = error
        return None


def _save_pdfa(pdf: pikepdf.Pdf, file: BinaryIO, path: Path, linearize: bool) -> None:
    if not all(map(find_spec, ("fontTools", "jsonschema", "referencing"))):
        raise MissingExtra("PDF/A needs packages that check it: pip install 'ocrkit[pdfa]'.")
    from pikepdf import pdfa

    logging.getLogger("pikepdf.pdfa").setLevel(logging.ERROR)
    try:
        pdfa.save(pdf, file, "2b", linearize=linearize)
    except pdfa.PdfaError as error:
        faults = Counter(finding.message for finding in error.report.violations or error.report.findings)
        shown = [f"{message} ({count} times)" if count > 1 else message for message, count in faults.most_common()]
        more = f"; and {len(shown) - _SHOWN_FAULTS} more" if len(shown) > _SHOWN_FAULTS else ""
        what = "cannot be made" if error.report.violations else "cannot be shown to be"
        raise OcrkitError(f"{path} {what} PDF/A-2b: {'; '.join(shown[:_SHOWN_FAULTS])}{more}.") from None
