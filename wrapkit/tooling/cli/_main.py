"""The front: finds the command, runs it, and turns its failures into words and exit codes.

Exit codes: 0 done, 1 the work failed, 2 wrong usage, 130 and 143 ended by SIGINT and SIGTERM.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import TYPE_CHECKING

import click

from wrapkit import __version__

from .._errors import RUN_FAILED, USAGE, DiagnosticError, system_refusal
from ._groups import LazyGroup, verbose_option
from ._interruption import SIGINT_EXIT_CODE, InterruptedCommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Set by the scripts of `wrapkit completion`, whose form is click's.
COMPLETION = "_WRAPKIT_COMPLETE"

COMMANDS = {
    "init": "Write a wrapkit.toml to fill in, with every setting as a comment.",
    "generate": "Write the wrapper script, hook and extension as the picture of /opt.",
    "run": "Run a function in an emulated execution environment and show its traces.",
    "serve": "Serve functions over Lambda's Invoke API, for boto3, the AWS CLI and tests.",
    "bench": "Measure what instrumentation costs a function, beside any other layer.",
    "attach": "Add the layer to functions and set their exec wrapper.",
    "detach": "Restore what functions were before they were attached.",
    "status": "Show which functions have wrapkit, and what was changed since.",
    "doctor": "Find what goes wrong in practice, and say how to mend it.",
    "report": "Show records of benchmarks, and make tables of REPORT lines.",
    "template": "Write infrastructure as code that attaches the layer to functions.",
    "layer": "Build layers as zip archives, and explain those of anybody.",
    "completion": "Print the script that completes wrapkit's commands in a shell.",
}

EPILOG = """\b
Examples:
  wrapkit generate --lang python --output build/layer
  wrapkit run --task my-function --handler app.handler --layer build/layer --event event.json
  wrapkit serve --task my-function --handler app.handler --layer build/layer
  wrapkit bench --task my-function --handler app.handler
  wrapkit layer build --output build/wrapkit-layer.zip
  wrapkit attach my-function --layer build/wrapkit-layer.zip --dry-run
"""


@click.group(
    cls=LazyGroup,
    summaries=COMMANDS,
    params=[verbose_option()],
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="wrapkit")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """OpenTelemetry for AWS Lambda functions without touching their code."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(USAGE)


def main() -> None:
    """Run the command line in ``sys.argv`` and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal's encoding lacks is no reason to end a run half-way.
        sys.stdout.reconfigure(errors="backslashreplace")
    if COMPLETION in os.environ:
        sys.exit(_complete(os.environ[COMPLETION]))
    sys.exit(run_command_line(sys.argv[1:]))


def _complete(instruction: str) -> int:
    """What a shell asks for through the script that `wrapkit completion` prints."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "wrapkit", COMPLETION, instruction)


def run_command_line(arguments: Sequence[str]) -> int:
    """The exit code of the command line; its errors are on stderr already."""
    context: click.Context | None = None
    try:
        with cli.make_context("wrapkit", list(arguments)) as context:
            result = cli.invoke(context)
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except (click.Abort, KeyboardInterrupt):
        return SIGINT_EXIT_CODE
    except BrokenPipeError:
        return _reader_went_away()
    except Exception as error:  # noqa: BLE001 - the front is the one place that turns failures into words
        if context is not None and context.meta.get("wrapkit.verbose"):
            traceback.print_exception(error)
        return _explain(error)


def _explain(error: Exception) -> int:
    """Say the error and what to do about it on stderr; return its exit code."""
    if isinstance(error, InterruptedCommandError):
        return error.exit_code
    if isinstance(error, DiagnosticError):
        return _say(error.message, error.hint, error.exit_code)
    refusal = system_refusal(error) if isinstance(error, OSError) else None
    if refusal is not None:
        return _say(refusal.message, refusal.hint, refusal.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return USAGE
    if isinstance(error, click.ClickException):
        return _say(error.format_message().rstrip("."), _usage_hint(error), error.exit_code)
    return _say(
        f"wrapkit itself failed: {type(error).__name__}: {error}",
        "this is a defect in wrapkit; the option -v shows where it happened",
        RUN_FAILED,
    )


def _usage_hint(error: click.ClickException) -> str:
    if not isinstance(error, click.UsageError):
        return ""
    # What click's parser itself refuses carries no context.
    path = error.ctx.command_path if error.ctx else "wrapkit"
    return f"`{path} --help` lists what is understood"


def _say(message: str, hint: str, exit_code: int) -> int:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return exit_code


def _reader_went_away() -> int:
    """What `wrapkit run | head` leads to.

    Without this the interpreter complains as it flushes at its exit.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return RUN_FAILED
