from collections import Counter
from itertools import islice

import numpy as np
import PIL.Image
import pytest

from ocrkit.datasets import (
    Sample,
    ShardWriter,
    digests,
    half_of,
    load_crops,
    load_pages,
    read_shard,
    read_shards,
    shard_path,
    split_of,
    word_samples,
    write_shard,
)
from ocrkit.errors import BadDataset, BadImage, BadParams, OcrkitError


def stream(count):
    rng = np.random.default_rng(0)
    for i in range(count):
        image = rng.integers(0, 256, rng.integers(2, 30, 2), np.uint8)
        yield Sample(image, f"wörd{i}" if i % 5 else "", "made", f"doc{i // 3}")


def same(a, b):
    labels = [(s.text, s.source, s.document) for s in a] == [(s.text, s.source, s.document) for s in b]
    return labels and all((x.image == y.image).all() for x, y in zip(a, b, strict=True))


def test_shards_give_back_what_was_written_in_order(tmp_path):
    samples = list(stream(25))
    with ShardWriter(tmp_path, size=10) as writer:
        for sample in samples:
            writer.add(sample)
    assert [len(read_shard(shard_path(tmp_path, n))) for n in range(3)] == [10, 10, 5]
    assert same(list(read_shards(tmp_path)), samples)


def test_the_same_samples_make_the_same_bytes(tmp_path, monkeypatch):
    write_shard(tmp_path / "a" / "00000.npz", list(stream(8)))
    monkeypatch.setattr("time.time", lambda: 2e9)  # made at another time
    write_shard(tmp_path / "b" / "00000.npz", list(stream(8)))
    write_shard(tmp_path / "c" / "00000.npz", list(stream(7)))
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_an_interrupted_writer_resumes_to_the_same_bytes(tmp_path):
    with ShardWriter(tmp_path / "whole", size=4) as writer:
        for sample in stream(11):
            writer.add(sample)

    def stops_after_six():
        with ShardWriter(tmp_path / "parts", size=4) as writer:
            for sample in islice(stream(11), 6):
                writer.add(sample)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stops_after_six()
    first = shard_path(tmp_path / "parts", 0)
    made = first.stat().st_mtime_ns
    with ShardWriter(tmp_path / "parts", size=4, resume=True) as writer:
        assert writer.done == 4
        for sample in islice(stream(11), writer.done, None):
            writer.add(sample)
    assert first.stat().st_mtime_ns == made
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")


def test_resuming_drops_damaged_shards_and_a_fresh_start_drops_all(tmp_path):
    with ShardWriter(tmp_path, size=4) as writer:
        for sample in stream(12):
            writer.add(sample)
    damaged = shard_path(tmp_path, 1)
    damaged.write_bytes(damaged.read_bytes()[:-40])
    assert ShardWriter(tmp_path, size=4, resume=True).done == 4
    assert not damaged.exists()
    assert not shard_path(tmp_path, 2).exists()
    ShardWriter(tmp_path, size=4)
    with pytest.raises(BadDataset, match="no shards"):
        list(read_shards(tmp_path))


@pytest.mark.parametrize("damage", ["cut off", "empty", "changed inside", "no zip", "another npz", "missing"])
def test_damaged_shards_are_refused_in_one_sentence(tmp_path, damage):
    path = tmp_path / "00000.npz"
    write_shard(path, list(stream(5)))
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "another npz":
        np.savez(path, other=np.zeros(3))
    else:
        middle = len(whole) // 3
        changed = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
        path.write_bytes(
            {"cut off": whole[:middle], "empty": b"", "changed inside": changed, "no zip": b"text"}[damage]
        )
    with pytest.raises(BadDataset, match="damaged or no shard"):
        read_shard(path)


def test_shards_hold_nothing_but_grey_crops(tmp_path):
    with pytest.raises(BadDataset, match="grey"):
        write_shard(tmp_path / "00000.npz", [Sample(np.zeros((4, 4, 3), np.uint8), "x")])


def test_a_shard_of_no_samples_is_a_shard(tmp_path):
    write_shard(tmp_path / "00000.npz", [])
    assert read_shard(tmp_path / "00000.npz") == []


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OcrkitError, match="No space left"):
        write_shard(tmp_path / "00000.npz", list(stream(3)))
    assert list(tmp_path.iterdir()) == []


def write_crops(folder, labels: bytes, *names):
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_bytes(labels)
    for name in names:
        PIL.Image.new("RGB", (30, 12), (255, 0, 0)).save(folder / name)


