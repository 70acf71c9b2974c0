"""A folder in a bucket, read by a Dask cluster whose workers do not all live to the end."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from ocrkit import cli
from ocrkit.batch import ReadRecipe, find_inputs, open_batch

KEYS = {
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "no secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
NAMES = [f"{number}.png" for number in range(6)]

pytestmark = pytest.mark.timeout(600)  # the start of a cluster takes long on a busy machine


@pytest.fixture
def bucket(monkeypatch, scans):
    """A client of a real HTTP server on loopback that speaks S3; its bucket `ocr` holds six scans."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs comes with the extra s3")
    s3fs.S3FileSystem.clear_instance_cache()  # it would go on with an earlier server
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="ocr")
    image = cv2.imread(str(scans / "page2.png"))
    for number, name in enumerate(NAMES):
        image[:8, : 8 * number] = 128  # no two alike
        client.put_object(Bucket="ocr", Key=f"scans/{name}", Body=cv2.imencode(".png", image)[1].tobytes())
    yield client
    server.stop()


@pytest.fixture
def cluster(tmp_path):
    """Four workers, started again where one ends, in a folder that no other cluster tidies up."""
    distributed = pytest.importorskip("distributed", reason="Dask comes with the extra cluster")
    with distributed.LocalCluster(
        n_workers=4, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    ) as started:
        yield started


def content(client, prefix):
    """Name -> bytes of all results, without the notes of them."""
    listed = client.list_objects_v2(Bucket="ocr", Prefix=f"{prefix}/").get("Contents", [])
    keys = [entry["Key"] for entry in listed if ".ocrkit/" not in entry["Key"]]
    return {key.removeprefix(f"{prefix}/"): client.get_object(Bucket="ocr", Key=key)["Body"].read() for key in keys}


def test_four_workers_of_which_one_is_killed_read_every_document_once_to_the_bytes_that_one_process_gives(
    bucket, cluster
):
    from distributed import Client

    with Client(cluster) as client:
        pids = list(client.run(os.getpid).values())
    found = find_inputs(["s3://ocr/scans"])
    outcomes = []
    with open_batch(found.sources, "s3://ocr/out", ReadRecipe()) as batch:
        for outcome in batch.run(scheduler=cluster.scheduler_address):
            if not outcomes:
                os.kill(pids[0], signal.SIGKILL)
            outcomes.append(outcome)
    assert Counter(outcome.source for outcome in outcomes) == dict.fromkeys((f"s3://ocr/scans/{n}" for n in NAMES), 1)
    # One may have been put before its worker died.
    assert [outcome for outcome in outcomes if outcome.state not in ("done", "skipped")] == []
    assert sum(outcome.pages for outcome in outcomes) == len(NAMES)

    result = CliRunner().invoke(cli.main, ["read", "s3://ocr/scans", "-o", "s3://ocr/alone", "--jobs", "1"])
    assert result.exit_code == 0, result.output
    several, alone = content(bucket, "out"), content(bucket, "alone")
    assert sorted(several) == [name.replace(".png", ".pdf") for name in NAMES]
    assert several == alone
    assert len(set(alone.values())) == len(NAMES)


def test_documents_in_a_bucket_are_skipped_kept_and_refused_as_those_in_a_folder(bucket, tmp_path):
    def read(*args, status=0):
        log = tmp_path / "log.jsonl"
        log.unlink(missing_ok=True)
        result = CliRunner().invoke(cli.main, ["read", *args, "--format", "text", "--jobs", "1", "--log", str(log)])
        assert result.exit_code == status, result.output
        told = map(json.loads, log.read_text().splitlines()) if log.exists() else ()
        return {Path(line["source"]).name: line["state"] for line in told}, result

    assert set(read("s3://ocr/scans/[0-2].png", "-o", "s3://ocr/out")[0].values()) == {"done"}
    bucket.put_object(Bucket="ocr", Key="out/0.txt", Body=b"mine")
    bucket.put_object(Bucket="ocr", Key="scans/2.png", Body=b"no picture")
    bucket.put_object(Bucket="ocr", Key="scans/notes.docx", Body=b"no picture")
    told, result = read("s3://ocr/scans", "-o", "s3://ocr/out", status=2)
    assert told == {"0.png": "failed", "1.png": "skipped", "2.png": "failed", "3.png": "done", "4.png": "done",
                    "5.png": "done"}  # fmt: skip
    for sentence in (
        "s3://ocr/out/0.txt is there already and not as ocrkit wrote it",
        "s3://ocr/scans/2.png is neither an image in a known format nor a PDF.",
        "1 file is no image or PDF by its name and was left out: .docx (1).",
    ):
        assert f"ocrkit: {sentence}" in result.stderr
    assert content(bucket, "out")["0.txt"] == b"mine"
    for name, sentence in (("s3://none/scans", "There is nothing at s3://none/scans."),
                           ("s3://ocr/none", "s3://ocr/none holds no image or PDF.")):  # fmt: skip
        assert f"ocrkit: {sentence}\n" == read(name, "-o", "s3://ocr/out", status=2)[1].stderr
    assert (
        CliRunner().invoke(cli.main, ["read", "s3://ocr/scans/4.png"]).output
        == content(bucket, "out")["4.txt"].decode()
    )
