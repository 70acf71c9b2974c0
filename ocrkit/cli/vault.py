"""`ocrkit vault ...`: donated documents, kept so that only those read them who may, for what their donors allowed."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrkit import privacy
from ocrkit.cli.progress import shown
from ocrkit.cli.verbs import harmless, verb_group
from ocrkit.datasets.forms import PAGE_FORMS, load_pages
from ocrkit.datasets.vault import command_line, donated_files, donated_pages, page_of
from ocrkit.document import counted
from ocrkit.errors import BadParams, BadVault, OcrkitError, Withdrawn
from ocrkit.files import refuse_to_overwrite, whole_file

if TYPE_CHECKING:
    from ocrkit.vault import Vault, Withdrawal

_PATH = click.Path(path_type=Path)

_folder = click.option("--vault", "folder", type=_PATH, default="vault", show_default=True, help="Folder of the vault.")
_identity = click.option(
    "--identity",
    type=_PATH,
    help="File of your age identity or ssh key. Default: what OCRKIT_VAULT_IDENTITY names, else a passphrase.",
)
_key = click.option(
    "--key", help="Public key of the member: age1..., that of an age plugin, ssh-ed25519 ...; default: a passphrase."
)
_new_identity = click.option(
    "--new-identity", type=_PATH, help="Make a new age identity in this file, and use its public key."
)
_force = click.option("--force", is_flag=True, help="Overwrite existing files.")


def _opens(command: Callable[..., None]) -> Callable[..., None]:
    """Which vault, and what opens it."""
    return _folder(_identity(command))


@verb_group()
def vault() -> None:
    """Keep donated documents sealed; log every use; forget a donor for good.

    The vault opens with an age identity, an ssh key, a hardware key's plugin, or a passphrase, which is asked for or
    taken from OCRKIT_VAULT_PASSPHRASE. Give it to other verbs as a folder of --form vault.
    """


@vault.command()
@_folder
@click.option("--member", required=True, help="Your name, as the log has it.")
@_key
@_new_identity
@click.option(
    "--objects", default="", help="Where sealed documents go, such as s3://bucket/prefix. Default: the vault."
)
@click.option("--contact", default="", help="Address that donors write to.")
def init(*, folder: Path, member: str, key: str | None, new_identity: Path | None, objects: str, contact: str) -> None:
    """Make an empty vault."""
    from ocrkit.vault import Vault

    with _credentials(key, new_identity, folder) as (recipient, passphrase):
        Vault.create(folder, member, recipient, objects, contact, passphrase)
    click.echo(f"{folder} is a vault now, and {member} its only member.")
    if new_identity:
        click.echo(f"{new_identity} opens it: keep it apart from the vault, and a copy of it in a safe place.")
    click.echo(f"Put {folder}/vault.json and {folder}/roster.json into git; everything else stays out by itself.")


@vault.command()
@click.argument("name")
@_opens
@_key
@_new_identity
def invite(*, name: str, folder: Path, identity: Path | None, key: str | None, new_identity: Path | None) -> None:
    """Let the member NAME open the vault too."""
    with _opened(folder, identity) as opened, _credentials(key, new_identity, folder) as credentials:
        opened.invite(name, *credentials)
    click.echo(f"{name} can open {folder} now.")


@vault.command()
@click.argument("files", nargs=-1, required=True, type=_PATH)
@_opens
@click.option("--donor", required=True, help="Name of the donor in the vault; better a number than a person's name.")
@click.option("--consent", "consent_file", required=True, type=_PATH, help="TOML file of what the donor agreed to.")
@click.option("--form", type=click.Choice(sorted(set(PAGE_FORMS) - {"vault"})), help="FILES are labelled folders.")
@click.option("--renew", is_flag=True, help="This consent replaces another one, for all that DONOR has given.")
@click.option("--delete/--keep", default=None, help="Delete FILES once they are sealed, or keep them, without asking.")
def add(
    *,
    files: tuple[Path, ...],
    folder: Path,
    identity: Path | None,
    donor: str,
    consent_file: Path,
    form: str | None,
    renew: bool,
    delete: bool | None,
) -> None:
    """Seal FILES, pictures or PDFs, as documents of a donor; all of them or none.

    What is sealed for the donor already is not added again; labels that it lacks are.
    """
    from ocrkit.vault import load_consent

    if form and delete:
        raise BadParams("Labelled folders are not deleted: do it by hand once the documents are in the vault.")
    consent = load_consent(consent_file, donor)
    with _opened(folder, identity) as opened:
        if form:
            pages = [page for source in files for page in load_pages(source, form)]
            documents = list(donated_pages(shown(pages, "Reading", "pages")))
        else:
            documents = list(donated_files(shown(files, "Reading", "files")))
        lacking = list(opened.lacking(donor, documents))
        labels = opened.newly_labelled(donor, documents)
        added = opened.add(donor, lacking, consent, renew)
        if labels:
            opened.relabel(labels, command_line())
    if added or renew:
        click.echo(f"Sealed: {counted(len(added), 'page')} of {donor}, for {', '.join(consent.uses) or 'no use'}.")
    if labels:
        click.echo(f"Labelled: {counted(len(labels), 'page')}, sealed before without labels.")
    if known := len(documents) - len(lacking) - len(labels):
        kept = ", with the labels that the vault has" if form else ""
        click.echo(f"Not added again: {counted(known, 'page')}, sealed already{kept}.")
    if form:
        click.echo("The labelled pages are still there as plain files: nobody protects them but you.")
        return
    if delete is None:
        delete = sys.stdin.isatty() and click.confirm(f"Delete the {counted(len(files), 'plain file')}?")
    if delete:
        for path in files:
            path.unlink()
        click.echo("Deleted. Disks keep what is deleted for a while, and SSDs longer: that is no erasure.")
    else:
        click.echo("The plain files are still there: nobody protects them but you.")


@vault.command("list")
@_opens
@click.option("--documents", is_flag=True, help="List every page.")
def list_(*, folder: Path, identity: Path | None, documents: bool) -> None:
    """List donors, what they allow and until when, and members."""
    with _opened(folder, identity) as opened:
        today = datetime.now(UTC).date()
        for name, its in sorted(opened.donors.items()):
            consent = its.consent
            state = f"until {consent.until or 'withdrawn'}"
            if today < consent.given:
                state = f"from {consent.given} on"
            if consent.withdrawn:
                state = f"withdrawn on {consent.withdrawn}"
            elif consent.until and today > consent.until:
                state = f"ended on {consent.until}"
            labelled = sum(document.version > 0 for document in its.documents.values())
            pages = f"{counted(len(its.documents), 'page')}, {labelled} labelled"
            click.echo(f"{name:<20} {pages:<24} {', '.join(consent.uses):<24} {state}")
            for number, document in its.documents.items() if documents else ():
                click.echo(harmless(f"  {number}  {document.added}  {document.name}"))
        click.echo(f"Members: {', '.join(opened.members)}.")


@vault.command()
@click.argument("ids", nargs=-1)
@_opens
@click.option("--use", required=True, type=click.Choice(["train", "evaluate", "label"]), help="What it is read for.")
@click.option("--reason", required=True, help="What it is read for, in words that its donor will see.")
@click.option("--raw", is_flag=True, help="Write the picture's own bytes to standard output, of one page.")
def read(*, ids: tuple[str, ...], folder: Path, identity: Path | None, use: Any, reason: str, raw: bool) -> None:
    """Read donated pages, by default all that may be, and print their text; nothing is written to a file."""
    if raw and (len(ids) != 1 or sys.stdout.isatty()):
        raise BadParams("--raw is for one page, and for a pipe: a terminal cannot show it.")
    with _opened(folder, identity) as opened:
        granted = opened.grant(use, reason, ids or None)
        if ids and len(granted) < len(ids):
            raise BadVault(f"{counted(len(ids) - len(granted), 'page')} may not be read for the use {use}.")
        if raw:
            sys.stdout.buffer.write(opened.fetch(granted[0], "page"))
            return
        from ocrkit.documents.reader import Reader

        reader = Reader()
        for name in granted:
            with suppress(Withdrawn):
                text = reader.read(page_of(opened, name).image()).text
                click.echo(f"== {name}\n{text}" if len(granted) > 1 else text)
        if not granted:
            click.echo(f"No page may be read for the use {use}.")


@vault.command()
@click.argument("donor")
@_opens
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(*, donor: str, folder: Path, identity: Path | None, yes: bool) -> None:
    """Destroy the key to what DONOR gave: no copy of it can be read any more. Nothing brings it back.

    Models that learnt from it are named, and tagged in the project's registry.
    """
    with _opened(folder, identity) as opened:
        if donor in opened.donors and not yes:
            count = len(opened.donors[donor].documents)
            click.confirm(f"Destroy the key to {counted(count, 'page')} of {donor} for good?", abort=True)
        done = opened.withdraw(donor)
    click.echo(f"{counted(len(done.objects), 'page')} of {donor} cannot be read any more, by anybody.")
    for sentence in _aftermath(done):
        click.echo(sentence)
    click.echo(f"Commit {folder}/roster.json: stages that depend on it are made anew.")
    click.echo(f"Not undone: what was read before, and old copies of {folder}/keys.age, which its members can open.")


def _aftermath(done: Withdrawal) -> Sequence[str]:
    """What is left to do, a sentence each."""
    said = [f"Learnt from it: {name} ({model[:12]}). Delete it, and train anew." for model, name in done.models.items()]
    said += [f"Read to train without a model in the end, but weights may lie about: {r}" for r in done.unfinished]
    said += [f"Not done: {reason}" for reason in done.left]
    if done.sessions:
        from ocrkit.studies import donated  # needs the laboratory's packages

        with _in_project(said):
            said += donated.tag_withdrawn(done.sessions)
    return said


class _in_project:  # reads as a statement
    """Around what asks MLflow: where it cannot be asked, that is said in its place."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, ImportError | OcrkitError):
            self._said.append(f"MLflow was not asked: {error}")
            return True
        return False


