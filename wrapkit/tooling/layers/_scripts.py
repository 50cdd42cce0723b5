"""The programs that Lambda starts from a layer: exec wrappers at its top, and extensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..wrapping import EXEC_WRAPPERS
from ._finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._picture import LayerFile, Picture

# What a wrapper's name says about its maker, where a layer of wrapkit does not say it itself.
_MAKERS = {
    "otel-handler": "opentelemetry-lambda, or a layer made like it",
    "otel-handler-upstream": "opentelemetry-lambda",
    "otel-proxy-handler": "opentelemetry-lambda (Java, API Gateway proxy)",
    "otel-stream-handler": "opentelemetry-lambda (Java, streams)",
    "otel-sqs-handler": "opentelemetry-lambda (Java, SQS)",
    "otel-instrument": "ADOT or opentelemetry-lambda",
    "datadog_wrapper": "Datadog",
    "bootstrap": "AWS Lambda Web Adapter, or a custom runtime",
    "dynatrace": "Dynatrace",
    "lumigo_wrapper": "Lumigo",
}
MARKER = "wrapkit/wrapkit.json"
_SHEBANG = b"#!"
_ELF = b"\x7fELF"


@dataclass(frozen=True)
class Program:
    """An exec wrapper or an extension; ``path`` as the function sees it, ``maker`` or empty."""

    path: str
    interpreter: str
    maker: str


def find_wrappers(picture: Picture) -> list[Program]:
    """What can be named in AWS_LAMBDA_EXEC_WRAPPER: programs at the layer's top."""
    ours = any(file.path == MARKER for file in picture.files)
    return [
        Program(
            f"/opt/{file.path}",
            interpreter,
            "wrapkit" if ours and file.path in EXEC_WRAPPERS else _MAKERS.get(file.path, ""),
        )
        for file in picture.files
        if "/" not in file.path and (interpreter := _interpreter(file))
    ]


def find_extensions(picture: Picture) -> list[Program]:
    """What Lambda starts in parallel to the runtime: every file in /opt/extensions."""
    return [
        Program(
            f"/opt/{file.path}",
            _interpreter(file),
            "wrapkit" if file.path == "extensions/wrapkit" else "",
        )
        for file in _extension_files(picture)
    ]


def check_programs(picture: Picture) -> Iterator[Finding]:
    """Why Lambda could not start them."""
    extensions = _extension_files(picture)
    wrappers = [file for file in picture.files if "/" not in file.path and _interpreter(file)]
    for file in [*wrappers, *extensions]:
        if not file.is_executable:
            yield Finding(
                Severity.ERROR,
                "not-executable",
                f"/opt/{file.path} is not executable: Lambda cannot start it",
                f"chmod +x {file.path}, and zip it on Linux or macOS",
            )
        if _first_line(file).startswith(_SHEBANG) and _first_line(file).endswith(b"\r"):
            yield Finding(
                Severity.ERROR,
                "crlf",
                f"/opt/{file.path} has Windows line ends: its interpreter is not found",
                f"sed -i 's/\\r$//' {file.path}",
            )
    for file in extensions:
        if not _interpreter(file):
            yield Finding(
                Severity.ERROR,
                "extension-not-a-program",
                f"/opt/{file.path} is neither a script with #! nor a program for Linux",
                "Lambda starts every file in extensions/: keep data elsewhere",
            )


def _extension_files(picture: Picture) -> list[LayerFile]:
    return [
        file
        for file in picture.files
        if file.path.startswith("extensions/") and file.path.count("/") == 1
    ]


def _interpreter(file: LayerFile) -> str:
    """What runs the file: the shebang's words, ``native``, or nothing for data."""
    first_line = _first_line(file)
    if first_line.startswith(_ELF):
        return "native"
    if first_line.startswith(_SHEBANG):
        return first_line[2:].strip().decode("utf-8", "replace")
    return ""


def _first_line(file: LayerFile) -> bytes:
    return b"" if file.is_link else file.head.split(b"\n", 1)[0]
