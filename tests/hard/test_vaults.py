"""All that is tried on vaults: thousands of changed bytes, hundreds of kills, and one page looked for everywhere.

`pytest tests/hard/test_vaults.py -m slow`, or `make hard`; a plain run of the tests leaves these out.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from random import Random

import cv2
import nbformat
import numpy as np
import pytest
from canary import WORD, found_in, noise, traces
from nbformat.v4 import new_code_cell, new_notebook
from ports import free_port

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vault"))
pytest.importorskip("pyrage", reason="pyrage comes with the extra vault")
import vaults

from ocrkit.vault import Donated

LEARNING = ("finetune", "vault", "--form", "vault", "--load", "fast-print", "--held-out", "0.45", "--epochs")
REPO = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.timeout(3600)]


@pytest.fixture(autouse=True)
def only_when_asked(request: pytest.FixtureRequest) -> None:
    """Minutes, which a plain run of the tests does not have."""
    if "control" not in request.node.name and request.config.getoption("--inputs") <= 100:
        pytest.skip("minutes: run with --inputs 1000, as `make hard` does")


@pytest.fixture
def lab(tmp_path: Path) -> vaults.Lab:
    return vaults.Lab(tmp_path)


def in_child(work) -> int:
    """Let a process of its own do `work`, so that this one never opens a vault; its number travels by a pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, str(work()).encode())
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return int(said)


def test_two_thousand_manipulated_objects_are_refused(lab, record_property):
    def work() -> int:
        lab.add("one", pages=5)
        lab.add("two", pages=5)
        return vaults.manipulations(lab, most=6000)

    tried = in_child(work)
    record_property("measured", f"{tried} manipulated objects, all refused")
    assert tried >= 2000


