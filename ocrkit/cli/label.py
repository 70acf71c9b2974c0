"""`ocrkit label ...`: labels by people, from a job to a data set that models learn from."""

from __future__ import annotations

import getpass
import json
import math
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrkit.cli.options import jobs_option, model_option, optional_form_option, redundancy_option
from ocrkit.cli.verbs import harmless, verb_group
from ocrkit.document import counted
from ocrkit.errors import BadParams
from ocrkit.labelling.export import FORMS, digest_of, export, summary
from ocrkit.labelling.jobs import Job, NewTask, Store, only_server
from ocrkit.labelling.mturk import SANDBOX
from ocrkit.labelling.order import ORDERS, Reading
from ocrkit.labelling.pools import CLOSED, DEFAULT, POOLS, PrivateData, check_pool
from ocrkit.labelling.templates import Template, load_template
from ocrkit.sockets import listen

if TYPE_CHECKING:
    from ocrkit.documents.reader import Reader
    from ocrkit.labelling.tasks import WordReader

_OTHER_MODEL = "fast-synthetic"

_port_option = click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port.")
_origin_option = click.option(
    "--origin", help="Address of the page as browsers see it, such as https://label.example.org."
)
_endpoint_option = click.option(
    "--endpoint",
    envvar="OCRKIT_MTURK_ENDPOINT",
    default=SANDBOX,
    show_default=True,
    help="Address of Mechanical Turk: the sandbox's, where nothing costs, or the real one's.",
)


@verb_group()
def label() -> None:
    """Have words, pages and doubtful labels answered by people; take the labels for training."""


@label.command()
@click.argument("name")
@click.option(
    "--template", default="transcribe", show_default=True, help="Built-in template, or a TOML file that extends one."
)
@click.option("--from", "folder", required=True, type=click.Path(path_type=Path), help="Labelled or plain pictures.")
@optional_form_option
@click.option("--order", type=click.Choice(ORDERS), default="disagreement", show_default=True, help="What comes first.")
@click.option("--count", type=click.IntRange(min=1), help="Number of tasks. Default: all.")
@redundancy_option
@click.option("--gold", type=click.Path(path_type=Path), help="Folder of crops whose labels are known to be right.")
@click.option("--suspects", is_flag=True, help="Ask about the labels of FOLDER that the model doubts, with `verify`.")
@click.option("--equal", is_flag=True, help="Ask about each of equal pictures, rather than about one of them.")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of what is random.")
@model_option
@click.option("--other-model", default=_OTHER_MODEL, show_default=True, help="Second reader, to disagree with.")
@jobs_option
def new(
    *,
    name: str,
    template: str,
    folder: Path,
    form: str | None,
    order: str,
    count: int | None,
    redundancy: int | None,
    gold: Path | None,
    suspects: bool,
    equal: bool,
    seed: int,
    model: str | None,
    other_model: str,
    jobs_path: Path,
) -> None:
    """Make the job NAME of the words or pages in a folder.

    Without --form the folder holds shards, a labels.csv, or plain pictures of pages, whose words are found first. Words
    that two models read differently come first, then those that the first is least sure of; a fifth is random.
    """
    from ocrkit.recognition.model import alphabet_of, find_model

    if suspects and equal:
        raise BadParams("--equal is not for --suspects: what is decided of a picture holds for those that are equal.")
    chosen = load_template("verify" if suspects and template == "transcribe" else template)
    changes: dict[str, Any] = {"redundancy": redundancy} if redundancy else {}
    if gold and not chosen.gold_share:
        changes["gold_share"] = 0.1
    if chosen.alphabet == "model":
        changes["alphabet"] = alphabet_of(find_model(model)).characters
    chosen = chosen.model_copy(update=changes)
    with Store(jobs_path, make=True) as store:
        store.check_new(name)
        tasks, about, private, kind = _tasks(
            chosen, folder, form, order, count, gold, suspects, equal, seed, model, other_model
        )
        about |= {"order": "doubt" if suspects else order, "seed": seed, "made": time.strftime("%Y-%m-%d")}
        job = store.add_job(name, chosen, tasks, str(folder.resolve()), kind, private, about)
        told = store.progress(job)
    of_gold = sum(task.gold is not None for task in tasks)
    golden = f" and {counted(of_gold, 'gold one')}" if of_gold else ""
    click.echo(f"{name}: {counted(told['tasks'], 'task')}{golden}, {chosen.title!r}.")
    if private:
        click.echo(f"Only people under an agreement may see them: ocrkit label serve {name} --nda agreement.txt")
    else:
        click.echo(f"Answer them yourself: ocrkit label serve {name} --local")