@pytest.mark.parametrize(
    "labels",
    [
        b'file,text\na.png,caf\xc3\xa9\nb.png,"1,5"\n',  # plain
        b'\xef\xbb\xbffile,text\r\na.png,caf\xc3\xa9\r\nb.png,"1,5"\r\n',  # as Excel writes it: mark and line ends
        b'text,file,note\ncaf\xc3\xa9,a.png,x\n"1,5",b.png,y,',  # other order, more columns, no last line end
        b'\xef\xbb\xbfa.png,caf\xc3\xa9\r\n\r\nb.png,"1,5"\r\n',  # no line of names, an empty line
    ],
)
def test_a_folder_of_crops(tmp_path, labels):
    write_crops(tmp_path / "mine", labels, "a.png", "b.png")
    samples = load_crops(tmp_path / "mine")
    assert [s.text for s in samples] == ["café", "1,5"]
    assert [s.document for s in samples] == ["a.png", "b.png"]
    assert {s.source for s in samples} == {"mine"}
    assert samples[0].image.shape == (12, 30)


@pytest.mark.parametrize("names", [b"file,text,document\n", b""])
def test_crops_may_name_the_document_they_share(tmp_path, names):
    write_crops(tmp_path, names + b"a.png,x,invoice\nb.png,y,invoice\n", "a.png", "b.png")
    assert [s.document for s in load_crops(tmp_path)] == ["invoice", "invoice"]
    assert [s.document for s in word_samples(load_pages(tmp_path, "crops"))] == ["invoice", "invoice"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (b"file,text\na.png,x\ngone.png,y\nlost.png,z\n", "2 missing images, the first of them 'gone.png'"),
        (b"name,label\na.png,x\n", "columns 'file' and 'text'"),
        (b"file;text\na.png;x\n", "parted by commas"),  # as Excel writes it where commas are decimal points
        (b"file,text\na.png,1,234.50\n", "too many columns at 'a.png': put quotes around"),
        (b"file,text\na.png\n", "columns 'file' and 'text'"),  # a row cut short
        (b"file,text\na.png,caf\xe9\n", "save it as CSV in UTF-8"),  # Latin-1
        ("file,text\na.png,x\n".encode("utf-16"), "save it as CSV in UTF-8"),  # Excel's "Unicode text"
        (b"\n", "needs a first line"),
        (b"", "needs a first line"),
    ],
)
def test_bad_label_tables_are_refused(tmp_path, labels, message):
    write_crops(tmp_path, labels, "a.png")
    with pytest.raises(BadDataset, match=message):
        load_crops(tmp_path)


def test_a_folder_without_labels_or_with_a_damaged_image_is_refused(tmp_path):
    with pytest.raises(BadDataset, match=r"^There is no .*labels\.csv\.$"):
        load_crops(tmp_path)
    write_crops(tmp_path, b"file,text\na.png,x\n", "a.png")
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(BadImage, match="image"):
        load_crops(tmp_path)


# The first twelve documents' splits, held fixed: another machine, another year, the same split.
EXPECTED = ["train"] * 4 + ["test"] * 2 + ["val", "train", "train", "test", "train", "train"]
SHARES = {"train": 0.8, "val": 0.15, "test": 0.05}


def test_splits_follow_their_shares_and_never_change():
    documents = [f"doc{i}" for i in range(4000)]
    counts = Counter(split_of(d, SHARES, "s") for d in documents)
    assert counts["train"] / 4000 == pytest.approx(0.8, abs=0.03)
    assert counts["test"] / 4000 == pytest.approx(0.05, abs=0.02)
    assert [split_of(f"doc{i}", SHARES, "s") for i in range(12)] == EXPECTED


def test_another_salt_is_another_split_and_a_share_of_nothing_gets_nothing():
    documents = [f"doc{i}" for i in range(1000)]
    agree = sum(split_of(d, SHARES, "a") == split_of(d, SHARES, "b") for d in documents) / 1000
    assert agree == pytest.approx(0.8**2 + 0.15**2 + 0.05**2, abs=0.06)
    assert {split_of(d, {"train": 1.0, "test": 0.0}) for d in documents} == {"train"}


@pytest.mark.parametrize("shares", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}])
def test_shares_must_sum_to_one(shares):
    with pytest.raises(BadParams, match="sum to 1"):
        split_of("doc", shares)


def test_every_document_is_in_one_of_two_halves():
    halves = [half_of(f"document {i}") for i in range(1000)]
    assert set(halves) == {"tune", "report"}
    assert 400 < halves.count("tune") < 600
    assert halves == [half_of(f"document {i}") for i in range(1000)]
