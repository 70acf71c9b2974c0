"""Fetching files from public addresses: whole, checked, and continued where an earlier try was cut off."""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Callable
from html import unescape
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen

from ocrkit.errors import BadDataset, OcrkitError
from ocrkit.files import checksum

_PAUSES_S = (1.0, 2.0, 4.0, 8.0)  # between one try and the next
_TIMEOUT_S = 30.0  # of silence
_BLOCK = 1 << 20  # bytes
_TOLD_EVERY = 64  # blocks
_NETWORK = (URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
_RANGE_PAST_END, _BUSY = 416, (408, 429)


def download(url: str, target: Path, sha256: str | None = None, told: Callable[[str], None] = lambda _: None) -> Path:
    """Fetch `url` to the file `target`; with a checksum, nothing where that very file is there already.

    What arrives gathers in `<target>.part`. A call that was cut off is continued from there by an HTTP range request,
    but only with a checksum to tell whether the pieces fit together.

    Args:
        url: an HTTP or HTTPS address; redirects are followed.
        target: where the file goes; its folder must exist.
        sha256: what the file must have; `None` takes what comes.
        told: called with a line on the progress.

    Returns:
        `target`.

    Raises:
        BadDataset: the server refuses, stays silent through several tries, or has another file.
        OcrkitError: the disk is full or closed to us.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        if sha256 and target.is_file() and checksum(target) == sha256:
            return target
        if not sha256:
            part.unlink(missing_ok=True)
        resumed = part.exists()
        told(f"fetching {url}")
        _fetch_patiently(url, part, told)
        if sha256 and (got := checksum(part)) != sha256:
            part.unlink()
            if resumed:  # its beginning may have been that of another file
                return download(url, target, sha256, told)
            raise BadDataset(f"{url} is not the file that was expected: its SHA-256 is {got}, not {sha256}.")
        os.replace(part, target)
    except OSError as error:
        raise OcrkitError(f"{target} cannot be written: {error.strerror or error}.") from None
    return target


def package_address(archive: str) -> str:
    """Where the package index that pip uses on this machine has the source archive `archive`, such as `a_b-1.0.tar.gz`.

    Raises:
        BadDataset: pip is not installed, or the index does not answer or has no such archive.
    """
    elsewhere = f"fetch {archive} elsewhere and name it by --from."
    try:
        from pip._internal.commands import create_command
    except ImportError:
        raise BadDataset(f"pip, which knows the package index, is not installed here: {elsewhere}") from None
    # The parser of a command knows pip's own default, its configuration files and its environment variables.
    options, _ = create_command("download").parser.parse_args([])
    page = f"{options.index_url.rstrip('/')}/{archive.rpartition('-')[0].replace('_', '-').lower()}/"
    try:
        with urlopen(Request(page, headers={"User-Agent": "ocrkit"}), timeout=_TIMEOUT_S) as answer:
            listed = answer.read().decode("utf-8", "replace")
    except _NETWORK as error:
        raise BadDataset(f"The package index does not answer ({_reason(error)}): try later, or {elsewhere}") from None
    for link in map(unescape, re.findall(r'href="([^"]+)"', listed)):
        if urlsplit(link).path.endswith(f"/{archive}"):
            return urldefrag(urljoin(page, link)).url
    raise BadDataset(f"The package index has no {archive}: {elsewhere}")


def _fetch_patiently(url: str, part: Path, told: Callable[[str], None]) -> None:
    """Bring `part` to its full length, trying again after growing pauses where that may help."""
    for pause_s in (*_PAUSES_S, None):
        try:
            _fetch_rest(url, part, told)
            return
        except _NETWORK as error:
            reason = _reason(error)
            if isinstance(error, HTTPError):
                if error.code == _RANGE_PAST_END:
                    return  # all of it had arrived before; the checksum decides
                if error.code not in _BUSY and error.code < 500:
                    raise BadDataset(f"{url} cannot be fetched: the server answers {reason}.") from None
            if pause_s is None:
                raise BadDataset(
                    f"{url} cannot be fetched ({reason}): try again later, or fetch it elsewhere and name it by --from."
                ) from None
            told(f"{reason}; trying again in {pause_s:g} s")
            time.sleep(pause_s)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"{error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _fetch_rest(url: str, part: Path, told: Callable[[str], None]) -> None:
    """Append to `part` what it lacks; begin anew where the server sends the whole file."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "ocrkit"} | ({"Range": f"bytes={done}-"} if done else {})
    with urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S) as answer:
        if answer.status != 206:
            done = 0
        total = done + int(answer.headers.get("Content-Length", 0))
        with part.open("ab" if done else "wb") as file:
            for blocks, block in enumerate(iter(lambda: answer.read(_BLOCK), b""), 1):
                done += file.write(block)
                if blocks % _TOLD_EVERY == 0:
                    told(f"{done >> 20} of {total >> 20} MB")
    if done < total:
        raise URLError(f"the connection was cut after {done} of {total} bytes")
