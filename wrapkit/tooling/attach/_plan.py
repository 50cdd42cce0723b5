"""What attaching and detaching make of a function's configuration. No call is made here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wrapkit import __version__

from .._errors import DiagnosticError
from ..layers import MAX_LAYERS
from ..wrapping import EXEC_WRAPPERS, LAMBDA_VERSIONS
from ._configuration import EXEC_WRAPPER, FunctionConfiguration
from ._layer_version import is_our_layer, layer_name, layer_of
from ._record import RECORD, Record, checksum, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._layer_version import LayerVersion

WRAPKIT_CHAIN = "WRAPKIT_CHAIN"
MAX_VARIABLES_BYTES = 4096
NOT_ATTACHED = ("not attached",)
# wrapkit answers to these names; a function that has one of them set runs wrapkit's own.
_OUR_WRAPPERS = tuple(f"/opt/{name}" for name in EXEC_WRAPPERS)
# Words in the names of layers that hold /opt/otel-handler or /opt/otel-instrument as well: of two
# files with one path the later layer's is used, with the other's half of what it expects.
_RIVALS = ("opentelemetry", "aws-otel")
_OTLP_ENDPOINT = re.compile(r"OTEL_EXPORTER_OTLP_(?:TRACES_|METRICS_|LOGS_)?ENDPOINT")
_LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\]):431[78]\b")
_HONOURED_PREFIXES = ("python", "nodejs", "java", "ruby", "dotnet")


class ForeignRuntimeError(DiagnosticError):
    """The function's runtime is none that this layer could serve, however it is built."""


@dataclass(frozen=True)
class Attachment:
    """What is to be attached.

    ``variables`` are set where the function has none of the name, or in any case with
    ``override``. Layers whose name or ARN matches one of ``replace_layers`` make room. ``chain``:
    a wrapper that is there goes on after wrapkit's; otherwise it is replaced.
    """

    layer: LayerVersion
    variables: Mapping[str, str] = field(default_factory=dict)
    override: bool = False
    replace_layers: tuple[str, ...] = ()
    chain: bool = True


@dataclass(frozen=True)
class Plan:
    """A function before and after, and what has to be said about it."""

    before: FunctionConfiguration
    layers: tuple[str, ...]
    variables: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.before.what_attaching_changes != (self.layers, self.variables)


def attached_record(function: FunctionConfiguration) -> Record | None:
    """The record of an attachment, or None where there is none."""
    text = function.variables.get(RECORD)
    return None if text is None else decode(text, function.name)


def plan_attach(function: FunctionConfiguration, attachment: Attachment) -> Plan:
    """The function with wrapkit; one that has it already is brought to what is asked for.

    Raises:
        DiagnosticError: it cannot be attached, and why.
    """
    _check_fits(function, attachment.layer)
    check_readable(function)
    record = attached_record(function)
    base = _restored(function, record, force=False) if record else Plan(function, *_own(function))
    layers, replaced_layers = _with_layer(function, base.layers, record, attachment)
    variables = dict(base.variables)
    wanted, notes = _wanted_variables(
        variables, _with_those_set_before(function, record, attachment)
    )
    replaced = {name: variables[name] for name in wanted if name in variables}
    variables.update(wanted)
    new_record = Record(
        __version__,
        attachment.layer.arn,
        replaced_layers,
        {name: checksum(text) for name, text in wanted.items()},
        replaced,
    )
    variables[RECORD] = new_record.encode()
    _check_layers(function, layers, attachment.layer)
    _check_variables(function, variables)
    notes += _notes_about_endpoints(variables)
    byte_code = attachment.layer.byte_code
    if byte_code and function.runtime not in byte_code:
        notes.append(f"the layer has no byte code for {function.runtime}: cold starts compile it")
    return Plan(function, layers, variables, tuple(notes))


def _with_those_set_before(
    function: FunctionConfiguration, record: Record | None, attachment: Attachment
) -> Attachment:
    """Bringing the layer up to date does not take back what an earlier command has set."""
    names = set(record.checksums) - {EXEC_WRAPPER, WRAPKIT_CHAIN} if record else set()
    before = {name: function.variables[name] for name in sorted(names & set(function.variables))}
    return replace(attachment, variables={**before, **attachment.variables})


def _own(function: FunctionConfiguration) -> tuple[tuple[str, ...], dict[str, str]]:
    return function.what_attaching_changes


