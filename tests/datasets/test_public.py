"""Data sets and books from a server that breaks off, lies and moves, and from archives that mean harm."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import load_pages, public
from ocrkit.datasets.public import BOOKS_LOCK, DATA_SETS, ORIGIN, fetch_books, fetch_data_set
from ocrkit.download import download, package_address
from ocrkit.errors import BadDataset, OcrkitError


@dataclass
class Site:
    """What a local server has, how it misbehaves, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)  # per request: a status, or after how many bytes to hang up
    silence_s: float = 0  # before it hangs up
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def site(monkeypatch):
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers["Range"]
            site.asked.append((self.path, wanted))
            fault = site.faults.pop(0) if site.faults else None
            if self.path in site.moved:
                self.send_response(302)
                self.send_header("Location", site.moved[self.path])
                self.end_headers()
                return
            if self.path not in site.files or (fault and 400 <= fault < 600):
                self.send_error(fault or 404)
                return
            content = site.files[self.path]
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and site.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][:fault])
            if fault:
                time.sleep(site.silence_s)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited between tries; none of them really."""
    waited = []
    monkeypatch.setattr("ocrkit.download.time", SimpleNamespace(sleep=waited.append))
    return waited


BODY = bytes(range(256)) * 4000  # no two blocks of which may be mixed up
SHA256 = hashlib.sha256(BODY).hexdigest()


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# --- downloading ---------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_through_a_redirect_and_not_again(tmp_path, site):
    site.files["/a"], site.moved["/old?id=1&src=0"] = BODY, "/a"
    for _ in range(2):
        assert download(f"{site.address}/old?id=1&src=0", tmp_path / "a.zip", SHA256) == tmp_path / "a.zip"
    assert (tmp_path / "a.zip").read_bytes() == BODY
    assert site.asked == [("/old?id=1&src=0", None), ("/a", None)]
    assert names(tmp_path) == ["a.zip"]


def test_a_server_that_hangs_up_is_asked_for_the_rest_after_growing_pauses(tmp_path, site, pauses):
    site.files["/a"], site.faults = BODY, [300_000, 503, 100_000]
    told = []
    download(f"{site.address}/a", tmp_path / "a", SHA256, told.append)
    assert (tmp_path / "a").read_bytes() == BODY
    assert [wanted for _, wanted in site.asked] == [None, "bytes=300000-", "bytes=300000-", "bytes=400000-"]
    assert pauses == [1, 2, 4]
    assert told == [
        f"fetching {site.address}/a",
        "the connection was cut after 300000 of 1024000 bytes; trying again in 1 s",
        "503 Service Unavailable; trying again in 2 s",
        "the connection was cut after 400000 of 1024000 bytes; trying again in 4 s",
    ]


def test_a_server_that_falls_silent_is_asked_again(tmp_path, site, pauses, monkeypatch):
    monkeypatch.setattr("ocrkit.download._TIMEOUT_S", 0.2)
    site.files["/a"], site.faults, site.silence_s = BODY, [1000], 1
    told = []
    download(f"{site.address}/a", tmp_path / "a", SHA256, told.append)
    assert (tmp_path / "a").read_bytes() == BODY
    assert told[1:] == ["timed out; trying again in 1 s"]


@pytest.mark.parametrize(
    ("begun", "ranges", "asked"),
    [
        (BODY[:1000], True, ["bytes=1000-"]),
        (BODY[:1000], False, ["bytes=1000-"]),  # a server that knows no ranges sends all of it
        (BODY, True, ["bytes=1024000-"]),  # it had all arrived when the call was killed
        (b"x" * 1000, True, ["bytes=1000-", None]),  # the beginning of something else
        (b"x" * 2_000_000, True, ["bytes=2000000-", None]),
    ],
)
def test_a_half_download_of_an_earlier_call_is_continued(tmp_path, site, begun, ranges, asked):
    site.files["/a"], site.ranges = BODY, ranges
    (tmp_path / "a.part").write_bytes(begun)
    download(f"{site.address}/a", tmp_path / "a", SHA256)
    assert (tmp_path / "a").read_bytes() == BODY
    assert [wanted for _, wanted in site.asked] == asked
    assert names(tmp_path) == ["a"]


def test_without_a_checksum_no_pieces_of_two_calls_are_joined(tmp_path, site):
    site.files["/a"] = BODY
    (tmp_path / "a.part").write_bytes(b"older")
    download(f"{site.address}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY


def test_another_file_than_expected_is_refused_and_leaves_nothing(tmp_path, site):
    site.files["/a"] = b"something else"
    with pytest.raises(BadDataset, match=r"/a is not the file that was expected: its SHA-256 is [0-9a-f]{64}, not "):
        download(f"{site.address}/a", tmp_path / "a", SHA256)
    assert names(tmp_path) == []


def test_what_is_not_there_is_said_at_once(tmp_path, site, pauses):
    with pytest.raises(BadDataset, match=r"/b cannot be fetched: the server answers 404 Not Found\.$"):
        download(f"{site.address}/b", tmp_path / "b", SHA256)
    assert (len(site.asked), pauses, names(tmp_path)) == (1, [], [])


def test_a_dead_server_is_given_up_and_what_had_arrived_is_kept(tmp_path, site, pauses):
    site.files["/a"], site.faults = BODY, [1000, 500, 500, 500, 500]
    with pytest.raises(BadDataset, match=r"\(500 Internal Server Error\): try again later, or .* --from\.$"):
        download(f"{site.address}/a", tmp_path / "a", SHA256)
    assert pauses == [1, 2, 4, 8]
    assert (tmp_path / "a.part").read_bytes() == BODY[:1000]
    with pytest.raises(BadDataset, match=r"\(Connection refused\): try again later"):
        download("http://127.0.0.1:9/a", tmp_path / "a", SHA256)
    assert names(tmp_path) == ["a.part"]


@contextmanager
def full_disk():
    """No file may grow beyond 200 kB: writing fails as on a full disk."""
    resource = pytest.importorskip("resource", reason="file size limits are a Unix matter")
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_in_a_sentence_and_leaves_the_place_empty(tmp_path, site, pauses):
    site.files["/a"] = BODY
    with pytest.raises(OcrkitError, match=r"^\S+/a cannot be written: File too large\.$"), full_disk():
        download(f"{site.address}/a", tmp_path / "a", SHA256)
    assert (pauses, names(tmp_path)) == ([], ["a.part"])


# --- data sets -----------------------------------------------------------------------------------------------------


def png():
    content = io.BytesIO()
    PIL.Image.new("L", (60, 30), 255).save(content, "png")
    return content.getvalue()


FORM = json.dumps({"form": [{"words": [{"text": "Date:", "box": [5, 5, 30, 20]}]}]}).encode()
RECEIPT = b"1,2,50,2,50,20,1,20,TOTAL 9,90\r\n"
CORNERS = {"x1": 5, "y1": 5, "x2": 30, "y2": 5, "x3": 30, "y3": 20, "x4": 5, "y4": 20}
CORD = json.dumps({"valid_line": [{"words": [{"text": "TOTAL", "quad": CORNERS}]}]}).encode()

FUNSD_MEMBERS = {
    "dataset/training_data/images/1.png": png(),
    "dataset/training_data/annotations/1.json": FORM,
    "dataset/testing_data/images/2.png": png(),
    "dataset/testing_data/annotations/2.json": FORM,
    "__MACOSX/dataset/training_data/annotations/._1.json": b"of no use",
    "dataset/.DS_Store": b"of no use",
}


def zipped(members, compression=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


@pytest.fixture
def publish(site, monkeypatch):
    """Have the server keep these archives, one for each part or one for all, as the data set `name`."""

    def publish(name, *archives):
        parts = [
            replace(part, url=f"{site.address}/{part.archive}", sha256=hashlib.sha256(archive).hexdigest())
            for part, archive in zip(DATA_SETS[name], archives * (2 // len(archives)))
        ]
        monkeypatch.setitem(DATA_SETS, name, tuple(parts))
        site.files |= {f"/{part.archive}": archive for part, archive in zip(parts, archives)}
        return [f"/{part.archive}" for part in parts]

    return publish


def test_every_pinned_archive_has_an_address_and_a_checksum():
    parts = [part for parts in DATA_SETS.values() for part in parts]
    assert [part.folder for part in parts] == [
        "training_data", "testing_data", "train", "test", "train", "test",
        "ocrmypdf-9.8.2", "pypdf-7.1.1", "img2table-2.0.0", "page_dewarp-0.1.5",
    ]  # fmt: skip
    assert len({(part.url, part.sha256) for part in parts}) == 9  # FUNSD is one archive
    for part in parts:
        assert part.url is None or part.url.startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", part.sha256)


def test_a_packages_archive_is_found_in_the_index_that_pip_uses(site, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.address}/simple")
    site.files["/simple/page-dewarp/"] = b"""<a href="../../files/page_dewarp-0.1.4.tar.gz#sha256=1">0.1.4</a>
        <a href="../../files/page_dewarp-0.1.5.tar.gz#sha256=2" data-yanked="no&amp;">0.1.5</a>"""
    assert package_address("page_dewarp-0.1.5.tar.gz") == f"{site.address}/files/page_dewarp-0.1.5.tar.gz"
    with pytest.raises(BadDataset, match=r"has no page_dewarp-9.9.tar.gz.*--from"):
        package_address("page_dewarp-9.9.tar.gz")
    with pytest.raises(BadDataset, match=r"does not answer \(404"):
        package_address("other-1.0.tar.gz")


def test_funsd_is_one_archive_for_two_folders_that_can_be_read_at_once(tmp_path, site, publish):
    publish("funsd", zipped(FUNSD_MEMBERS))
    folders = fetch_data_set("funsd", tmp_path)
    assert folders == [tmp_path / "training_data", tmp_path / "testing_data"]
    assert len(site.asked) == 1
    assert [path for path in names(tmp_path) if (tmp_path / path).is_file()] == [
        "testing_data/annotations/2.json", "testing_data/archive.sha256", "testing_data/images/2.png",
        "training_data/annotations/1.json", "training_data/archive.sha256", "training_data/images/1.png",
    ]  # fmt: skip
    assert [page.texts for folder in folders for page in load_pages(folder, "funsd")] == [["Date:"], ["Date:"]]


def test_sroie_lays_the_labels_beside_the_images_as_its_form_has_them(tmp_path, publish):
    receipts = [zipped({f"images/{i}.jpg": png(), f"annotations/{i}.txt": RECEIPT}) for i in "12"]
    publish("sroie", *receipts)
    folders = fetch_data_set("sroie", tmp_path / "new" / "sroie")
    assert [folder.name for folder in folders] == ["train", "test"]
    assert [page.lines[0].text for folder in folders for page in load_pages(folder, "sroie")] == ["TOTAL 9,90"] * 2
    assert names(folders[0]) == ["1.jpg", "1.txt", ORIGIN]


def test_cord_keeps_its_folders_and_notes_where_it_comes_from(tmp_path, publish):
    archives = [zipped({f"image/receipt_{i}.png": png(), f"json/receipt_{i}.json": CORD}) for i in range(2)]
    publish("cord", *archives)
    train, _ = fetch_data_set("cord", tmp_path)
    assert names(train) == [ORIGIN, "image", "image/receipt_0.png", "json", "json/receipt_0.json"]
    assert [page.texts for page in load_pages(train, "cord")] == [["TOTAL"]]
    assert (train / ORIGIN).read_text() == f"{hashlib.sha256(archives[0]).hexdigest()}  cord_train.zip\n"


def test_a_second_fetch_does_nothing_and_a_lost_part_is_brought_again(tmp_path, site, publish):
    urls = publish("cord", *(zipped({f"json/{i}.json": CORD}) for i in range(2)))
    first = fetch_data_set("cord", tmp_path)
    before = {path: (tmp_path / path).stat().st_mtime_ns for path in names(tmp_path)}
    assert fetch_data_set("cord", tmp_path) == first
    assert {path: (tmp_path / path).stat().st_mtime_ns for path in names(tmp_path)} == before
    assert len(site.asked) == 2
    for path in [*(tmp_path / "test").rglob("*.*"), tmp_path / "test" / "json", tmp_path / "test"]:
        path.rmdir() if path.is_dir() else path.unlink()
    fetch_data_set("cord", tmp_path)
    assert [path for path, _ in site.asked] == [*urls, urls[1]]


def test_archives_given_are_known_by_their_checksum_and_nothing_is_downloaded(tmp_path, site, publish):
    test = zipped({"annotations/2.txt": RECEIPT, "images/2.jpg": png()})
    publish("sroie", zipped({"annotations/1.txt": RECEIPT}), test)
    mine = tmp_path / "any name.zip"
    mine.write_bytes(test)
    told = []
    assert fetch_data_set("sroie", tmp_path / "sroie", [mine], told.append) == [tmp_path / "sroie" / "test"]
    assert (site.asked, mine.read_bytes()) == ([], test)
    assert told == [f"{tmp_path / 'sroie' / 'train'}: left out, as sroie2019_train_task1.zip was not given"]


def test_a_given_archive_that_is_not_a_pinned_one_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "mine.zip").write_bytes(b"something else")
    with pytest.raises(BadDataset, match=r"mine\.zip is no archive of funsd: its SHA-256, [0-9a-f]{64}, is none"):
        fetch_data_set("funsd", tmp_path / "funsd", [tmp_path / "mine.zip"])
    with pytest.raises(BadDataset, match=r"none\.zip cannot be read: No such file or directory\.$"):
        fetch_data_set("funsd", tmp_path / "funsd", [tmp_path / "none.zip"])
    assert names(tmp_path) == ["mine.zip"]


def test_a_folder_of_that_name_that_comes_from_elsewhere_is_never_touched(tmp_path, site, publish):
    publish("cord", zipped({"json/1.json": CORD}))
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "mine.txt").write_text("mine")
    with pytest.raises(BadDataset, match=r"train is there already, but not from cord_train\.zip: remove it or choose"):
        fetch_data_set("cord", tmp_path)
    assert (names(tmp_path), site.asked) == (["train", "train/mine.txt"], [])


def test_a_name_that_is_none_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(BadDataset, match="There is no data set 'mnist'; choose one of funsd, sroie, cord"):
        fetch_data_set("mnist", tmp_path)


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member


HARMFUL = {
    "up": (zipped({"json/../../../evil.json": CORD}), "points out of the folder"),
    "up, as Windows writes it": (zipped({"json\\..\\..\\evil.json": CORD}), "points out of the folder"),
    "absolute": (zipped({"/json/evil.json": CORD}), "points out of the folder"),
    "drive": (zipped({"C:/json/evil.json": CORD}), "points out of the folder"),
    "link": (zipped({link("json/passwd.json"): b"/etc/passwd"}), "is a link or device"),
    "bomb": (zipped({"json/1.json": bytes(10**7)}, zipfile.ZIP_DEFLATED), r"10000000 bytes would come out of \d+"),
    "twice the same": (zipped({"a/json/1.json": CORD, "b/json/1.json": CORD}), "File exists"),
    "nothing of it": (zipped({"readme.txt": b"hello"}), "holds nothing of train"),
    "no archive": (b"hello", "File is not a zip file"),
    "damaged": (zipped({"json/1.json": CORD}).replace(CORD, CORD.upper()), "Bad CRC-32"),
}


@pytest.mark.parametrize(("archive", "why"), HARMFUL.values(), ids=HARMFUL)
def test_an_archive_that_means_harm_writes_nothing_anywhere(tmp_path, publish, archive, why):
    publish("cord", archive)
    with pytest.raises(OcrkitError, match=why):
        fetch_data_set("cord", tmp_path / "a" / "b" / "cord")
    assert [path for path in names(tmp_path) if (tmp_path / path).is_file()] == ["a/b/cord/.cord_train.zip"]


def test_a_disk_that_fills_while_unpacking_leaves_no_half_folder_and_the_next_call_goes_on(tmp_path, site, publish):
    publish("cord", zipped({"json/1.json": CORD, "image/1.png": bytes(300_000)}), zipped({"json/2.json": CORD}))
    (tmp_path / ".cord_train.zip").write_bytes(site.files["/cord_train.zip"])
    with pytest.raises(OcrkitError, match=r"cannot be unpacked to \S+/train: File too large\.$"), full_disk():
        fetch_data_set("cord", tmp_path)
    assert (names(tmp_path), site.asked) == ([".cord_train.zip"], [])
    fetch_data_set("cord", tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["test", "train"]
    assert site.asked == [("/cord_test.zip", None)]


def test_a_killed_call_leaves_no_half_folder_and_the_next_one_tidies_up(tmp_path, publish):
    members = {f"json/{i}.json": os.urandom(1000) for i in range(20)}
    archive = tmp_path / "cord.zip"
    archive.write_bytes(zipped(members))
    publish("cord", archive.read_bytes(), b"test")
    program = (
        "import pathlib, sys, time\n"
        "from dataclasses import replace\n"
        "from ocrkit.datasets import public\n"
        "archive, folder = map(pathlib.Path, sys.argv[1:])\n"
        "train, test = public.DATA_SETS['cord']\n"
        "public.DATA_SETS['cord'] = (replace(train, sha256=public.checksum(archive)), test)\n"
        "copy, copied = public.shutil.copyfileobj, []\n"
        "def slowly(*files):\n"
        "    copy(*files), copied.append(1)\n"
        "    if len(copied) == 10: print('half', flush=True), time.sleep(60)\n"
        "public.shutil.copyfileobj = slowly\n"
        "public.fetch_data_set('cord', folder, [archive])\n"
    )
    folder = tmp_path / "cord"
    with subprocess.Popen([sys.executable, "-c", program, archive, folder], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"half\n"
        child.send_signal(signal.SIGKILL)
    assert [path.name[:7] for path in folder.iterdir()] == [".train."]
    assert fetch_data_set("cord", folder, [archive]) == [folder / "train"]
    assert [path.name for path in folder.iterdir()] == ["train"]
    assert len(names(folder / "train" / "json")) == 20


# --- packages -------------------------------------------------------------------------------------------------------


def tarred(members, link=None):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "elsewhere"
            archive.addfile(info)
    return content.getvalue()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write an archive as that of the first package with real pages."""

    def package(content):
        first = DATA_SETS["realpages"][0]
        monkeypatch.setitem(DATA_SETS, "realpages", (replace(first, sha256=hashlib.sha256(content).hexdigest()),))
        archive = tmp_path / first.archive
        archive.write_bytes(content)
        return archive

    return package


