"""Files are there whole or not at all."""

import os
import subprocess
import sys
from errno import ENOSPC
from pathlib import Path

import pytest

from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder, whole_folder, write_whole


def test_text_and_bytes_are_written_and_replace_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    assert write_whole(path, "é€") == path
    assert path.read_bytes() == "é€".encode()
    write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"new"


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, why in (
        (tmp_path / "file" / "a.txt", "Not a directory"),
        (tmp_path / "none" / "a.txt", f"there is no folder {tmp_path / 'none'}"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(OcrkitError) as caught:
            write_whole(path, "text")
        assert str(caught.value) == f"{path} cannot be written: {why}."
    with pytest.raises(OcrkitError, match="cannot be made: File exists"):
        make_folder(tmp_path / "file")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc, which nobody may write into")
def test_no_permission_is_said_in_one_sentence():
    with pytest.raises(OcrkitError, match=r"^/proc/a\.txt cannot be written: .+\.$"):
        write_whole("/proc/a.txt", "text")


def test_a_device_is_written_to_and_not_replaced():
    write_whole(os.devnull, "text")
    assert not os.path.isfile(os.devnull)


def test_a_full_disk_leaves_the_older_file_and_nothing_else(tmp_path):
    pytest.importorskip("resource", reason="file size limits are a Unix matter")
    path = tmp_path / "a.txt"
    path.write_text("older")
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from ocrkit.files import write_whole; from ocrkit.errors import OcrkitError\n"
        "try: write_whole(sys.argv[1], b'x' * 5000)\n"
        "except OcrkitError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{path} cannot be written: File too large.\n"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "older")]


def fill(path, name, divisor=1):
    with whole_folder(path) as folder:
        (folder / name).write_text("half")
        assert not (path / name).exists()
        1 / divisor


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    made = tmp_path / "a" / "made"
    with pytest.raises(ZeroDivisionError):
        fill(made, "x", 0)
    assert list((tmp_path / "a").iterdir()) == []
    made.mkdir()  # empty, as somebody may have made it
    fill(made, "x")
    with pytest.raises(OcrkitError, match="cannot be written"):
        fill(made, "y")
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["made", "x"]


def no_room(folder):
    raise OSError(ENOSPC, "No space left on device")


def written_to_nowhere(folder):
    write_whole(folder / "missing" / "x", "text")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (no_room, "made cannot be written: No space left on device."),
        (written_to_nowhere, "made/missing/x cannot be written: there is no folder {}/made/missing."),
    ],
)
def test_messages_name_the_folder_to_be_and_not_the_hidden_one(write, said, tmp_path):
    with pytest.raises(OcrkitError) as caught, whole_folder(tmp_path / "made") as folder:
        write(folder)
    assert str(caught.value) == f"{tmp_path}/{said.format(tmp_path)}"
    assert list(tmp_path.iterdir()) == []


WRITER = """
import os, sys
from pathlib import Path
from ocrkit.files import whole_file, whole_folder
with whole_folder(Path("folder")) as folder, whole_file("file") as file:
    file.write(b"half"), (folder / "a").write_text("half")
    print("half", flush=True), sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_writes_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.files._swept", set())
    monkeypatch.chdir(tmp_path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    for name in (".mine.part", ".x.tar.gz.part", "file.0123abcd.part"):  # of these names nothing of ours is
        (tmp_path / name).write_text("somebody's")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=environment, **pipes) for _ in range(2)]
    killed, living = writers
    for writer in writers:
        assert writer.stdout.readline() == b"half\n"
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 3 + 2 * 2
    write_whole("other", "text")
    assert len(list(tmp_path.iterdir())) == 3 + 2 + 1
    assert living.communicate()[0] == b""
    kept = [".mine.part", ".x.tar.gz.part", "file", "file.0123abcd.part", "folder", "other"]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept


@pytest.mark.parametrize("system", ["swaps names", "renames only"])
def test_a_folder_takes_the_place_of_another_as_a_whole(system, tmp_path, monkeypatch):
    if system == "renames only":
        monkeypatch.setattr("ctypes.CDLL", lambda name: None)
    made = tmp_path / "made"
    fill(made, "old")
    with pytest.raises(ZeroDivisionError), whole_folder(made, replace=True) as folder:
        (folder / "new").write_text(f"{1 / 0}")
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "old"]
    with whole_folder(made, replace=True) as folder:
        (folder / "new").write_text("all")
        assert [path.name for path in made.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "new"]
