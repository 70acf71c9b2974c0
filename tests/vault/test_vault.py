"""What a vault promises: who may read what, that every use is logged, and that what is withdrawn is gone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import date
from pathlib import Path
from random import Random

import pytest
from vaults import consent, killed_at, manipulations, single_edits

from ocrkit import privacy
from ocrkit.errors import BadVault, PrivateData, Withdrawn
from ocrkit.vault import Donated, NoIdentity, StoreDown, Tampered, Vault, crypto, keys, new_identity, verify_closed
from ocrkit.vault.public import read_roster, roster_of


def test_documents_are_read_for_what_their_donors_agreed_to_and_each_use_is_in_the_log(lab):
    trained, evaluated = lab.add("one"), lab.add("two", "evaluate")
    lab.add("three", until=date(2026, 6, 1))
    lab.add("four", given=date(2999, 1, 1))
    with lab.open() as vault:
        assert [item.id for item in vault.read("train", "weekly model")] == trained
        assert [item.id for item in vault.read("evaluate", "score")] == trained + evaluated
        entries = [entry for entry in vault.log() if entry["what"] in ("read", "refused")]
        assert vault.verify().faults == ()
    reads = [(e["donor"], e["object"], e["use"], e["reason"]) for e in entries if e["what"] == "read"]
    assert reads == [("one", name, "train", "weekly model") for name in trained] + [
        (donor, name, "evaluate", "score") for donor, names in (("one", trained), ("two", evaluated)) for name in names
    ]
    refused = {(e["donor"], e["use"]): (e["objects"], e["why"]) for e in entries if e["what"] == "refused"}
    assert refused["two", "train"] == (2, "not given for the use train")
    assert refused["three", "evaluate"] == (2, "ended on 2026-06-01")
    assert refused["four", "train"] == (2, "not given before 2999-01-01")
    assert {entry["by"]["member"] for entry in entries} == {"ann"}


def test_nothing_is_read_that_was_not_asked_for(lab):
    name, *_ = lab.add("one")
    with lab.open() as vault, pytest.raises(PrivateData, match="was not asked for"):
        vault.fetch(name, "page")


def test_equal_pages_give_unequal_objects_of_unequal_names_and_show_nothing(lab):
    page = b"the same page" * 50
    with lab.open() as vault:
        names = vault.add("one", [Donated("a.png", page), Donated("b.png", page)], consent("one"))
    files = [path for path in (lab.folder / "objects").rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    assert len(set(contents)) == len(files) == 2
    digests = {hashlib.new(kind, page).hexdigest() for kind in ("md5", "sha1", "sha256")}
    assert not digests & {path.name for path in files} | set(names) & {path.name for path in files}
    everything = b"".join(path.read_bytes() for path in lab.folder.rglob("*") if path.is_file())
    assert b"same page" not in everything
    assert b"a.png" not in everything


def test_files_that_are_added_again_add_nothing_and_equal_pages_of_one_document_stay(lab):
    labelled = Donated("a.png", b"a", b"{}")
    sheets = [Donated("b.pdf", b"blank"), Donated("b.pdf", b"blank", first=False), Donated("b.pdf", b"b", first=False)]
    cases = [  # what comes, and how many of its pages are lacking
        ([*sheets, Donated("a.png", b"a")], 4),
        ([*sheets, Donated("other name.png", b"a")], 0),
        ([Donated("c.png", b"c"), Donated("c again.png", b"c")], 1),
        ([labelled, Donated("a.png", b"a")], 0),
        ([Donated("d.pdf", b"blank"), Donated("d.pdf", b"d", first=False)], 1),
    ]
    for documents, lacking in cases:
        with lab.open() as vault:
            added = vault.add("one", list(vault.lacking("one", documents)), consent("one"))
            assert len(added) == lacking, documents
    with lab.open() as vault:
        assert vault.group(added[0]) == added[0]  # its first page was there: it is no page of another document
        assert len(list(vault.lacking("two", sheets))) == 3  # what somebody else gave is theirs
        assert [e["what"] for e in vault.log()] == ["created"] + ["added"] * 3


def test_labels_of_a_page_that_was_sealed_without_any_are_sealed_beside_it(lab):
    page, labelled = Donated("a.png", b"a"), Donated("a.png", b"a", b"{}")
    with lab.open() as vault:
        (name,) = vault.add("one", [page], consent("one"))
        assert vault.newly_labelled("two", [labelled]) == {}  # somebody else's page
        assert vault.newly_labelled("one", [page]) == {}
        assert vault.newly_labelled("one", [labelled]) == {name: b"{}"}
        vault.relabel(vault.newly_labelled("one", [labelled]), "x")
        assert vault.newly_labelled("one", [Donated("a.png", b"a", b"others")]) == {}  # the vault's labels stay
        assert [(item.id, item.page, item.labels) for item in vault.read("train", "x")] == [(name, b"a", b"{}")]


def test_another_consent_holds_for_earlier_documents_only_where_it_is_said_to(lab):
    ids = lab.add("one", "evaluate")
    with lab.open() as vault:
        with pytest.raises(BadVault, match=r"agreed to something else: to evaluate, from 2026-01-01, .*--renew"):
            vault.add("one", [Donated("x.png", b"x")], consent("one", "train"))
        assert vault.grant("train", "x") == []
        vault.add("one", [], consent("one", "train"), renew=True)
        assert vault.grant("train", "x") == ids


def test_a_table_of_an_older_version_is_read_and_written_anew(lab):
    path, identity = lab.folder / "keys.age", keys.find_identity(lab.folder, lab.identity)
    ids = lab.add("one")
    table = keys.load(path, identity)
    documents = {name: its.model_copy(update={"sha256": ""}) for name, its in table.donors["one"].documents.items()}
    donor = table.donors["one"].model_copy(update={"documents": documents})
    keys.save(path, table.model_copy(update={"format": 1, "donors": {"one": donor}}))
    assert len(lab.add("one")) == 2
    with lab.open() as vault:
        assert set(ids) < set(vault.grant("train", "x"))
    assert keys.load(path, identity).format == keys.FORMAT


@pytest.mark.parametrize("renames", ["in one step", "in two"])
def test_a_new_identity_is_there_whole_or_not_at_all_and_takes_no_other_files_place(tmp_path, monkeypatch, renames):
    path, made = tmp_path / "identity", []

    def refused(part, path):
        made.append(part.read_text("utf-8"))
        raise PermissionError(1, "Operation not permitted")

    if renames == "in two":
        monkeypatch.setattr(keys, "CDLL", lambda name: None)
    recipient = new_identity(path)
    assert recipient in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(BadVault, match="exists already"):
        new_identity(path)
    assert path.read_bytes() == before
    monkeypatch.setattr(keys, "_name_new", refused)
    with pytest.raises(BadVault, match="cannot be written"):
        new_identity(tmp_path / "other")
    assert made[0].endswith("\n")  # all of it was there before it had its name
    assert [found.name for found in tmp_path.iterdir()] == ["identity"]


def test_without_an_identity_only_roster_and_address_tell_anything(lab):
    lab.add("donor-with-a-telling-name")
    other = lab.root / "other"
    new_identity(other)
    with pytest.raises(NoIdentity, match="does not open"):
        Vault.open(lab.folder, other)
    assert verify_closed(lab.folder) is None
    for path in lab.folder.rglob("*"):
        assert not path.is_file() or b"telling" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("there", "is_free"),
    [
        ((".gitignore", "audit.jsonl"), True),
        (("audit.jsonl", "audit.head", "keys.age", "roster.json", ".vault.json.01234567.part"), True),
        ((".gitignore", "members"), True),
        (("keys.age", "roster.json"), False),  # the rest of a vault is lost
        ((".gitignore", ".dvcignore", "roster.json", "vault.json"), False),  # as git has it
        (("letter.pdf",), False),
    ],
)
def test_a_vault_begins_anew_where_one_was_begun_and_never_used(tmp_path, there, is_free):
    for name in there:
        (tmp_path / name).mkdir() if name == "members" else (tmp_path / name).touch()
    identity = tmp_path.with_name(f"{tmp_path.name}-identity")
    key = new_identity(identity)
    if is_free:
        Vault.create(tmp_path, "ann", key)
        Vault.open(tmp_path, identity).close()
        assert not list(tmp_path.glob("*.part"))
    with pytest.raises(BadVault, match="holds something already"):
        Vault.create(tmp_path, "bob", key)


def test_an_old_copy_of_all_objects_reads_nothing_of_a_donor_who_withdrew(lab):
    gone, kept = lab.add("gone", pages=3), lab.add("kept", pages=3)
    shutil.copytree(lab.folder / "objects", lab.root / "backup")
    old_keys = (lab.folder / "keys.age").read_bytes()
    with lab.open() as vault:
        blobs = {blob for d in vault.donors["gone"].documents.values() for blob in d.blobs.values()}
        done = vault.withdraw("gone")
        assert list(done.objects) == gone
        with pytest.raises(Withdrawn):
            vault.grant("train", "again", gone)
    shutil.copytree(lab.root / "backup", lab.folder / "objects", dirs_exist_ok=True)
    with lab.open() as vault:
        assert [item.id for item in vault.read("train", "again")] == kept
        todays = [bytes.fromhex(d.key) for d in vault.donors.values() if d.key]
        todays += [bytes.fromhex(vault._table.log_key), bytes.fromhex(vault._table.signing_key)]
        for blob in blobs:
            sealed = vault._store.get(blob)
            for key in todays:
                for name in (*gone, *kept):
                    for kind in ("page", "labels"):
                        with pytest.raises(Tampered):
                            crypto.unseal(key, sealed, vault._about(name, kind, 1))
        assert "removed" in " ".join(vault.verify().notes)  # noise that nothing refers to
        with pytest.raises(BadVault, match="key is gone for good"):
            vault.add("gone", [Donated("x.png", b"x")], consent("gone"))
    assert read_roster(lab.folder)["withdrawn"] == sorted(gone)
    (lab.folder / "keys.age").write_bytes(old_keys)
    with pytest.raises(Tampered, match="an old copy was put back"):
        lab.open()


def test_a_withdrawal_names_the_models_that_learnt_from_it_and_trainings_without_an_end(lab):
    lab.add("one")
    lab.add("two", "evaluate")
    with lab.open() as first:
        list(first.read("train", "first training"))
        assert first.learnt()["objects"]
        assert first.record_model("abc", "models/mine") == ""
    with lab.open() as second:
        list(second.read("train", "killed training"))
    with lab.open() as third:
        list(third.read("evaluate", "score"))
        assert third.learnt() is None
        done = third.withdraw("one")
        assert third.withdraw("two").models == {}
    assert done.models == {"abc": "models/mine"}
    assert done.unfinished == ("killed training",)
    assert done.sessions == (first.session, second.session)


def test_two_people_at_once_one_withdraws_while_the_other_trains(lab):
    """Nothing of that donor is delivered afterwards, nobody crashes, and the log has both."""
    ids = {donor: lab.add(donor, pages=4) for donor in ("one", "two", "three")}
    delivered = []
    with lab.open() as trainer:
        reading = trainer.read("train", "training")
        delivered += [next(reading).id for _ in range(5)]  # one of them of two
        child = os.fork()
        if not child:
            try:
                with lab.open() as other:
                    other.withdraw("two")
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        delivered += [item.id for item in reading]
        assert delivered == ids["one"] + ids["two"][:1] + ids["three"]
        assert "withdrawn meanwhile" in trainer.record_model("abc", "mine")
        assert trainer.verify().faults == ()
        whats = [entry["what"] for entry in trainer.log()]
    assert whats[-2:] == ["withdrawn", "model"]
    assert whats.count("read") == 12


def test_a_broken_log_or_a_store_that_is_down_cannot_stop_a_withdrawal(lab, monkeypatch):
    lab.add("one")
    log = lab.folder / "audit.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    with lab.open() as vault:
        with pytest.raises(Tampered, match="was cut"):
            vault.grant("train", "x")

        def down(names):
            raise StoreDown("The bucket does not answer.")

        monkeypatch.setattr(vault._store, "delete", down)
        done = vault.withdraw("one")
        assert len(done.left) == 2
        assert vault.donors["one"].key is None


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_every_change_cut_swap_replay_and_readdressing_of_objects_is_refused(lab):
    lab.add("one", pages=3)
    lab.add("two", pages=3)
    assert manipulations(lab, most=400) >= 400


@pytest.mark.parametrize("key", ["with the keys", "without"])
def test_single_edits_of_the_log_are_found(lab, key):
    with lab.open() as vault:
        vault.add("one", [Donated(f"{i}.png", b"x") for i in range(20)], consent("one"))
        vault.grant("train", "one by one")
    assert single_edits(lab, key == "with the keys", Random(1), lines=range(1, 22, 3), bytes_a_line=4) > 60


def test_a_run_outside_the_vault_contradicts_a_log_that_was_put_back_whole(lab):
    lab.add("one")
    names = ("audit.jsonl", "audit.head", "keys.age", "roster.json")
    old = {name: (lab.folder / name).read_bytes() for name in names}
    with lab.open() as vault:
        list(vault.read("train", "x"))
        tags = vault.tags()
    witness = (int(tags["vault.entries"]), tags["vault.head"])
    with lab.open() as vault:
        assert vault.verify([witness]).faults == ()
    for name, content in old.items():
        (lab.folder / name).write_bytes(content)
    with lab.open() as vault:
        assert "a run outside the vault was recorded at entry 4" in vault.verify([witness]).faults[0]
    assert "is not the one" in str(verify_closed(lab.folder, [(1, "0" * 64)]))


@pytest.mark.parametrize("task", ["add", "withdraw", "invite", "read"])
def test_a_process_killed_at_a_sync_leaves_the_vault_as_before_or_after(lab, task):
    lab.add("there")
    assert killed_at(lab, task, points=Random(task).sample(range(10), 3)) > 0


# --- bad input --------------------------------------------------------------------------------------------------------


def sentence(call) -> str:
    with pytest.raises(BadVault) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    return text


def test_what_does_not_open_a_vault_is_said_in_a_sentence_and_nothing_is_lost(lab, monkeypatch):
    lab.add("one")
    whole = {path: path.read_bytes() for path in lab.folder.rglob("*") if path.is_file()}
    missing = lab.root / "nowhere"
    assert "cannot be read" in sentence(lambda: Vault.open(lab.folder, missing))
    assert "name your identity file" in sentence(lambda: Vault.open(lab.folder))
    assert "is no vault" in sentence(lambda: Vault.open(lab.root))
    nonsense = lab.root / "nonsense"
    nonsense.write_text("no key at all")
    assert "is no identity of age" in sentence(lambda: Vault.open(lab.folder, nonsense))
    for name, said in (
        ("keys.age", "key table"),
        ("audit.head", "copied whole"),
        ("audit.jsonl", "copied whole"),
        ("vault.json", "copied in part"),
    ):
        (lab.folder / name).rename(lab.root / "moved")
        assert said in sentence(lambda: lab.open().grant("train", "x"))
        (lab.root / "moved").rename(lab.folder / name)
    shutil.move(lab.folder / "objects", lab.root / "objects")
    with lab.open() as vault:
        assert "copied in part" in sentence(lambda: list(vault.read("train", "x")))
        assert "objects are missing" in vault.verify().faults[0]
    shutil.move(lab.root / "objects", lab.folder / "objects")
    for path, content in whole.items():
        assert path.name in ("audit.jsonl", "audit.head") or path.read_bytes() == content
    with lab.open() as vault:
        assert len(list(vault.read("train", "x"))) == 2


def test_a_table_of_a_newer_version_and_a_damaged_one_are_refused(lab, monkeypatch):
    table = keys.load(lab.folder / "keys.age", keys.find_identity(lab.folder, lab.identity))
    keys.save(lab.folder / "keys.age", table.model_copy(update={"format": keys.FORMAT + 1}))
    assert "newer version" in sentence(lab.open)
    whole = (lab.folder / "keys.age").read_bytes()
    for damaged in (b"", b"nonsense", whole[:-1], whole[:200], whole.replace(b"X25519", b"X25518")):
        (lab.folder / "keys.age").write_bytes(damaged)
        sentence(lab.open)


def test_a_vault_that_cannot_be_written_is_not_read_either(lab):
    """What cannot be logged does not happen; tried as an ordinary user, as folders are open to root."""
    if os.getuid():
        pytest.skip("only root can become somebody else")
    lab.add("one")
    with lab.open() as vault:
        list(vault.read("train", "x"))  # all that reading imports, which nobody may read who is not root
    for path in (lab.root, *lab.root.parents, lab.folder):
        if path.stat().st_uid == 0 and "pytest-of-" in str(path):  # as pytest makes them
            path.chmod(0o755)
    for path in lab.folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    lab.identity.chmod(0o444)
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setuid(65534)
            with lab.open() as vault:
                try:
                    list(vault.read("train", "x"))
                except StoreDown as error:
                    code = 0 if "cannot be logged" in str(error) else 2
        except OSError:
            code = 3
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 3:
        pytest.skip("another user cannot reach the folder of temporary files")
    assert status == 0
    with lab.open() as vault:
        assert vault.verify().faults == ()


def test_a_passphrase_opens_a_vault_a_wrong_one_does_not(tmp_path, monkeypatch):
    """One second each: age makes guessing slow."""
    monkeypatch.setenv("OCRKIT_VAULT_PASSPHRASE", "")
    Vault.create(tmp_path / "v", "ann", None, passphrase="right horse")
    said = sentence(lambda: Vault.open(tmp_path / "v"))
    assert "OCRKIT_VAULT_PASSPHRASE" in said
    assert "does not open" in sentence(lambda: Vault.open(tmp_path / "v", ask=lambda what: "wrong"))
    monkeypatch.setenv("OCRKIT_VAULT_PASSPHRASE", "right horse")
    with Vault.open(tmp_path / "v") as vault:
        assert vault.member == "ann"


@pytest.mark.parametrize("key", ["", "age1nonsense", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1ABC", "age1yubikey1zzz"])
def test_what_is_no_public_key_is_refused(lab, key):
    with lab.open() as vault:
        assert "cannot be used" in sentence(lambda: vault.invite("bob", key or " "))
        assert list(vault.members) == ["ann"]


def test_a_second_member_opens_the_vault_with_a_key_of_their_own(lab):
    lab.add("one")
    recipient = new_identity(lab.root / "bob")
    with lab.open() as vault:
        vault.invite("bob", recipient)
        with pytest.raises(BadVault, match="is a member 'bob' already"):
            vault.invite("bob", recipient)
    with Vault.open(lab.folder, lab.root / "bob") as vault:
        assert vault.member == "bob"
        assert len(list(vault.read("train", "x"))) == 2
        assert [entry["by"]["member"] for entry in vault.log()][-1] == "bob"


def test_the_roster_follows_the_table_also_when_git_has_put_an_older_one_back(lab):
    older = (lab.folder / "roster.json").read_bytes()
    lab.add("one", "train")
    newer = (lab.folder / "roster.json").read_bytes()
    (lab.folder / "roster.json").write_bytes(older)
    with lab.open() as vault:
        assert (lab.folder / "roster.json").read_bytes() == newer == roster_of(vault._table)
        list(vault.read("train", "reading changes no roster"))
    assert (lab.folder / "roster.json").read_bytes() == newer
    assert json.loads(newer)["objects"].popitem()[1] == {"until": None, "uses": ["train"], "version": 1}


# --- the process that has opened one ----------------------------------------------------------------------------------


def test_once_a_vault_is_open_nothing_is_dumped_spilled_or_written_without_a_word(lab, tmp_path):
    import resource
    import tempfile

    import dask

    from ocrkit.errors import quoted
    from ocrkit.files import write_whole

    write_whole(tmp_path / "before", "x")
    lab.open().close()
    assert privacy.is_open()
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] <= 1
    assert dask.config.get("distributed.worker.memory.spill", None) is False
    assert tempfile.gettempdir() == "/dev/shm" or not Path(tempfile.gettempdir()).exists()
    assert "ZQXJ" not in quoted("ZQXJ")
    with pytest.raises(PrivateData):
        write_whole(tmp_path / "after", "x")
    with pytest.raises(PrivateData, match="4 donated documents"), privacy.aggregate(4, "The table"):
        pass
    with privacy.aggregate(5, "The table"):
        write_whole(tmp_path / "after", "x")
