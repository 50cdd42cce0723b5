"""The environment variables of the runtime's process and of the extensions' processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._credentials import credentials_of
from ._output import LOG_DESCRIPTOR, LOG_DESCRIPTOR_VARIABLE

if TYPE_CHECKING:
    from ._credentials import Tokens
    from ._function import Function
    from ._sandbox import Sandbox

# Developer guide, "Using the Lambda Extensions API": what an extension's process does not get.
_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def runtime_variables(
    function: Function,
    sandbox: Sandbox,
    *,
    runtime_api: str,
    tokens: Tokens,
    log_stream: str,
    has_log_descriptor: bool,
) -> dict[str, str]:
    """What the runtime's process starts with: the platform's variables win over the user's of the
    same name.
    """
    variables = _defaults(sandbox)
    if function.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_LEVEL"] = function.application_log_level
    variables.update(function.environment)
    for name in credentials_of(function):
        variables.pop(name, None)
    variables.update(_credentials(function, tokens, runtime_api))
    wrapper = variables.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if sandbox.isolation == "none" and wrapper.startswith("/opt/"):
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = sandbox.opt + wrapper[len("/opt") :]
    reserved = _reserved(function, sandbox, runtime_api, log_stream)
    if function.initialization_type == "snap-start":
        reserved = {name: value for name, value in reserved.items() if "_LOG_" not in name}
        reserved["AWS_LAMBDA_LOG_FORMAT"] = function.log_format
    if function.is_managed:
        reserved["AWS_LAMBDA_MAX_CONCURRENCY"] = str(function.max_concurrency)
    variables.update(reserved)
    # Where the metadata are is a variable of its own; that it is the same server is our choice.
    variables["AWS_LAMBDA_METADATA_API"] = runtime_api
    variables["AWS_LAMBDA_METADATA_TOKEN"] = tokens.metadata
    if has_log_descriptor:
        variables[LOG_DESCRIPTOR_VARIABLE] = str(LOG_DESCRIPTOR)
    return variables


def _credentials(function: Function, tokens: Tokens, runtime_api: str) -> dict[str, str]:
    """A snapshot outlives its credentials, so there they are asked for when they are needed."""
    if function.initialization_type != "snap-start":
        return credentials_of(function)
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{runtime_api}/2021-04-23/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": tokens.credentials,
    }


def extension_variables(runtime: dict[str, str]) -> dict[str, str]:
    """The runtime's variables without the ones that AWS withholds from extensions."""
    return {
        name: value
        for name, value in runtime.items()
        if name not in _NOT_FOR_EXTENSIONS and not name.startswith("_")
    }


def _defaults(sandbox: Sandbox) -> dict[str, str]:
    """What the user's variables may replace. Sources: developer guide, "Defined runtime environment
    variables"; the
    environment of the python3.11 base image."""
    lang, opt = sandbox.lang, sandbox.opt
    libraries = (
        f"{lang}/lib",
        "/lib64",
        "/usr/lib64",
        sandbox.runtime_dir,
        f"{sandbox.runtime_dir}/lib",
        sandbox.task_root,
        f"{sandbox.task_root}/lib",
        f"{opt}/lib",
    )
    variables = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{lang}/bin:/usr/local/bin:/usr/bin/:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
    }
    if sandbox.isolation == "none":
        variables["TMPDIR"] = sandbox.tmp
    return variables


def _reserved(
    function: Function, sandbox: Sandbox, runtime_api: str, log_stream: str
) -> dict[str, str]:
    return {
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": function.initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": sandbox.task_root,
        "LAMBDA_RUNTIME_DIR": sandbox.runtime_dir,
    }