@vault.command()
@_opens
@click.option("--donor", help="Only what this donor's documents were used for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a line an entry.")
@click.option("-o", "--output", type=_PATH, help="Write the page of --donor, for the donor to see (.html).")
@_force
def audit(
    *, folder: Path, identity: Path | None, donor: str | None, as_json: bool, output: Path | None, force: bool
) -> None:
    """Show the log: who read what, when and for what."""
    if output and not donor:
        raise BadParams("A page is about one donor: give --donor.")
    with _opened(folder, identity) as opened:
        if donor and donor not in opened.donors:
            raise BadVault(f"There is no donor {donor!r}.")
        if output:
            refuse_to_overwrite([output], [], force)
            with privacy.without_content():  # names of files and uses, for the donor
                _write_private(output, _page(opened, donor or "").encode())
            click.echo(f"Written: {output}")
            return
        entries = [entry for entry in opened.log() if donor in (None, entry.get("donor"))]
    for entry in entries:
        click.echo(json.dumps(entry, ensure_ascii=False) if as_json else _told(entry))


def _page(opened: Vault, donor: str) -> str:
    from ocrkit.vault.page import donor_page

    return donor_page(donor, opened.donors[donor], list(opened.log()), opened.contact, str(opened.folder))


def _told(entry: dict[str, Any]) -> str:
    """An entry as a line."""
    details = {
        "read": "{donor} {object} for {use}: {reason}",
        "refused": "{donor} for {use}, {objects} of its pages, {why}: {reason}",
        "labelled": "{donor} {object}: {reason}",
        "added": "{donor} {objects}",
        "withdrawn": "{donor} {objects}",
        "exported": "{donor} {objects}",
        "model": "{name} ({model})",
        "invited": "{member}",
        "created": "",
        "damaged": "{found}",
    }[entry["what"]]
    told = {name: counted(len(value), "page") if isinstance(value, list) else value for name, value in entry.items()}
    return f"{entry['n']:>6}  {entry['time']}  {entry['by']['member']:<12} {entry['what']:<10} {details.format(**told)}"


