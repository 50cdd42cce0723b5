"""``wrapkit completion``: the script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ._main import COMPLETION, cli

EPILOG = """\b
Examples:
  wrapkit completion bash > ~/.local/share/bash-completion/completions/wrapkit
  wrapkit completion zsh > ~/.zfunc/_wrapkit
  wrapkit completion fish > ~/.config/fish/completions/wrapkit.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the script that completes wrapkit's commands in a shell."""
    of_shell = get_completion_class(shell)
    if of_shell is None:
        raise click.UsageError(f"{shell} is not known to click")
    click.echo(of_shell(cli, {}, "wrapkit", COMPLETION).source())
