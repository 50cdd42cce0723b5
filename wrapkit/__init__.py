"""wrapkit: OpenTelemetry for AWS Lambda without touching the function's code.

Three parts, one core:

- ``wrapkit.lifecycle``: the Lambda lifecycle without I/O; ships in the layer;
- ``wrapkit.payload``: what runs in Lambda (the in-process hook and the extension runner); copied as
  files, never imported by the tooling;
- ``wrapkit.tooling``: what runs on the developer's machine (CLI, emulator, bench, layers).

This front imports nothing, so that ``import wrapkit.lifecycle`` stays cheap.
"""

__version__ = "0.1.0"