@vault.command()
@_opens
@click.pass_context
def verify(context: click.Context, *, folder: Path, identity: Path | None) -> None:
    """Check log, key table and every object; the exit status is 1 if anything is not what was written.

    The log is checked against the runs of the project's MLflow store too. Without an identity the chain of the log and
    its signature are checked, and no more.
    """
    from ocrkit.vault import NoIdentity, Tampered, Vault, read_about, verify_closed

    about = read_about(folder)
    notes: list[str] = []
    witnesses: list[tuple[int, str]] = []
    faults: list[str] = []
    with _in_project(notes):
        from ocrkit.experiment import paths

        paths.root()  # else there is no store either, and no need for the laboratory's packages
        from ocrkit.studies import donated

        witnesses = donated.witnesses(about["vault"])
        faults += donated.overdue()
    try:
        with Vault.open(folder, identity) as opened:
            found = opened.verify(witnesses)
            faults, notes = [*found.faults, *faults], [*notes, *found.notes]
            checked = f"{counted(found.entries, 'entry', 'entries')}, {counted(found.objects, 'object')}"
    except NoIdentity as error:
        notes.append(f"Only the chain was checked: {error}")
        faults += [str(broken)] if (broken := verify_closed(folder, witnesses)) else []
        checked = "the log's chain"
    except Tampered as error:
        faults.insert(0, str(error))
        checked = "the log"
    for note in notes:
        click.echo(f"note: {note}")
    for fault in faults:
        click.echo(f"error: {fault}")
    click.echo(
        f"Checked: {checked}, {counted(len(witnesses), 'witness', 'witnesses')}; {counted(len(faults), 'error')}."
    )
    context.exit(1 if faults else 0)