def _tasks(
    template: Template,
    folder: Path,
    form: str | None,
    order: str,
    count: int | None,
    gold: Path | None,
    suspects: bool,
    equal: bool,
    seed: int,
    model: str | None,
    other_model: str,
) -> tuple[list[NewTask], dict[str, Any], bool, str]:
    """The tasks of a new job, facts about their making, whether they are private, and the form of their source."""
    from ocrkit.datasets import load_crops
    from ocrkit.labelling.tasks import (
        page_tasks,
        pages_of,
        read_by,
        suspect_tasks,
        word_tasks,
        words_of,
    )
    from ocrkit.recognition.model import find_model, identity
    from ocrkit.recognition.recognizer import load_recognizer

    def reader() -> Reader:
        from ocrkit.documents.reader import Reader

        return Reader(model)

    if template.interface != "text":
        pages, private = pages_of(folder, form, reader if template.interface == "boxes" else None)
        kind = form or "pictures"
        return page_tasks(pages, template.interface == "boxes", count, equal), {}, private, kind
    material = words_of(folder, form, reader)
    about = {"model": identity(find_model(model))}
    if suspects:
        if material.private:
            raise PrivateData("Labels of donated documents are not written into a job to be doubted.")
        from ocrkit.recognition.suspects import DECISIONS, decided, find_suspects, read_decisions

        samples = decided(material.samples, read_decisions(folder / DECISIONS))
        doubted = find_suspects(samples, load_recognizer(model))
        if not doubted:
            raise BadParams(f"The model reads every word of {folder} as labelled: there is nothing to ask.")
        return suspect_tasks(doubted[:count]), about, material.private, material.form
    first: WordReader = load_recognizer(model)
    second: WordReader | None = load_recognizer(other_model) if order == "disagreement" else None
    if second:
        about["other_model"] = identity(find_model(other_model))
    known = load_crops(gold) if gold else []
    readings: list[Reading] = read_by(material.samples, first, second)
    gold_readings = read_by(known, first)
    tasks = word_tasks(material.samples, readings, order, count, seed, known, gold_readings, material.places, equal)
    return tasks, about, material.private, material.form


@label.command()
@click.argument("template")
@_port_option
def preview(template: str, port: int) -> None:
    """Show TEMPLATE, built in or a TOML file, with invented examples in the browser; nothing is kept."""
    from ocrkit.labelling.tasks import example_tasks

    chosen = load_template(template)
    with Store(None) as store:
        job = store.add_job("preview", chosen, example_tasks(chosen))
        _serve_local(store, job, port)