def plan_detach(function: FunctionConfiguration, *, force: bool = False) -> Plan:
    """The function as it was before wrapkit was attached; without a record, as it is.

    A variable that was changed since is left as it is, unless with ``force``.
    """
    check_readable(function)
    record = attached_record(function)
    if record is None:
        return Plan(function, *_own(function), notes=_notes_without_record(function))
    return _restored(function, record, force=force)


def _notes_without_record(function: FunctionConfiguration) -> tuple[str, ...]:
    ours = [layer_name(layer) for layer in function.layers if is_our_layer(layer)]
    if not ours:
        return NOT_ATTACHED
    return (f"has {ours[0]}, but no record of what was before: remove it where it was added",)


def drift(function: FunctionConfiguration, record: Record) -> tuple[str, ...]:
    """What is no longer as `attach` left it, as sentences."""
    notes = []
    for name, expected in record.checksums.items():
        there = function.variables.get(name)
        if there is None:
            notes.append(f"{name} has been removed")
        elif checksum(there) != expected:
            notes.append(f"{name} has been changed")
    if record.layer not in function.layers:
        versions = [layer for layer in function.layers if layer_of(layer) == layer_of(record.layer)]
        now = f"now in version {versions[0].rpartition(':')[2]}" if versions else "no longer there"
        notes.append(f"the layer {layer_name(record.layer)} is {now}")
    for _, layer in record.replaced_layers:
        if layer in function.layers:
            notes.append(f"the layer {layer_name(layer)}, which made room, is back")
    return tuple(notes)


def check_readable(function: FunctionConfiguration) -> None:
    """Writing back variables that could not be read would delete them."""
    if function.variables_error:
        raise DiagnosticError(
            "variables-not-readable",
            f"{function.name}: Lambda does not show its variables: {function.variables_error}",
            "allow kms:Decrypt with the function's key",
        )


def _check_fits(function: FunctionConfiguration, layer: LayerVersion) -> None:
    if layer.wrapper and not function.runtime.startswith(_HONOURED_PREFIXES):
        raise ForeignRuntimeError(
            "wrapper-not-honoured",
            f"{function.name} runs on {function.runtime or 'no managed runtime'}, where Lambda"
            " starts no exec wrapper",
            "only the managed runtimes of Python, Node.js, Java, Ruby and .NET do",
        )
    if layer.runtimes and function.runtime not in layer.runtimes:
        raise _other_runtime(function, layer)
    if layer.architectures and function.architecture not in layer.architectures:
        raise DiagnosticError(
            "other-architecture",
            f"{function.name} runs on {function.architecture}, and the layer is for"
            f" {', '.join(layer.architectures)}",
            "attach a layer for this architecture",
        )


def _other_runtime(function: FunctionConfiguration, layer: LayerVersion) -> DiagnosticError:
    message = (
        f"{function.name} runs on {function.runtime}, and the layer is for"
        f" {', '.join(layer.runtimes)}"
    )
    languages = {runtime.rstrip("0123456789.x") for runtime in layer.runtimes}
    served = {f"{language}{version}" for language in languages for version in LAMBDA_VERSIONS}
    if function.runtime in served:
        hint = "build a layer for it with `wrapkit layer build --python`"
        return DiagnosticError("other-runtime", message, hint)
    hint = "leave it out, or name a layer for its runtime with --layer"
    return ForeignRuntimeError("other-runtime", message, hint)


def _with_layer(
    function: FunctionConfiguration,
    layers: tuple[str, ...],
    record: Record | None,
    attachment: Attachment,
) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """The layers with wrapkit's, and those that made room with the places that they had."""
    arn = attachment.layer.arn
    patterns = attachment.replace_layers
    if record and not patterns:
        # What has made room stays away when wrapkit is brought up to date.
        patterns = tuple(replaced for _, replaced in record.replaced_layers)
    replaced = tuple(
        (place, layer)
        for place, layer in enumerate(layers)
        if layer_of(layer) == layer_of(arn) or _matches(layer, patterns)
    )
    gone = {layer for _, layer in replaced}
    kept = [layer for layer in layers if layer not in gone]
    kept.insert(_place(function, record, kept), arn)
    return tuple(kept), replaced


def _matches(layer: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(layer, p) or fnmatchcase(layer_name(layer), p) for p in patterns)


def _place(function: FunctionConfiguration, record: Record | None, kept: list[str]) -> int:
    """Where it is already, so that attaching again moves nothing; else last."""
    if record and record.layer in function.layers:
        before = function.layers[: function.layers.index(record.layer)]
        return sum(layer in kept for layer in before)
    return len(kept)