@vault.command("export-donor")
@click.argument("donor")
@_opens
@click.option("-o", "--output", required=True, type=_PATH, help="ZIP file for the donor.")
@click.option("--to", "recipient", help="Encrypt the file for this public key of the donor's (age1... or ssh-...).")
@_force
def export_donor(
    *, donor: str, folder: Path, identity: Path | None, output: Path, recipient: str | None, force: bool
) -> None:
    """Write all that the vault holds of DONOR, for the donor: documents, labels, consent, log, and a page."""
    from ocrkit.vault.keys import encrypt_for

    refuse_to_overwrite([output], [], force)
    with _opened(folder, identity) as opened:
        files = {**opened.export(donor), "index.html": _page(opened, donor).encode()}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    content = archive.getvalue()
    with privacy.without_content():  # asked for, and the donor's own
        _write_private(output, encrypt_for(recipient, content) if recipient else content)
    click.echo(f"Written: {output}, {counted(len(files), 'file')}.")
    if not recipient:
        click.echo("Nothing protects it: give it to the donor, then delete it. --to encrypts it for the donor.")


def _opened(folder: Path, identity: Path | None) -> Vault:
    from ocrkit.vault import Vault

    return Vault.open(folder, identity)


@contextmanager
def _credentials(key: str | None, new_identity: Path | None, folder: Path) -> Iterator[tuple[str | None, str]]:
    """A public key, or else a passphrase; of a new identity no file is left where it came to open nothing."""
    from ocrkit.vault.keys import TABLE, find_identity, new_passphrase_for
    from ocrkit.vault.keys import load as load_table
    from ocrkit.vault.keys import new_identity as make_identity

    if key and new_identity:
        raise BadParams("--key and --new-identity exclude each other.")
    if not new_identity:
        yield (key, "") if key else (None, new_passphrase_for(folder))
        return
    recipient = make_identity(new_identity)
    try:
        yield recipient, ""
    except BaseException:
        try:
            load_table(folder / TABLE, find_identity(folder, new_identity))
        except BadVault:
            new_identity.unlink()
        raise


def _write_private(path: Path, content: bytes) -> None:
    """Write what only this user may read."""
    with whole_file(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            os.fchmod(file.fileno(), 0o600)
        file.write(content)