@label.command()
@click.argument("job")
@click.option("--local", is_flag=True, help="Let only you in, from this machine, without a passkey.")
@click.option(
    "--pool",
    type=click.Choice(["contractors", "prolific"]),
    default=DEFAULT,
    show_default=True,
    help="Who comes.",
)
@click.option("--nda", type=click.Path(path_type=Path), help="Text of the agreement that contractors accept first.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@_port_option
@_origin_option
@click.option("--behind-proxy", is_flag=True, help="Believe a proxy on this machine where people come from.")
@jobs_option
def serve(
    *,
    job: str,
    local: bool,
    pool: str,
    nda: Path | None,
    host: str,
    port: int,
    origin: str | None,
    behind_proxy: bool,
    jobs_path: Path,
) -> None:
    """Show the tasks of JOB on a page, to yourself (--local) or to people whom `ocrkit label invite` lets in.

    Contractors log in with a passkey, which wants https, by a proxy in front of this, or localhost, by an ssh tunnel.
    """
    with only_server(jobs_path), Store(jobs_path) as store:
        found = store.job(job)
        check_pool(found, POOLS["notebook" if local else pool])
        _check(store, found)
        if local:
            _serve_local(store, found, port)
            return
        serve_page, make_page = _server()
        address = origin or f"http://localhost:{port}"
        text = _read_text(nda) if nda else ""
        if pool == "prolific":
            from ocrkit.labelling import prolific

            api = prolific.Prolific()
            page = make_page(
                store, found, POOLS[pool], address, door=prolific.door(store, found, api), most=prolific.TASKS_A_PLACE,
                done_url=f"https://app.prolific.com/submissions/complete?cc={api.code(found)}",
            )  # fmt: skip
        else:
            from ocrkit.labelling.tasks import reopened

            pictures = reopened(found) if found.private else None
            page = make_page(store, found, POOLS[pool], address, nda=text, pictures=pictures)
        with listen(host, port) as listening:
            click.echo(f"{job} is shown at {address}; stop with Ctrl-C.")
            serve_page(page, listening, behind_proxy)


def _serve_local(store: Store, job: Job, port: int) -> None:
    """Show a job to whoever started this, by an address with a secret."""
    serve_page, make_page = _server()
    key = secrets.token_urlsafe(16)
    with listen("127.0.0.1", port) as listening:
        address = f"http://localhost:{listening.getsockname()[1]}"
        page = make_page(store, job, POOLS["notebook"], address, local=key, local_name=getpass.getuser())
        click.echo(f"Open {address}/?key={key} in a browser; stop with Ctrl-C.")
        serve_page(page, listening)


def _server() -> tuple[Callable[..., None], Callable[..., Any]]:
    from ocrkit.labelling.server import Page
    from ocrkit.labelling.server import serve as serve_page

    return serve_page, Page


def _check(store: Store, job: Job) -> None:
    from ocrkit.labelling.tasks import check_pictures

    if not job.private:
        check_pictures(store, job)


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise BadParams(f"{path} cannot be read as UTF-8 text: {error}.") from None


@label.command()
@click.argument("person")
@_port_option
@_origin_option
@jobs_option
def invite(person: str, port: int, origin: str | None, jobs_path: Path) -> None:
    """Print an address by which the contractor PERSON can make a passkey, once and within a week."""
    with Store(jobs_path) as store:
        secret = store.invite(person, "contractors")
    click.echo(f"{origin or f'http://localhost:{port}'}/#invitation={secret}")


@label.command()
@click.argument("person")
@click.argument("state", type=click.Choice(["active", "paused", "dismissed"]))
@click.option("--why", default="", help="Reason, for the audit.")
@jobs_option
def worker(person: str, state: Any, why: str, jobs_path: Path) -> None:
    """Pause or dismiss PERSON, or take them back; a dismissal ends their login at once."""
    with Store(jobs_path) as store:
        store.set_state(store.person(person), state, why)
    click.echo(f"{person} is {state}.")


@label.command()
@click.argument("job")
@click.option("--pool", required=True, type=click.Choice(["mturk", "prolific"]), help="Crowd that is asked.")
@click.option("--most-usd", type=click.FloatRange(min=0), help="What it may cost with the pool's fee.")
@click.option("--publish", is_flag=True, help="Let Prolific show the study at once, rather than keep it as a draft.")
@_origin_option
@_endpoint_option
@jobs_option
def send(
    job: str, pool: str, most_usd: float | None, publish: bool, origin: str | None, endpoint: str, jobs_path: Path
) -> None:
    """Send the tasks of JOB to a crowd, if it costs no more than --most-usd; without that, say what it would cost."""
    with Store(jobs_path) as store:
        found = store.job(job)
        if pool == "mturk":
            from ocrkit.labelling import mturk

            check_pool(found, POOLS[pool])
            click.echo(CLOSED, err=True)
            count, usd = mturk.send(store, found, mturk.client(endpoint), most_usd)
            click.echo(f"Sent: {counted(count, 'task')}, for ${usd:,.2f} at most.")
        else:
            from ocrkit.labelling import prolific

            if not origin or not origin.startswith("https://"):
                raise BadParams("Prolific's people come to your page: name its address with --origin https://...")
            study, usd = prolific.send(store, found, prolific.Prolific(), origin.rstrip("/"), most_usd, publish)
            state = "published" if publish else "a draft: publish it at Prolific, or look at it there first"
            click.echo(f"The study {study} is {state}; ${usd:,.2f} at most.")


@label.command()
@click.argument("job", required=False)
@click.option("--audit", is_flag=True, help="Show who was shown which task, when, and everything that was refused.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@jobs_option
def status(job: str | None, audit: bool, as_json: bool, jobs_path: Path) -> None:
    """Say how far each job is, or all about JOB: agreement, speed, cost, and each person's rate."""
    from ocrkit.files import plain
    from ocrkit.labelling.aggregate import results

    with Store(jobs_path) as store:
        if audit:
            _show_audit(store, job)
            return
        if job is None:
            for each in store.jobs():
                told = store.progress(each)
                by = {0: "nobody yet", 1: "1 person"}.get(told["people"], f"{told['people']} people")
                click.echo(f"{each.name:<24} {told['done']:>7,} of {counted(told['tasks'], 'task')} done by {by}")
            if not store.jobs():
                click.echo("There are no jobs yet: make one with `ocrkit label new`.")
            return
        found = store.job(job)
        labels = results(store.votes(found))
        told = summary(store, found, labels)
        if as_json:
            click.echo(json.dumps(plain(told), indent=1))
            return
        for name, value in told.items():
            click.echo(f"{name:>20}  {_figure(value)}")
        people = {person.id: person for person in store.people()}
        click.echo(f"{'person':>20}  {'answers':>7}  right, by the others  {'gold':>5}  seconds  state")
        for person in labels.people.values():
            who, rate = people[person.worker], person.rate
            gold = f"{person.gold.value:.2f}" if person.gold else "-"
            click.echo(
                f"{who.name[:20]:>20}  {person.answers:>7,}  {rate.value:.3f} ({rate.low:.3f}-{rate.high:.3f})  "
                f"{gold:>5}  {person.seconds:>7.1f}  {who.state}"
            )


def _show_audit(store: Store, job: str | None) -> None:
    """A line for each thing that happened, in all jobs or in one."""
    only = store.job(job).id if job else None
    rows = [row for row in store.audited() if only in (None, row["job"])]
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["at"]))
        task = f"task {row['task']}" if row["task"] else ""
        parts = [when, row["what"], row["name"], row["address"], task, row["detail"]]
        click.echo(harmless("  ".join(str(part) for part in parts if part)))
    if not rows:
        click.echo("Nothing has been shown to anybody yet, and nothing refused.")