def test_of_a_package_only_the_pages_are_kept(tmp_path, package):
    inside = {
        "ocrmypdf-9.8.2/tests/resources/linn.png": png(),
        "ocrmypdf-9.8.2/tests/resources/other.png": png(),
        "ocrmypdf-9.8.2/docs/linn.png": b"another",
        "ocrmypdf-9.8.2/tests/resources/linn.png.txt": b"text",
    }
    [folder] = fetch_data_set("realpages", tmp_path / "pages", [package(tarred(inside))])
    assert names(folder) == [ORIGIN, "linn.png"]
    assert (folder / "linn.png").read_bytes() == png()


@pytest.mark.parametrize(
    ("members", "link", "message"),
    [
        ({"../linn.png": b"", "ocrmypdf-9.8.2/tests/resources/linn.png": b""}, None, "points out of the folder"),
        ({"ocrmypdf-9.8.2/tests/resources/linn.png": b""}, "ocrmypdf-9.8.2/link", "is a link or device"),
        ({"ocrmypdf-9.8.2/setup.py": b""}, None, "holds nothing of ocrmypdf-9.8.2"),
    ],
)
def test_a_package_that_could_do_harm_or_lacks_the_pages_is_refused(tmp_path, package, members, link, message):
    with pytest.raises(BadDataset, match=message):
        fetch_data_set("realpages", tmp_path / "pages", [package(tarred(members, link))])
    assert names(tmp_path / "pages") == []


