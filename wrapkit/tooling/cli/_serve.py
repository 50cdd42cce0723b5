"""`wrapkit serve`: functions behind Lambda's Invoke API on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource

from ._arguments import GreedyCommand
from ._function_options import configuration_options, environment_options, layer_option
from ._interruption import run_interruptible

# Where SAM's `local start-lambda` listens, and so where tests look.
DEFAULT_PORT = 3001

EPILOG = """\b
Examples:
  wrapkit serve --task my-function --handler app.handler --layer build/layer
  wrapkit serve --task my-function --handler app.handler --concurrency 1 --idle-timeout 30
  wrapkit serve --functions functions.toml --port 0 --json
  aws lambda invoke --endpoint-url http://127.0.0.1:3001 --function-name my-function out.json

Exit codes: 130 Ctrl-C and 143 SIGTERM, once every environment has had its Shutdown phase. 1 the
service failed. 2 wrong usage, or a function that cannot be served.
"""


@click.command(cls=GreedyCommand, epilog=EPILOG, options_metavar="[OPTIONS]")
@click.option(
    "--task",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code, its /var/task.",
)
@click.option("--handler", metavar="HANDLER", help="As Lambda writes it: FILE.FUNCTION.")
@click.option("--name", metavar="NAME", help="The function's name.  [default: the folder's]")
@click.option(
    "--functions",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve the functions of a TOML file, a table [functions.NAME] each, whose keys are the "
    "options up to --event-retry-delay and `command`, a list. Paths are relative to the file.",
)
@layer_option
@configuration_options
@click.option(
    "--initialization-type",
    default="on-demand",
    show_default=True,
    type=click.Choice(["on-demand", "provisioned-concurrency", "snap-start"]),
    help="How the environments come to be. Unless on demand, one has its Init before anybody "
    "calls; snap-start restores it for the first caller, with the function's hooks.",
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="NAME",
    help="A qualifier that callers may use besides $LATEST. Repeatable.",
)
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 1000),
    help="How many environments there may be at once; a caller beyond that gets 429.  "
    "[default: 10]",
)
@click.option(
    "--idle-timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="Shut an environment down that was not used for so long.  [default: 300]",
)
@click.option(
    "--event-retries",
    metavar="N",
    type=click.IntRange(0, 2),
    help="How often an asynchronous invocation is tried again after an error.  [default: 2]",
)
@click.option(
    "--event-retry-delay",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="The wait before the first retry, twice that before the second.  [default: 60]",
)
@environment_options
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    type=click.IntRange(0, 65_535),
    help="The port of the Invoke API on 127.0.0.1; 0 for any free one.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="What happens as JSON on stdout, one object a line."
)
@click.option("--no-sink", is_flag=True, help="Do not receive the functions' traces.")
@click.pass_context
def serve(  # noqa: PLR0917 - one argument an option
    ctx: click.Context,
    /,
    functions: Path | None,
    limits_cpu: bool,
    isolation: Literal["auto", "namespace", "none"],
    profile: Literal["aws", "rie"],
    no_freeze: bool,
    port: int,
    as_json: bool,
    no_sink: bool,
    **settings: Any,
) -> None:
    """Serve functions over Lambda's Invoke API, as AWS's SDKs and CLI speak it.

    Invoke (RequestResponse, Event, DryRun; LogType Tail) and InvokeWithResponseStream, with the
    platform's errors. Each function gets as many execution environments as its callers need at
    once, up to --concurrency; one that is idle goes through Shutdown. Logs and traces are shown as
    they come: the functions' telemetry goes to this command's own sink, which
    OTEL_EXPORTER_OTLP_ENDPOINT names unless --env sets it. After -- stands the command of another
    runtime process than Python's.
    """
    # The emulator, rich and protobuf: not for `wrapkit serve --help`.
    from ..invoke_api import EnvironmentSettings
    from ._function_settings import function_of_options, functions_of_file
    from ._serving import ServeRequest, perform

    # What is not given is left to the file, or to the function's own defaults.
    given = {
        name: value
        for name, value in settings.items()
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    if command := ctx.meta.get(GreedyCommand.COMMAND_KEY):
        given["command"] = command
    if functions is None:
        served = function_of_options(given)
    elif given:
        raise click.UsageError("--functions excludes the options that describe one function")
    else:
        served = functions_of_file(functions)
    run_interruptible(
        perform(
            ServeRequest(
                functions=served,
                environments=EnvironmentSettings(
                    isolation=isolation,
                    profile=profile,
                    freezes=False if no_freeze else None,
                    limits_cpu=limits_cpu,
                ),
                port=port,
                as_json=as_json,
                has_sink=not no_sink,
            )
        )
    )
