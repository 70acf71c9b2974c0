"""What every verb of the `ocrkit` command shares: how loud it is, and how it says what went wrong."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from errno import EPIPE
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unicodedata import category

import click
from click.shell_completion import CompletionItem

from ocrkit.errors import BadImage, OcrkitError

if TYPE_CHECKING:
    from ocrkit.images import Source

FAILED = 2  # exit status where something could not be done

_LOGGER = logging.getLogger("ocrkit")
_QUIET = "ocrkit.quiet"  # in the context of a call


class Verb(click.Command):
    """A command with `-v` and `-q`, which set what the logger `ocrkit` tells on standard error."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params += [
            click.Option(
                ["-v", "--verbose"], count=True, expose_value=False, callback=_louder, help="Say more; -vv even more."
            ),
            click.Option(
                ["-q", "--quiet"],
                is_flag=True,
                expose_value=False,
                callback=_quieter,
                help="Show no progress and no warnings, only errors.",
            ),
        ]


class VerbGroup(click.Group):
    """A group whose commands are `Verb`s."""

    command_class = Verb
    group_class = type

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; an `OcrkitError` ends it with its sentence and status 2.

        So does what the machine refuses, such as a full disk or a working folder that was deleted, unless `-vv` asks
        for the place in the code.
        """
        try:
            return super().invoke(ctx)
        except OcrkitError as error:
            complain(error)
        except MemoryError:
            complain("There is not enough memory for this.")
        except OSError as error:
            if error.errno in (None, EPIPE) or _LOGGER.level == logging.DEBUG:
                raise
            complain(f"{error.filename or 'A file'}: {error.strerror}.")
        return ctx.exit(FAILED)


class LazyVerbs(VerbGroup):
    """The top group, whose verbs live in modules of `ocrkit.cli` and are imported when they are used."""

    def __init__(self, *args: Any, verbs: dict[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, sorted."""
        return sorted(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or `None`."""
        if cmd_name not in self._verbs:
            return None
        return getattr(import_module(f"ocrkit.cli.{cmd_name}"), cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, or the options, without importing any verb."""
        verbs = [CompletionItem(name, help=text) for name, text in self._verbs.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._verbs.items()))


def verb(name: str | None = None) -> Callable[[Callable[..., Any]], Verb]:
    """Make a function a verb of its own, as `click.command` does."""
    return click.command(name, cls=Verb)


def verb_group() -> Callable[[Callable[..., Any]], VerbGroup]:
    """Make a function a group of verbs, as `click.group` does."""
    return click.group(cls=VerbGroup)


def standard_input_or(file: str) -> Source:
    """The bytes of standard input for `-`, else the name as it is.

    Raises:
        BadImage: standard input is closed, or cannot be read.
    """
    return standard_input() if file == "-" else file


def standard_input() -> bytes:
    """The bytes of standard input.

    Raises:
        BadImage: it is closed, or cannot be read.
    """
    try:
        return sys.stdin.buffer.read()
    except (AttributeError, OSError, ValueError) as error:  # Python has none in place of one that is closed
        why = f": {error.strerror}" if isinstance(error, OSError) else ": it is closed"
        raise BadImage(f"Standard input cannot be read{why}.") from None


def complain(message: OcrkitError | str) -> None:
    """Say on standard error what went wrong."""
    click.echo(harmless(f"ocrkit: {message}"), err=True)


def harmless(text: str) -> str:
    """`text` as a terminal may see it: what would steer it, such as an escape in the name of a file, becomes `?`."""
    return "".join("?" if category(sign) == "Cc" and sign not in "\n\t" else sign for sign in text)


def is_quiet() -> bool:
    """Whether `-q` was given."""
    return _LOGGER.level > logging.WARNING


class _ToStandardError(logging.Handler):
    """Messages as click writes them, to the standard error of the moment, which tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(harmless(f"ocrkit: {self.format(record)}"), file=sys.stderr)


def set_loudness(level: int) -> None:
    """Let the logger `ocrkit` tell on standard error what is of `level` or above."""
    _LOGGER.setLevel(level)
    if not any(isinstance(handler, _ToStandardError) for handler in _LOGGER.handlers):
        _LOGGER.addHandler(_ToStandardError())
        _LOGGER.propagate = False


def _louder(context: click.Context, parameter: click.Parameter, count: int) -> None:
    if count or not context.meta.get(_QUIET):  # whichever of the two options click looks at first
        set_loudness(logging.WARNING - 10 * min(count, 2))


def _quieter(context: click.Context, parameter: click.Parameter, quiet: bool) -> None:
    if quiet:
        context.meta[_QUIET] = True
        set_loudness(logging.ERROR)