def _figure(value: float) -> str:
    """A number of a job; a dash for what too few answers tell."""
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if math.isnan(value) else f"{value:.3f}"


@label.command()
@click.argument("job")
@click.option("--adjudicate", metavar="NAME", help="Make the job NAME of what people did not agree on.")
@_endpoint_option
@jobs_option
def collect(job: str, adjudicate: str | None, endpoint: str, jobs_path: Path) -> None:
    """Fetch what a crowd answered, approve or reject it, put all answers together, and record a run in MLflow."""
    from ocrkit.labelling.aggregate import results
    from ocrkit.labelling.tasks import adjudication

    with Store(jobs_path) as store:
        found = store.job(job)
        for pool in sorted({row["pool"] for row in store.sent(found)}):
            settled = _collect(store, found, pool, endpoint)
            click.echo(
                f"{pool}: {settled.new:,} new answers, {settled.approved:,} approved, {settled.rejected:,} rejected."
            )
        labels = results(store.votes(found))
        told = summary(store, found, labels)
        sure = sum(result.is_sure for result in labels.results.values())
        click.echo(
            f"{job}: {told['answers']:,} answers to {told['tasks']:,} tasks; "
            f"{sure:,} labels are sure, {told['unsure']:,} not."
        )
        tasks = adjudication(store, found, labels) if adjudicate else []
        if adjudicate and not tasks:
            why = "Nothing is left to decide" if told["answers"] else "Nobody has answered yet"
            click.echo(f"{why}: no job {adjudicate} is made.")
        elif adjudicate:
            template = load_template("adjudicate").model_copy(update={"alphabet": found.template.alphabet})
            about = {"of": job, **found.about}
            made = store.add_job(adjudicate, template, tasks, found.source, found.form, found.private, about)
            click.echo(f"{adjudicate}: {counted(store.progress(made)['tasks'], 'task')}.")
        _record(store, found, told, labels)


def _collect(store: Store, job: Job, pool: str, endpoint: str) -> Any:
    if pool == "mturk":
        from ocrkit.labelling import mturk

        return mturk.collect(store, job, mturk.client(endpoint))
    from ocrkit.labelling import prolific

    return prolific.collect(store, job, prolific.Prolific())


def _record(store: Store, job: Job, told: dict[str, Any], labels: Any) -> None:
    """Record a run, where there are a project and MLflow; else say why not."""
    try:
        from ocrkit.experiment.paths import NoProject
        from ocrkit.studies.labelling import record

        documents = {task["document"] for task in store.tasks(job) if task["id"] in labels.results}
        run = record(job, told, labels, digest_of(store, job), len(documents))
    except ImportError as missing:
        click.echo(f"No run is recorded: {missing.name} is not installed.", err=True)
    except (NoProject, PrivateData) as error:
        click.echo(f"No run is recorded: {error}", err=True)
    else:
        click.echo(f"Recorded in MLflow's experiment Labelling, run {run}.")


@label.command("export")
@click.argument("job")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--form", type=click.Choice(FORMS), default="crops", show_default=True, help="What is written.")
@click.option("--unsure", is_flag=True, help="Also write labels that people did not agree on.")
@jobs_option
def export_(job: str, output: Path, form: str, unsure: bool, jobs_path: Path) -> None:
    """Write the labels of JOB as a data set to learn from, and where each comes from as about/provenance.json.

    Those of a job about donated pages are sealed in their vault: --form vault -o VAULT.
    """
    with Store(jobs_path) as store:
        counts = export(store, store.job(job), output, form, unsure)
    written = sum(counts.pop(name, 0) for name in ("written", "answers", "keep", "fix", "drop"))
    left_out = "".join(f"; {count:,} {why}" for why, count in counts.items())
    click.echo(f"{output}: {written:,} {'sealed' if form == 'vault' else 'written'}{left_out}.")
    if form == "crops":
        click.echo(f"Learn from them: ocrkit finetune {output} --form crops -o mymodel")
