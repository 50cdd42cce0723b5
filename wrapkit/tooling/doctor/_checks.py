"""What goes wrong in practice, one function each; from facts to findings, without a call."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from ..attach import (
    WRAPKIT_CHAIN,
    attached_record,
    drift,
    is_local_endpoint,
    variables_bytes,
)
from ..layers import MAX_UNZIPPED_BYTES, Finding, Severity, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._facts import Facts

_HONOURED = ("python", "nodejs", "java", "ruby", "dotnet")
# Handlers that others put in the place of the function's own, which they find through a variable.
_REDIRECTS = {
    "datadog_lambda.handler.handler": ("Datadog", "DD_LAMBDA_HANDLER"),
    "newrelic_lambda_wrapper.handler": ("New Relic", "NEW_RELIC_LAMBDA_HANDLER"),
    "sentry_sdk.integrations.init_serverless_sdk.handler": ("Sentry", "SENTRY_INITIAL_HANDLER"),
    "lumigo_tracer._handler": ("Lumigo", "LUMIGO_ORIGINAL_HANDLER"),
}
_ENDPOINT = re.compile(r"(?:OTEL_EXPORTER_OTLP|WRAPKIT_EXPORTER_\w+?)(?:_[A-Z]+)?_ENDPOINT")
_DEFAULT_EXPORT_MS = 10_000
_MAX_VARIABLES_BYTES, _WARN_VARIABLES_BYTES = 4096, 3700


def check(facts: Facts) -> list[Finding]:
    """All findings, the errors first."""
    found = [finding for each in _CHECKS for finding in each(facts)]
    found += facts.gaps
    order = list(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _attachment(facts: Facts) -> Iterator[Finding]:
    function = facts.function
    if function.variables_error:
        message = f"Lambda does not show the variables: {function.variables_error}"
        yield Finding(Severity.ERROR, "variables-not-readable", message, "allow kms:Decrypt")
        return
    record = attached_record(function)
    for note in drift(function, record) if record else ():
        hint = "`wrapkit attach` brings it back, `wrapkit detach` takes off what is left"
        yield Finding(Severity.WARNING, "drift", note, hint)
    has_layer = any(":layer:wrapkit-" in layer for layer in function.layers)
    if not record and not has_layer:
        yield Finding(Severity.NOTE, "not-attached", "wrapkit is not attached", "wrapkit attach")


def _wrapper(facts: Facts) -> Iterator[Finding]:
    if not facts.wrapper:
        return
    if not facts.function.runtime.startswith(_HONOURED):
        yield Finding(
            Severity.ERROR,
            "wrapper-not-honoured",
            f"Lambda starts no exec wrapper on {facts.function.runtime or 'container images'}",
            "attach with mode external, or start the wrapper from the function's own bootstrap",
        )
    chain = [part for part in facts.variables.get(WRAPKIT_CHAIN, "").split(":") if part]
    wrappers = [facts.wrapper, *chain]
    for path in dict.fromkeys(wrappers):
        yield from _wrapper_file(facts, path, is_chained=path != facts.wrapper)
        if wrappers.count(path) > 1:
            yield Finding(
                Severity.ERROR,
                "wrapper-twice",
                f"{path} would run twice",
                f"take it out of {WRAPKIT_CHAIN}",
            )


def _wrapper_file(facts: Facts, path: str, *, is_chained: bool) -> Iterator[Finding]:
    # wrapkit goes on without a part of its chain; Lambda does not without the wrapper.
    severity = Severity.WARNING if is_chained else Severity.ERROR
    what = "it does not run" if is_chained else "the function cannot start"
    if not path.startswith("/opt/"):
        if not path.startswith("/"):
            message = f"the exec wrapper {path!r} is not an absolute path: {what}"
            yield Finding(severity, "wrapper-missing", message, "give its path in /opt")
        return
    is_executable = facts.file(path)
    if is_executable is None and facts.all_layers_seen:
        yield Finding(
            severity,
            "wrapper-missing",
            f"none of the layers has the exec wrapper {path}: {what}",
            "add its layer, or remove the variable that names it",
        )
    elif is_executable is False:
        message = f"{path} is not executable: {what}"
        yield Finding(severity, "wrapper-not-executable", message, "zip it with its modes")


def _layers(facts: Facts) -> Iterator[Finding]:
    function = facts.function
    for layer in facts.layers:
        name = layer.arn.split(":layer:")[-1]
        version = layer.version
        if version.architectures and function.architecture not in version.architectures:
            message = f"the layer {name} is for {', '.join(version.architectures)}"
            hint = f"the function runs on {function.architecture}: use the layer for that"
            yield Finding(Severity.ERROR, "wrong-architecture", message, hint)
        if version.runtimes and function.runtime not in version.runtimes:
            message = f"the layer {name} is for {', '.join(version.runtimes)}"
            hint = f"the function runs on {function.runtime}"
            yield Finding(Severity.WARNING, "other-runtime", message, hint)
        elif version.byte_code and function.runtime not in version.byte_code:
            message = f"the layer {name} has no byte code for {function.runtime}"
            hint = f"`wrapkit layer build` where {function.runtime} is installed"
            yield Finding(Severity.WARNING, "no-byte-code", message, hint)
        if layer.inspection:
            yield from _native_files(facts, name)
            yield from layer.inspection.findings


def _native_files(facts: Facts, name: str) -> Iterator[Finding]:
    layer = next(each for each in facts.layers if each.arn.endswith(f":layer:{name}"))
    files = layer.inspection.native_files if layer.inspection else []
    architectures = {file.architecture for file in files} & {"x86_64", "arm64"}
    if architectures and facts.function.architecture not in architectures:
        yield Finding(
            Severity.ERROR,
            "wrong-architecture",
            f"the native files in the layer {name} are for {', '.join(sorted(architectures))}",
            f"the function runs on {facts.function.architecture}",
        )


def _two_of_a_kind(facts: Facts) -> Iterator[Finding]:
    places: dict[str, list[str]] = {}
    for layer in facts.layers:
        for file in layer.picture.files if layer.picture else ():
            if "/" not in file.path or posixpath.dirname(file.path) == "extensions":
                places.setdefault(file.path, []).append(layer.arn.split(":layer:")[-1])
    for path, layers in places.items():
        if len(layers) > 1 and not path.endswith((".md", ".txt", "LICENSE", "NOTICE")):
            message = f"/opt/{path} comes from {' and '.join(layers)}: the last one's is used"
            yield Finding(Severity.WARNING, "two-of-a-kind", message, "keep one of these layers")


def _redirect(facts: Facts) -> Iterator[Finding]:
    redirect = _REDIRECTS.get(facts.function.handler.replace("/", "."))
    if redirect and facts.wrapper:
        maker, variable = redirect
        yield Finding(
            Severity.WARNING,
            "handler-redirected",
            f"the handler is {maker}'s, and the exec wrapper instruments it as well: invocations"
            " may be reported twice",
            f"set the handler to what {variable} names, or take the wrapper off",
        )


def _backend(facts: Facts) -> Iterator[Finding]:
    variables = facts.variables
    has_endpoint = any(_ENDPOINT.fullmatch(name) and text for name, text in variables.items())
    if facts.wrapper and facts.all_layers_seen and not has_endpoint:
        yield Finding(
            Severity.WARNING,
            "no-endpoint",
            "nothing says where telemetry goes, so nothing is exported",
            "set OTEL_EXPORTER_OTLP_ENDPOINT, or otlp.endpoint in wrapkit.toml",
        )
    for name, text in variables.items():
        if is_local_endpoint(name, text):
            message = f"{name} names a collector in the function, whose place wrapkit has taken"
            hint = "set it to the backend"
            yield Finding(Severity.ERROR, "exports-to-itself", message, hint)
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        hint = "remove the variable"
        yield Finding(Severity.WARNING, "disabled", "OTEL_SDK_DISABLED turns everything off", hint)
    for action in facts.denied_actions:
        yield Finding(
            Severity.ERROR,
            "permission-missing",
            f"the role {facts.function.role.rpartition('/')[2]} is not allowed {action}, which the"
            " endpoint needs",
            "`wrapkit template` shows the statement",
        )
    if facts.subnets_without_route:
        yield Finding(
            Severity.WARNING,
            "no-route",
            f"{', '.join(facts.subnets_without_route)} have no route to the internet",
            "telemetry reaches the backend through a NAT gateway, or AWS's own endpoints through"
            " VPC endpoints",
        )


def _timeout(facts: Facts) -> Iterator[Finding]:
    if not facts.wrapper or facts.variables.get("WRAPKIT_MODE") != "internal":
        return
    configured = facts.variables.get("OTEL_EXPORTER_OTLP_TIMEOUT", "")
    export_ms = int(configured) if configured.isdigit() else _DEFAULT_EXPORT_MS
    if facts.function.timeout_s * 1000 <= export_ms:
        yield Finding(
            Severity.WARNING,
            "timeout-too-short",
            f"the function has {facts.function.timeout_s} s, and an export may take"
            f" {export_ms / 1000:g} s: a slow backend costs the telemetry",
            "lower OTEL_EXPORTER_OTLP_TIMEOUT, or use mode both, which exports afterwards",
        )


def _room(facts: Facts) -> Iterator[Finding]:
    size_bytes = variables_bytes(facts.function.variables)
    if size_bytes > _WARN_VARIABLES_BYTES:
        message = f"the variables take {size_bytes} of {_MAX_VARIABLES_BYTES} bytes"
        yield Finding(Severity.NOTE, "variables-large", message)
    unzipped = sum(layer.picture.unzipped_bytes for layer in facts.layers if layer.picture)
    if unzipped > 0.8 * MAX_UNZIPPED_BYTES:
        message = f"the layers take {megabytes(unzipped)} of 250.0 MB unzipped, without the code"
        yield Finding(Severity.WARNING, "large", message)


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _attachment,
    _wrapper,
    _layers,
    _two_of_a_kind,
    _redirect,
    _backend,
    _timeout,
    _room,
)