# --- books ---------------------------------------------------------------------------------------------------------

BOOK = (
    "\ufeffThe Project Gutenberg eBook of Émile\n*** START OF THE BOOK ***\nDéjà vu\n*** END OF THE BOOK ***\n".encode()
)


@pytest.fixture
def shelf(site, monkeypatch):
    monkeypatch.setattr(public, "_BOOK_URL", f"{site.address}/cache/epub/{{0}}/pg{{0}}.txt")
    site.files |= {f"/cache/epub/{i}/pg{i}.txt": BOOK + b"%d" % i for i in (11, 84)}
    return site


def test_books_are_fetched_once_and_their_checksums_recorded(tmp_path, shelf):
    books = fetch_books([11, 84], tmp_path)
    assert [book.name for book in books] == ["pg11.txt", "pg84.txt"]
    assert books[0].read_bytes() == BOOK + b"11"
    lock = json.loads((tmp_path / BOOKS_LOCK).read_text())
    assert lock == {book.name: hashlib.sha256(book.read_bytes()).hexdigest() for book in books}
    assert fetch_books([84, 11], tmp_path) == books[::-1]
    assert len(shelf.asked) == 2
    assert names(tmp_path) == [BOOKS_LOCK, "pg11.txt", "pg84.txt"]


def test_a_book_that_changed_here_or_upstream_is_said_and_how_to_go_on(tmp_path, shelf):
    (book,) = fetch_books([11], tmp_path)
    book.write_bytes(BOOK + b"touched")
    with pytest.raises(BadDataset, match=r"pg11\.txt is not the text recorded in \S+: remove it, and it is fetched"):
        fetch_books([11], tmp_path)
    book.unlink()
    shelf.files["/cache/epub/11/pg11.txt"] = BOOK + b"second edition"
    with pytest.raises(BadDataset, match=r"pg11\.txt has changed at its source since .* remove its line there"):
        fetch_books([11], tmp_path)
    assert names(tmp_path) == [BOOKS_LOCK]
    (tmp_path / BOOKS_LOCK).write_text("{}")
    fetch_books([11], tmp_path)
    assert book.read_bytes() == BOOK + b"second edition"


