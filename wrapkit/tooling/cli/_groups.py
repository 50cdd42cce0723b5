"""Groups of commands that are imported when they are asked for.

A command ``NAME`` is the click command ``NAME`` of the module ``_NAME`` in this folder; a command
of the group ``GROUP`` is that of ``_GROUP_NAME``. The one-line helps stand with the group, so that
``wrapkit --help`` imports no command and with it neither rich nor protobuf.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for.

    Args:
        summaries: the one-line help of each command.
        prefix: what the modules' names have in front of the commands'.
    """

    def __init__(
        self, *arguments: Any, summaries: Mapping[str, str], prefix: str = "_", **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._summaries = summaries
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's shape
        return list(self._summaries)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's shape
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in self._summaries:
            return None
        module = importlib.import_module(f"{__package__}.{self._prefix}{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        if not any(parameter.name == "verbose" for parameter in command.params):
            command.params.append(verbose_option())
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, without importing them, then this group's own options."""
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=summary)
            for name, summary in self._summaries.items()
            if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's shape
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))


def verbose_option() -> click.Option:
    """``-v`` is understood in front of the command and behind it."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.find_root().meta["wrapkit.verbose"] = True

    return click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show the traceback of an error.",
    )