@pytest.mark.parametrize("with_keys", [True, False], ids=["with keys", "without"])
def test_every_single_edit_of_a_log_of_200_entries_is_found(lab, with_keys, request, record_property):
    """Each line taken out, doubled, moved and cut; of its bytes some changed, with `make hard` a hundred."""
    of_a_line = max(10, request.config.getoption("--inputs") // 100)

    def work() -> int:
        with lab.open() as vault:
            vault.add("one", [Donated(f"{i}.png", b"x") for i in range(66)], vaults.consent("one"))
            for _ in range(3):
                vault.grant("train", "one by one")
            count = len(list(vault.log()))
        assert count == 200
        return vaults.single_edits(lab, with_keys, Random(7), range(1, count + 1), of_a_line)

    tried = in_child(work)
    record_property("measured", f"{tried} single edits of a log of 200 entries, all found, {request.node.callspec.id}")
    assert tried > 2500


def test_a_process_killed_at_any_sync_leaves_the_vault_as_before_or_after(lab, record_property):
    def work() -> int:
        lab.add("there", pages=3)
        return sum(vaults.killed_at(lab, task) for task in vaults.TASKS)

    killed = in_child(work)
    record_property("measured", f"{killed} processes killed around their syncs: each vault as before or as after")
    assert killed >= 200


# --- one page, looked for everywhere ----------------------------------------------------------------------------------


def page_with(words: list[str], marked: bool) -> tuple[np.ndarray, list[dict]]:
    image, labels = vaults.draw_page(words)
    if marked:  # noise at the end of the last word, so that its crop shows it
        x0, y0 = (int(v) for v in labels[-1]["quad"][1])
        patch = noise()
        image[y0 + 3 : y0 + 3 + patch.shape[0], x0 : x0 + patch.shape[1]] = patch
        for corner in (1, 2):
            labels[-1]["quad"][corner][0] += patch.shape[1]
    return image, labels


def test_the_search_finds_what_was_planted_a_control(tmp_path):
    page, _ = page_with(["total", WORD], marked=True)
    png, jpeg = cv2.imencode(".png", page)[1].tobytes(), cv2.imencode(".jpg", page)[1].tobytes()
    import base64

    planted = {
        "raw.bin": page.tobytes(),
        "page.png": png,
        "page.jpg": jpeg,
        "page.html": b"<img src='data:image/png;base64," + base64.b64encode(png) + b"'>",
        "odd.ipynb": b'{"image/jpeg": "' + base64.b64encode(b"ab" + jpeg) + b'"}',
        "words.csv": f"file,text\na.png,{WORD.lower()}\n".encode(),
        "wide.txt": WORD.encode("utf-16"),
    }
    for name, content in planted.items():
        (tmp_path / name).write_bytes(content)
    np.savez_compressed(tmp_path / "crops.npz", pixels=page)
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", WORD)
    (tmp_path / "innocent.png").write_bytes(cv2.imencode(".png", page_with(["total"], False)[0])[1].tobytes())
    hits = {hit.partition(":")[0].rpartition("/")[2] for hit in found_in([tmp_path])}
    assert hits == {*planted, "crops.npz", "all.zip"}
    assert not list(traces(os.urandom(200_000)))


class Place:
    """A project and a home of its own, in which verbs run as processes."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.temporary = root / "project", root / "home", root / "tmp"
        for folder in (self.root / "notebooks", self.home, self.temporary):
            folder.mkdir(parents=True)
        for name in ("params.yaml", ".dvcignore", ".gitignore"):
            shutil.copyfile(REPO / name, self.root / name)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "OCRKIT_", "MLFLOW_"))}
        self.environment = clean | {
            "PATH": path,
            "PYTHONPATH": str(REPO),
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "OCRKIT_VAULT_IDENTITY": str(root / "identity"),
        }
        self.identity = root / "identity"

    def call(self, *command: object, status: int = 0) -> str:
        done = subprocess.run(
            [str(c) for c in command], cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def ocrkit(self, *words: object, status: int = 0) -> str:
        return self.call(sys.executable, "-m", "ocrkit", *words, status=status)

    def fill(self, form: str = "sroie") -> None:
        """A vault of 28 pages of seven donors, labelled by line; the page looked for is the first.

        Which are held out goes by the vault's own key: of so many there are next to never fewer than five on a side.
        """
        self.ocrkit("vault", "init", "--member", "ann", "--new-identity", self.identity)
        (self.root / "wording.txt").write_text("I agree.")
        (self.root / "consent.toml").write_text(
            'uses = ["train", "evaluate", "label"]\nwording = "wording.txt"\ngiven = 2026-01-01\n'
        )
        r = Random(4)
        for donor in range(7):
            plain = self.root.parent / f"plain{donor}"
            plain.mkdir()
            for number in range(4):
                words = ["".join(r.choices("abcdefghkmnoprstu0123456789", k=r.randint(3, 6))) for _ in range(7)]
                marked = donor == number == 0
                page, labels = page_with([*words, WORD] if marked else words, marked)
                cv2.imwrite(str(plain / f"p{number}.png"), page)
                key = "lines" if form == "sroie" else "words"
                (plain / f"p{number}.json").write_text(json.dumps({key: labels}))
            self.ocrkit(
                "vault", "add", plain, "--form", form, "--donor", f"donor-{donor}", "--consent", "consent.toml"
            )  # fmt: skip
            shutil.rmtree(plain)


def label(place: Place, job: str) -> int:
    """Answer a private job as a contractor does, through the page; every answer holds the word looked for."""
    port = free_port()
    (place.root / "nda.txt").write_text("I tell nobody.")
    login = (
        "from pathlib import Path\nfrom ocrkit.labelling.jobs import Store\n"
        "store = Store(Path('labelling/jobs.db'))\n"
        "print(*store.open_session(store.worker('Ada', 'contractors', make=True)))"
    )
    secret, csrf = place.call(sys.executable, "-c", login).split()
    command = [sys.executable, "-m", "ocrkit", "label", "serve", job, "--nda", "nda.txt", "--port", str(port)]
    server = subprocess.Popen(command, cwd=place.root, env=place.environment, stdout=subprocess.PIPE, text=True)
    headers = {"content-type": "application/json", "x-csrf": csrf, "cookie": f"ocrkit-labelling={secret}"}
    headers["origin"] = f"http://localhost:{port}"

    def ask(path: str, body: object = None) -> bytes:
        talk = http.client.HTTPConnection("localhost", port, timeout=60)
        talk.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        response = talk.getresponse()
        data = response.read()
        assert response.status == 200, data
        return data

    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        ask("/accept", {"digest": json.loads(ask("/state"))["nda"]["digest"]})
        head, _, picture = ask("/message", {"kind": "task"}).partition(b"\n")
        answered, seen = 0, b""
        while (reply := json.loads(head))["kind"] == "task":
            seen += picture
            answer = {
                "kind": "answer",
                "task": reply["task"],
                "value": {"text": WORD},
                "seconds": 1,
                "key": f"k{answered}",
            }
            head, _, picture = ask("/message", answer).partition(b"\n")
            answered += 1
        assert reply["kind"] == "done", reply
        assert next(iter(traces(seen)), ""), "the page was shown"
    finally:
        server.terminate()
        server.wait()
    return answered


NOTEBOOK = [
    new_code_cell("overrides = {}", metadata={"tags": ["parameters"]}),
    new_code_cell(
        "from ocrkit.studies import start\nfrom ocrkit.datasets import load_pages, word_samples\n"
        "import PIL.Image\nfrom IPython.display import display\n"
        'P, run = start("train", overrides)\n'
        'samples = list(word_samples(load_pages("vault", "vault", "train")))\n'
        "texts = [sample.text for sample in samples]\n"
        "print(texts)\n"
        "for sample in samples:\n    display(PIL.Image.fromarray(sample.image))\n"
        "handle = display(texts, display_id=True)\nhandle.update(texts)\n"
        "texts"
    ),
    new_code_cell('print(f"{len(texts)} words")', metadata={"tags": ["aggregate"]}),
    new_code_cell(
        "from ocrkit.errors import PrivateData\n"
        "refused = 0\n"
        "import matplotlib.figure\n"
        "figure = matplotlib.figure.Figure(); figure.add_subplot().imshow(samples[0].image)\n"
        "for leak in (lambda: run.log_table('words', {'text': texts}, documents=9),\n"
        "             lambda: run.log_table('few', {'n': [1]}, documents=4),\n"
        "             lambda: run.log_image('crop', samples[0].image),\n"
        "             lambda: run.log_figure('crop', figure, documents=9),\n"
        "             lambda: run.log_figure('none', matplotlib.figure.Figure()),\n"
        "             lambda: run.log_artifact('params.yaml')):\n"
        "    try:\n        leak()\n    except PrivateData:\n        refused += 1\n"
        "assert refused == 6\n"
        "run.log_table('lengths', {'length': [len(text) for text in texts]}, documents=28)\n"
        "run.log_metrics({'words': len(texts)})"
    ),
    new_code_cell("raise ValueError(' '.join(texts))"),
]


def write_project(place: Place) -> None:
    (place.root / "dvc.yaml").write_text(
        "stages:\n"
        "  train:\n"
        "    cmd: python -m ocrkit.experiment.run 30_train\n"
        "    deps: [data/notebooks/30_train.ipynb, vault/roster.json]\n"
        "    params: [base, train]\n"
        "    outs: [runs/train.json, reports/30_train.ipynb, reports/30_train.html, metrics/train.json]\n"
        "  donated:\n"
        "    cmd: mkdir -p models && touch models/donated\n"
        "    deps: [vault/roster.json]\n"
        "    outs: [models/donated]\n"
    )
    nbformat.write(new_notebook(cells=NOTEBOOK), place.root / "notebooks" / "30_train.ipynb")
    place.call("git", "init", "--quiet")
    place.call("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--allow-empty", "-m", "x")


def test_nothing_of_a_donated_page_is_left_anywhere(tmp_path, record_property):
    place = Place(tmp_path)
    write_project(place)
    shared = {path for folder in ("/dev/shm", "/tmp") for path in Path(folder).glob("*")}
    place.fill()
    place.ocrkit("data", "validate", "vault", "--form", "vault")
    place.ocrkit("data", "stats", "vault", "--form", "vault")
    said = place.ocrkit("data", "words", "vault", "--form", "vault", "-o", "vault", "--test")
    assert "Sealed" in said
    place.ocrkit("evaluate", "fast-print", "vault", "--form", "vault", "-o", "report")
    engines = "ours,tesseract" if shutil.which("tesseract") else "ours"
    place.ocrkit("compare", "vault", "--form", "vault", "--engines", engines, "-o", "c.html", "-o", "c.json")
    place.ocrkit("compare", "vault", "--form", "vault", "--engines", engines, "--crops")
    said = place.ocrkit("data", "words", "vault", "--form", "vault", "-o", "crops", status=2)
    assert "stay in their vault" in said
    said = place.ocrkit("data", "suspects", "vault", "--form", "vault", status=2)
    new = ("label", "new", "words", "--from", "vault", "--form", "vault", "--order", "confidence")
    assert " tasks" in place.ocrkit(*new)
    place.ocrkit("label", "status", "words")
    assert label(place, "words") > 100
    place.ocrkit("label", "status", "words")
    assert "Recorded in MLflow" in place.ocrkit("label", "collect", "words")
    place.ocrkit("label", "export", "words", "-o", "plain", "--form", "votes", status=2)
    assert "sealed" in place.ocrkit("label", "export", "words", "-o", "vault", "--form", "vault")
    place.ocrkit(*LEARNING, "1", "-o", "model")
    command = [sys.executable, "-m", "ocrkit", *LEARNING, "400", "-o", "killed"]
    killed = subprocess.Popen(command, cwd=place.root, env=place.environment, stdout=subprocess.PIPE, text=True)
    assert killed.stdout
    for line in killed.stdout:
        if "words seen" in line:
            break
    killed.send_signal(signal.SIGSEGV)  # which would dump its memory
    killed.wait()
    assert "30_train.ipynb failed in its cell 5: ValueError: withheld" in place.call(
        sys.executable, "-m", "ocrkit.experiment.run", "30_train", status=1
    )
    executed = nbformat.read(place.root / "scratch" / "reports" / "30_train.ipynb", 4)
    shown = json.dumps([cell.get("outputs") for cell in executed.cells])
    assert re.search(r"\d+ words", shown), "what a cell tagged `aggregate` prints stays"
    assert "image/png" not in shown
    place.ocrkit("vault", "read", "--use", "evaluate", "--reason", "a look")
    place.ocrkit("vault", "audit", "--donor", "donor-0", "-o", "donor.html")
    said = place.ocrkit("vault", "verify")
    assert re.search(r"[1-9]\d* witness", said), said
    new = [p for folder in ("/dev/shm", "/tmp") for p in Path(folder).glob("*") if p not in shared and p != tmp_path]
    searched = [tmp_path, *(path for path in new if "pytest" not in path.name)]
    files = sum(path.is_file() for folder in searched for path in (folder, *folder.rglob("*")))
    record_property("measured", f"{files} files searched for a donated page")
    assert found_in(searched) == []


def test_one_reading_writes_nothing_outside_the_vault(tmp_path):
    if not shutil.which("strace"):
        pytest.skip("needs strace: apt-get install strace")
    place = Place(tmp_path)
    place.fill()
    trace = tmp_path / "trace"
    place.call(
        "strace", "-f", "-o", trace, "-e", "trace=openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,mknod",
        sys.executable, "-B", "-m", "ocrkit", "vault", "read", "--use", "evaluate", "--reason", "a look",
    )  # fmt: skip
    written = set()
    for line in trace.read_text(errors="replace").splitlines():
        makes = re.search(r"O_WRONLY|O_RDWR|O_CREAT|creat\(|mkdir|rename|link\(|mknod", line)
        if makes and not re.search(r"= -1 E", line):
            written |= set(re.findall(r'"([^"]+)"', line))
    outside = {path for path in written if not path.startswith(("vault/", str(place.root / "vault")))}
    assert outside <= {"/dev/null", "/dev/tty"}, outside
    assert any("audit" in path for path in written)


def test_a_withdrawal_makes_stages_stale_and_models_unfit(tmp_path):
    place = Place(tmp_path)
    write_project(place)
    place.fill("phone")
    place.call("dvc", "init", "--quiet")
    place.call("dvc", "repro", "--quiet", "donated")
    assert "up to date" in place.call("dvc", "status", "donated")
    place.ocrkit("evaluate", "fast-print", "vault", "--form", "vault", "-o", "report")
    assert "up to date" in place.call("dvc", "status", "donated")
    place.ocrkit(
        "finetune",
        "vault",
        "--form",
        "vault",
        "--load",
        "fast-print",
        "--held-out",
        "0.45",
        "--epochs",
        "1",
        "-o",
        "mine",
    )
    comparison = REPO / "tests" / "hard" / "no-comparison.json"
    said = place.ocrkit("promote", "mine/model", "--comparison", comparison, status=2)
    assert "no-comparison.json is no comparison" in said  # consent is no reason yet
    register = (
        "from pathlib import Path\nfrom ocrkit.experiment import setup\nfrom ocrkit.experiment.kept import connect\n"
        "from ocrkit.studies.registry import Registry\nexperiment, client = connect(setup.CHAMPION)\n"
        "registry = Registry(client, experiment)\nregistry.champion()\nregistry.challenger(Path('mine/model'))\n"
        "registry.crown()\n"
    )
    place.call(sys.executable, "-c", register)
    said = place.ocrkit("vault", "withdraw", "donor-0", "--yes")
    assert "Learnt from it: mine/" in said
    assert said.count("is the champion and must be replaced") == 2
    assert "roster.json" in place.call("dvc", "status", "donated")
    said = place.ocrkit("promote", "mine/model", "--comparison", comparison, status=2)
    assert "withdrawn by their donors" in said
    said = place.ocrkit("release", "mine", "gone", "--into", "released", status=2)
    assert "withdrawn by their donors" in said
    assert "Checked" in place.ocrkit("vault", "verify")
    retire = (
        "from ocrkit.experiment import setup\nfrom ocrkit.experiment.kept import connect\n"
        "from ocrkit.studies.registry import RETIRE, Registry\nfrom ocrkit.studies.served import MODELS\n"
        "experiment, client = connect(setup.CHAMPION)\nregistry = Registry(client, experiment)\n"
        "for m in MODELS:\n"
        "    v = client.get_model_version_by_alias(m.name, 'champion')\n"
        "    client.set_model_version_tag(m.name, v.version, RETIRE, '2026-01-01')\n"
    )
    place.call(sys.executable, "-c", retire)
    assert "had to be retired by 2026-01-01" in place.ocrkit("vault", "verify", status=1)
    place.call(
        sys.executable, "-c", retire.partition("for m")[0] + "assert registry.champion().tags['model'] != 'model'\n"
    )
    place.ocrkit("vault", "verify")


def test_a_bucket_holds_the_objects_and_one_that_is_down_is_said(tmp_path, monkeypatch):
    pytest.importorskip("s3fs", reason="s3fs comes with the extra s3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    place = Place(tmp_path)
    place.environment |= {
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "no secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
    }
    place.call(sys.executable, "-c", "import boto3; boto3.client('s3').create_bucket(Bucket='ocr')")
    place.ocrkit(
        "vault", "init", "--member", "ann", "--new-identity", place.identity, "--objects", "s3://ocr/donated"
    )  # fmt: skip
    picture, another = tmp_path / "a.png", tmp_path / "b.png"  # what is there already would not be added again
    cv2.imwrite(str(picture), page_with(["total", WORD], True)[0])
    cv2.imwrite(str(another), page_with([WORD, "total"], True)[0])
    (place.root / "consent.toml").write_text(
        f'uses = ["evaluate"]\nwording_sha256 = "{"0" * 64}"\ngiven = 2026-01-01\n'
    )
    adding = ("vault", "add", "--donor", "one", "--consent", "consent.toml", "--keep")
    place.ocrkit(*adding, picture)
    assert "total" in place.ocrkit("vault", "read", "--use", "evaluate", "--reason", "x")
    listed = "import boto3; print(sum(1 for o in boto3.resource('s3').Bucket('ocr').objects.all()))"
    assert place.call(sys.executable, "-c", listed).strip() == "1"
    place.ocrkit("vault", "verify")
    server.stop()
    began = time.monotonic()
    for words in (("vault", "read", "--use", "evaluate", "--reason", "x"), (*adding, another)):
        said = place.ocrkit(*words, status=2)
        assert "s3://ocr/donated cannot be" in said, said
        assert said.count("\n") == 1
    assert "cannot be" in place.ocrkit("vault", "verify", status=1)
    said = place.ocrkit("vault", "withdraw", "one", "--yes")
    assert "cannot be read any more" in said
    assert "cannot be deleted" in said
    assert time.monotonic() - began < 300
