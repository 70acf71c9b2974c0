"""Options and arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.datasets.forms import PAGE_FORMS

_PATH = click.Path(path_type=Path)
_MOST_THREADS = 1024
_MOST_PAGES = 10_000_000

folder_argument = click.argument("folder", type=_PATH)
folders_argument = click.argument("folders", type=_PATH, nargs=-1, required=True)
form_option = click.option("--form", required=True, type=click.Choice(sorted(PAGE_FORMS)), help="Format of the labels.")
optional_form_option = click.option(
    "--form", type=click.Choice(sorted(PAGE_FORMS)), help="Format of the labels in FOLDER."
)
half_option = click.option(
    "--half", type=click.Choice(["tune", "report"]), help="Use only one half of the pages, split by a hash."
)
model_option = click.option("--model", help="A released model's name, or a model's folder. Default: the default model.")
champion_option = click.option(
    "--champion",
    is_flag=True,
    help="Read with the champion of MLflow's registry; while a rollout runs, its share with the challenger.",
)


def _few(context: click.Context, parameter: click.Parameter, threads: int | None) -> int | None:
    if threads is not None and threads > _MOST_THREADS:
        raise click.BadParameter(f"no more than {_MOST_THREADS} threads can be had.")
    return threads


threads_option = click.option("--threads", type=click.IntRange(min=1), callback=_few, help="Number of threads.")
one_thread_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    callback=_few,
    default=1,
    show_default=True,
    help="Number of threads of each engine or runtime.",
)


class PageNumbers(click.ParamType):
    """Numbers of pages, such as `1-3,7`: a frozen set."""

    name = "pages"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[int]:
        """The numbers that `value` names."""
        if isinstance(value, frozenset):
            return value
        numbers: set[int] = set()
        for part in str(value).split(","):
            first, dash, last = (end.strip() for end in part.partition("-"))
            if not (first.isdecimal() and (last.isdecimal() or not dash) and 0 < int(first) <= int(last or first)):
                self.fail(f"{value} does not name pages as 1-3,7 does.", param, ctx)
            if int(last or first) > _MOST_PAGES:
                self.fail(f"no document has {int(last or first):,} pages.", param, ctx)
            numbers.update(range(int(first), int(last or first) + 1))
        return frozenset(numbers)


jobs_option = click.option(
    "--jobs",
    "jobs_path",
    type=_PATH,
    default=Path("labelling/jobs.db"),
    show_default=True,
    envvar="OCRKIT_JOBS",
    help="File of all labelling jobs.",
)
redundancy_option = click.option(
    "--redundancy", type=click.IntRange(1, 50), help="People a task. Default: the template's."
)
pages_option = click.option(
    "--pages", type=PageNumbers(), metavar="1-3,7", help="Read only these pages; a PDF keeps its others as they are."
)
store_option = click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    default="service",
    show_default=True,
    help="Folder of the reading service: its queue, index, documents and results.",
)
shared_option = click.option(
    "--shared", default="", metavar="PLACE", help="Keep documents and results here instead, such as s3://bucket/folder."
)
jails_option = click.option(
    "--jails", type=click.IntRange(1, 256), help="Number of documents read at once. Default: one a core."
)
no_jail_option = click.option(
    "--no-jail", is_flag=True, help="Read without a jail; only for documents whose makers you trust."
)
all_pages_option = click.option(
    "--all-pages", is_flag=True, help="Read all pages of long documents, not only the first ten."
)
force_option = click.option("--force", is_flag=True, help="Overwrite existing files, but never an input.")
fonts_option = click.option(
    "--fonts",
    multiple=True,
    default=("packages",),
    show_default=True,
    metavar="SOURCE",
    help="Where fonts come from: packages, system, or a folder such as data/fonts; may be repeated.",
)
