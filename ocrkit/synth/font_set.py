"""The pinned font set: packages of the npm registry, each by version and checksum, fetched by the machine's own npm.

`fonts.lock.json` names them; of each package the Latin regular and bold faces are kept, upright and italic.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ocrkit.errors import BadDataset, MissingExtra
from ocrkit.files import checksum, make_folder, write_whole

INDEX = "index.json"
_BATCH = 20  # packages a call of npm; after each the index is written, so that little is lost when it is interrupted
# What to keep of a package: the first of these that it has any file of.
_WANTED = [
    r"-latin-(400|700)-(normal|italic)\.woff2$",
    r"-latin-\d+-normal\.woff2$",
    r"-(400|700)-(normal|italic)\.woff2$",
]


@dataclass(frozen=True)
class Pin:
    """One package of the font set."""

    package: str
    version: str
    integrity: str

    def __str__(self) -> str:
        return f"{self.package}@{self.version}"

    @property
    def tarball(self) -> str:
        """The name that `npm pack` gives its archive."""
        return f"{self.package.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def pinned_fonts() -> list[Pin]:
    """The font set, one package a family, sorted by name."""
    lock = json.loads(files("ocrkit.synth").joinpath("fonts.lock.json").read_text("utf-8"))
    return [Pin(package, **pin) for package, pin in sorted(lock.items())]


def fetch_fonts(
    folder: Path,
    tarballs: Path | None = None,
    pins: list[Pin] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> int:
    """Bring the font set into `folder`, with an index of what each file is; what is there already is not fetched again.

    Args:
        folder: gets the font files and `index.json`: file -> category, family, licence and package.
        tarballs: folder of the packages' archives, for a machine without a registry; `None` asks npm.
        pins: the packages; the pinned set where none are given.
        told: called with a line on the progress.

    Returns:
        How many font files `folder` holds.

    Raises:
        MissingExtra: npm is not installed.
        BadDataset: a package cannot be fetched, or is not the one that was pinned.
    """
    folder = make_folder(folder)
    pins = pinned_fonts() if pins is None else pins
    index = _read_index(folder)
    there = {notes["package"] for name, notes in index.items() if (folder / name).is_file()}
    missing = [pin for pin in pins if str(pin) not in there]
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        with tempfile.TemporaryDirectory() as temporary:
            if tarballs is None:
                _npm_pack(batch, temporary)
            for pin in batch:
                index |= _unpack((tarballs or Path(temporary)) / pin.tarball, pin, folder)
        write_whole(folder / INDEX, json.dumps(index, indent=0, sort_keys=True, ensure_ascii=False))
        told(f"{len(pins) - len(missing) + start + len(batch)} of {len(pins)} families")
    return len(index)


def _read_index(folder: Path) -> dict[str, dict[str, str]]:
    """What earlier calls noted; nothing where there is no index of this form."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        return {name: notes for name, notes in index.items() if "package" in notes}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _npm_pack(pins: list[Pin], folder: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingExtra(
            "Fetching fonts needs npm (it comes with Node.js); or name a folder of archives: --from DIR."
        )
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, *map(str, pins)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise BadDataset(f"npm could not fetch the fonts ({reason}); what is here stays, so try again later.")


def _unpack(tarball: Path, pin: Pin, folder: Path) -> dict[str, dict[str, str]]:
    """Write the wanted files of an archive to `folder`; what the index says of each."""
    algorithm, _, expected = pin.integrity.partition("-")
    if checksum(tarball, algorithm) != base64.b64decode(expected).hex():
        raise BadDataset(f"{tarball.name} is not the archive of {pin} that was pinned: its checksum differs.")
    with tarfile.open(tarball) as archive:
        members = {member.name: member for member in archive.getmembers() if member.isfile()}

        def read(name: str) -> bytes:
            stream = archive.extractfile(members[name])
            assert stream is not None  # only members that are files are asked for
            return stream.read()

        about = json.loads(read("package/metadata.json"))
        licence = about.get("license", "")  # older packages name it, newer ones describe it
        notes = {
            "category": about.get("category", ""),
            "family": about.get("family", ""),
            "licence": licence["type"] if isinstance(licence, dict) else licence,
            "package": str(pin),
        }
        kept = next(filter(None, ([n for n in sorted(members) if re.search(form, n)] for form in _WANTED)), [])
        if not kept:
            raise BadDataset(f"{pin} holds no regular or bold face.")
        for name in kept:
            write_whole(folder / Path(name).name, read(name))
    return {Path(name).name: notes for name in kept}