def test_books_already_here_or_in_a_given_folder_need_no_internet(tmp_path, shelf):
    (tmp_path / "mine").mkdir()
    for folder, number in (("mine", 11), (".", 84)):
        (tmp_path / folder / f"pg{number}.txt").write_bytes(BOOK)
    fetch_books([11, 84], tmp_path, tmp_path / "mine")
    assert (shelf.asked, sorted(json.loads((tmp_path / BOOKS_LOCK).read_text()))) == ([], ["pg11.txt", "pg84.txt"])
    with pytest.raises(BadDataset, match=r"mine/pg98\.txt cannot be read: No such file or directory\.$"):
        fetch_books([98], tmp_path, tmp_path / "mine")


def test_a_page_of_apology_is_never_taken_for_a_book(tmp_path, shelf):
    shelf.files["/cache/epub/11/pg11.txt"] = b"<html>Sign in to this network</html>"
    with pytest.raises(BadDataset, match=r"What came as pg11\.txt is no text of Project Gutenberg\.$"):
        fetch_books([11], tmp_path)
    with pytest.raises(BadDataset, match=r"pg5\.txt cannot be fetched: the server answers 404 Not Found"):
        fetch_books([5], tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", ["[1]", "{", '"pg11.txt"'])
def test_a_damaged_record_of_books_is_said(tmp_path, content):
    (tmp_path / BOOKS_LOCK).write_text(content)
    with pytest.raises(BadDataset, match=rf"{re.escape(BOOKS_LOCK)} cannot be read: "):
        fetch_books([11], tmp_path)


# --- the verb ------------------------------------------------------------------------------------------------------


def run(*arguments):
    done = CliRunner().invoke(main, ["data", *map(str, arguments)])
    return done.exit_code, done.output


def test_the_verb_fetches_a_data_set_that_stats_reads(tmp_path, publish):
    publish("funsd", zipped(FUNSD_MEMBERS))
    code, text = run("fetch", "funsd", tmp_path / "funsd")
    assert code == 0
    line = text.splitlines()[-1]
    assert line == f"{tmp_path}/funsd/testing_data is there; look at it: " + (
        f"ocrkit data stats {tmp_path}/funsd/testing_data --form funsd"
    )
    code, text = run(*line.partition("ocrkit data ")[2].split())
    assert code == 0
    assert re.search(r"pages\s+1\n", text)


def test_the_verb_fetches_books_by_numbers_repeated_or_with_commas(tmp_path, shelf):
    assert run("fetch", "gutenberg", tmp_path, "--ids", "11,84", "--ids", "11") == (
        0,
        f"fetching {shelf.address}/cache/epub/11/pg11.txt\n"
        f"fetching {shelf.address}/cache/epub/84/pg84.txt\n"
        f"2 books lie in {tmp_path}.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["gutenberg", "F"], "Books need --ids, such as --ids 11,84"),
        (["gutenberg", "F", "--ids", "11,alice"], "numbers are wanted, such as 11,84"),
        (["funsd", "F", "--ids", "11"], "--ids is for gutenberg only"),
        (["mnist", "F"], "'mnist' is not one of 'funsd', 'sroie', 'cord', 'realpages', 'gutenberg'"),
        (["funsd", "F", "--from", "none.zip"], "Path 'none.zip' does not exist"),
        (["funsd", "F", "--from", "."], "cannot be read: Is a directory"),
    ],
)
def test_bad_input_of_the_verb_is_one_sentence(tmp_path, monkeypatch, arguments, why):
    monkeypatch.chdir(tmp_path)
    code, text = run("fetch", *arguments)
    assert (code, names(tmp_path)) == (2, [])
    assert why in text
