"""Raw data under DVC: kept unchanged, pushed to a remote, and brought back the same, from a folder and from S3."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ocrkit import files

pytestmark = pytest.mark.timeout(900)  # DVC starts a dozen times, which a busy machine makes long

REPO = Path(__file__).resolve().parents[2]
KEYS = {
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "no secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def lab(fresh_project):
    """A repository with this one's DVC settings, no stages, and a folder of raw data of somebody's own."""
    root = fresh_project.root
    (root / "dvc.yaml").unlink()
    for name in ("config", ".gitignore"):
        shutil.copyfile(REPO / ".dvc" / name, root / ".dvc" / name)
    mine = root / "data" / "raw" / "mine"
    mine.mkdir(parents=True)
    (mine / "labels.csv").write_text("file,text\na.png,Größe\n", encoding="utf-8")
    (mine / "a.png").write_bytes(bytes(range(256)) * 40)
    fresh_project.do("dvc", "add", "--quiet", "data/raw/mine")
    return fresh_project


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch):
    """The address of a real HTTP server on loopback that speaks S3 and holds an empty bucket `ocr`."""
    pytest.importorskip("dvc_s3", reason="dvc-s3 comes with the extra s3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server.start()
    host, port = server.get_host_and_port()
    import boto3

    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="ocr")
    yield client
    server.stop()


def wipe(project) -> None:
    """What a fresh clone lacks: the data and DVC's cache."""
    shutil.rmtree(project.root / "data/raw/mine")
    shutil.rmtree(project.root / ".dvc/cache")


def test_by_default_raw_data_go_to_a_folder_beside_the_cache_and_git_sees_only_a_pointer(lab):
    raw = lab.root / "data/raw/mine"
    before = files.digest(raw)
    lab.do("dvc", "push")
    lab.do("git", "add", "--all")
    assert lab.do("git", "ls-files", "data/raw").split() == ["data/raw/.gitignore", "data/raw/mine.dvc"]
    assert ".dvc/store" not in lab.do("git", "ls-files")
    wipe(lab)
    lab.do("dvc", "pull")
    assert files.digest(raw) == before
    (raw / "labels.csv").write_text("file,text\n")
    assert "data/raw/mine" in lab.status()


def test_s3_gives_back_what_was_pushed_to_it(lab, bucket):
    before = files.digest(lab.root / "data/raw/mine")
    lab.do("dvc", "remote", "add", "--default", "cloud", "s3://ocr/project")
    lab.do("dvc", "remote", "modify", "cloud", "endpointurl", bucket.meta.endpoint_url)
    lab.do("dvc", "push")
    stored = [entry["Key"] for entry in bucket.list_objects_v2(Bucket="ocr")["Contents"]]
    assert len(stored) == 3  # two files and the list of their folder
    assert all(key.startswith("project/files/md5/") for key in stored)
    wipe(lab)
    lab.do("dvc", "pull")
    assert files.digest(lab.root / "data/raw/mine") == before
    assert f"md5: {before}\n" in (lab.root / "data/raw/mine.dvc").read_text()


def test_an_import_remembers_its_address_and_sees_that_it_changed(lab, tmp_path):
    public = tmp_path / "public"
    public.mkdir()
    (public / "words.zip").write_bytes(b"first")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(public))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/words.zip"
        lab.do("dvc", "import-url", address, "data/raw/words.zip")
        assert (lab.root / "data/raw/words.zip").read_bytes() == b"first"
        assert address in (lab.root / "data/raw/words.zip.dvc").read_text()
        (public / "words.zip").write_bytes(b"changed there")
        assert (lab.root / "data/raw/words.zip").read_bytes() == b"first"
        lab.do("dvc", "update", "data/raw/words.zip.dvc")
        assert (lab.root / "data/raw/words.zip").read_bytes() == b"changed there"
        server.shutdown()