def _wanted_variables(
    variables: Mapping[str, str], attachment: Attachment
) -> tuple[dict[str, str], list[str]]:
    """What is to be set over the variables that are there, and what is left as it is."""
    wanted = _wrapper_variables(variables, attachment)
    notes = []
    for name, text in attachment.variables.items():
        there = variables.get(name)
        if there is None or (attachment.override and there != text):
            wanted[name] = text
        elif there != text:
            notes.append(f"{name} is set already and stays as it is; --override replaces it")
    return wanted, notes


def _notes_about_endpoints(variables: Mapping[str, str]) -> list[str]:
    """A collector in a layer that goes: exporting there would be exporting to ourselves."""
    return [
        f"{name} names a collector in the function, which wrapkit's extension stands in for: set it"
        " to the backend with --env and --override"
        for name, text in sorted(variables.items())
        if is_local_endpoint(name, text)
    ]


def is_local_endpoint(name: str, text: str) -> bool:
    """Whether a variable has exports go to OTLP's own port on the function's own machine."""
    return _OTLP_ENDPOINT.fullmatch(name) is not None and _LOCAL.match(text) is not None


def _wrapper_variables(variables: Mapping[str, str], attachment: Attachment) -> dict[str, str]:
    wrapper, there = attachment.layer.wrapper, variables.get(EXEC_WRAPPER, "")
    if not wrapper or there == wrapper or is_our_wrapper(there):
        return {}
    wanted = {EXEC_WRAPPER: wrapper}
    if there and attachment.chain:
        chained = [there, *filter(None, variables.get(WRAPKIT_CHAIN, "").split(":"))]
        wanted[WRAPKIT_CHAIN] = ":".join(dict.fromkeys(chained))
    return wanted


def is_our_wrapper(path: str) -> bool:
    """Whether this path of an exec wrapper is wrapkit's own once its layer is there."""
    return path in _OUR_WRAPPERS


def _check_layers(
    function: FunctionConfiguration, layers: tuple[str, ...], ours: LayerVersion
) -> None:
    if len(layers) > MAX_LAYERS:
        names = ", ".join(layer_name(layer) for layer in function.layers)
        raise DiagnosticError(
            "too-many-layers",
            f"{function.name} would have {len(layers)} layers, and Lambda takes {MAX_LAYERS}: it"
            f" has {names}",
            "let one make room with --replace-layer",
        )
    rivals = [
        layer_name(layer)
        for layer in layers
        if layer != ours.arn and any(word in layer_name(layer).lower() for word in _RIVALS)
    ]
    if rivals:
        raise DiagnosticError(
            "other-opentelemetry-layer",
            f"{function.name} has the layer {rivals[0]}, whose wrapper has the same path",
            f"let it make room with --replace-layer '{rivals[0]}'",
        )


def variables_bytes(variables: Mapping[str, str]) -> int:
    """As Lambda measures them: its message quotes the JSON object that it measured."""
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())


def _check_variables(function: FunctionConfiguration, variables: Mapping[str, str]) -> None:
    size_bytes = variables_bytes(variables)
    if size_bytes > MAX_VARIABLES_BYTES:
        before = variables_bytes(function.variables)
        raise DiagnosticError(
            "variables-too-large",
            f"{function.name}: its variables would take {size_bytes} bytes, and Lambda allows"
            f" {MAX_VARIABLES_BYTES}; they take {before} now",
            "keep long values in Systems Manager or Secrets Manager",
        )


def _restored(function: FunctionConfiguration, record: Record, *, force: bool) -> Plan:
    notes: list[str] = []
    variables = dict(function.variables)
    del variables[RECORD]
    for name, expected in record.checksums.items():
        there = variables.get(name)
        if there is None:
            notes.append(f"{name} has been removed since")
        elif checksum(there) != expected and not force:
            notes.append(f"{name} has been changed since and stays as it is; --force restores it")
            continue
        variables.pop(name, None)
        if name in record.replaced:
            variables[name] = record.replaced[name]
    layers = [layer for layer in function.layers if layer_of(layer) != layer_of(record.layer)]
    if record.layer not in function.layers:
        notes.append(f"{layer_name(record.layer)} is not in the version that was attached")
    for place, layer in record.replaced_layers:
        if layer not in layers:
            layers.insert(min(place, len(layers)), layer)
    return Plan(function, tuple(layers), variables, tuple(notes))


def as_configuration(plan: Plan) -> FunctionConfiguration:
    """The function as it is once the plan is carried out."""
    return replace(plan.before, layers=plan.layers, variables=plan.variables)
