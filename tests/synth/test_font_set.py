from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import stat
import tarfile
from pathlib import Path

import pytest

from ocrkit.errors import BadDataset, MissingExtra, OcrkitError
from ocrkit.synth.font_set import Pin, fetch_fonts, pinned_fonts
from ocrkit.synth.fonts import font_files


def pack(folder: Path, name: str, members: dict[str, bytes]) -> Pin:
    """An archive as the registry has it, and its pin."""
    about = {"family": name.title(), "category": "serif", "license": {"type": "OFL-1.1"}}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path, data in {"metadata.json": json.dumps(about).encode(), **members}.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    digest = base64.b64encode(hashlib.sha512(content.getvalue()).digest()).decode()
    pin = Pin(f"@fontsource/{name}", "5.0.0", f"sha512-{digest}")
    folder.mkdir(exist_ok=True)
    (folder / pin.tarball).write_bytes(content.getvalue())
    return pin


FACES = {
    f"files/{name}": name.encode()
    for name in ("one-latin-400-normal.woff2", "one-latin-700-italic.woff2", "one-latin-300-normal.woff2",
                 "one-greek-400-normal.woff2", "one-latin-400-normal.woff")
}  # fmt: skip


@pytest.fixture
def archives(tmp_path) -> Path:
    return tmp_path / "archives"


@pytest.fixture
def pins(archives) -> list[Pin]:
    light = {"files/two-latin-300-normal.woff2": b"light"}
    return [pack(archives, "one", FACES), pack(archives, "two", light)]


def test_the_pinned_set_has_enough_families_each_with_version_and_checksum():
    pins = pinned_fonts()
    assert len(pins) >= 250
    assert len({pin.package for pin in pins}) == len(pins)
    for pin in pins:
        assert re.fullmatch(r"@fontsource/[a-z0-9-]+", pin.package)
        assert re.fullmatch(r"\d+\.\d+\.\d+", pin.version)
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", pin.integrity)


def test_latin_regular_and_bold_faces_are_kept_with_their_class_and_licence(tmp_path, archives, pins):
    fonts = tmp_path / "fonts"
    assert fetch_fonts(fonts, archives, pins) == 3
    names = ["one-latin-400-normal.woff2", "one-latin-700-italic.woff2", "two-latin-300-normal.woff2"]
    assert sorted(path.name for path in fonts.iterdir()) == ["index.json", *names]
    assert (fonts / names[0]).read_bytes() == names[0].encode()
    index = json.loads((fonts / "index.json").read_text())
    assert index[names[0]] == {
        "category": "serif", "family": "One", "licence": "OFL-1.1", "package": "@fontsource/one@5.0.0",
    }  # fmt: skip
    assert [kind for _, kind in font_files([fonts])] == ["serif"] * 3


def test_what_is_there_is_not_fetched_again_and_what_is_lost_is(tmp_path, archives, pins):
    fonts = tmp_path / "fonts"
    fetch_fonts(fonts, archives, pins)
    for archive in archives.iterdir():
        archive.unlink()
    assert fetch_fonts(fonts, archives, pins) == 3
    (fonts / "two-latin-300-normal.woff2").unlink()
    with pytest.raises(BadDataset, match=r"fontsource-two-5\.0\.0\.tgz cannot be read: No such file"):
        fetch_fonts(fonts, archives, pins)


def test_an_archive_that_is_not_the_pinned_one_is_refused_and_leaves_nothing(tmp_path, archives, pins):
    (archives / pins[0].tarball).write_bytes((archives / pins[1].tarball).read_bytes())
    with pytest.raises(BadDataset, match=r"not the archive of @fontsource/one@5\.0\.0 that was pinned"):
        fetch_fonts(tmp_path / "fonts", archives, pins)
    assert list((tmp_path / "fonts").iterdir()) == []


def test_a_full_disk_is_told_in_a_sentence_and_leaves_no_half_file(tmp_path, archives, pins, monkeypatch):
    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OcrkitError, match="cannot be written: No space left on device"):
        fetch_fonts(tmp_path / "fonts", archives, pins)
    assert list((tmp_path / "fonts").iterdir()) == []


def npm(folder: Path, script: str) -> None:
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(stat.S_IRWXU)


def test_npm_is_asked_for_the_pinned_versions(tmp_path, archives, pins, monkeypatch):
    npm(tmp_path / "bin", f'echo "$@" >> {tmp_path}/asked; cp {archives}/*.tgz "$5"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert fetch_fonts(tmp_path / "fonts", pins=pins) == 3
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("pack ")
    assert asked.endswith("@fontsource/one@5.0.0 @fontsource/two@5.0.0\n")


def test_a_refusal_of_npm_is_told_in_a_sentence(tmp_path, pins, monkeypatch):
    npm(tmp_path / "bin", "echo 'npm error code E404' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(BadDataset, match=r"npm could not fetch the fonts \(npm error code E404\)"):
        fetch_fonts(tmp_path / "fonts", pins=pins)


def test_a_machine_without_npm_is_told_what_to_do(tmp_path, pins, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"needs npm .* --from DIR"):
        fetch_fonts(tmp_path / "fonts", pins=pins)
