"""Writes docs/reference/settings.md from the schema of settings; `--check` only compares.

`make generate` runs this, and a test compares. What a variable does is said in the schema
(wrapkit/tooling/settings/), which `wrapkit.toml` is read by as well.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.reference._made_pages import write_or_check
from wrapkit.tooling.settings import FILE_NAME, SECTIONS, Section, Setting

PAGE = Path(__file__).with_name("settings.md")
OPENING = f"""\
<!-- Made by docs/reference/generate_settings.py; `make generate` writes it anew. -->

# Settings

Each setting is a variable of the function, a key of `{FILE_NAME}`, or both. What is asked first:

1. the option of the command (`wrapkit generate --mode`), where there is one;
2. the variable that the function has. Empty is unset, as OpenTelemetry says;
3. the key in `{FILE_NAME}`, which `wrapkit generate` writes into the layer: a default for every
   function with that layer. No variable is set by it, so the function's own code does not see it;
4. the default below.

A variable is read by the hook and by the extension when they start. A value that makes no sense
counts as unset; one line on standard error names the variable, never its value. The hook and the
extension each write it of `WRAPKIT_MODE`, `OTEL_SDK_DISABLED` and `OTEL_RESOURCE_ATTRIBUTES`, and
of all that both read in mode `internal`, where the layer has an extension.

`wrapkit generate` reads the `{FILE_NAME}` of the current folder, or what `--config` names, and
refuses an unknown key or a wrong value with its line. What has no key belongs to one function or is
secret: a layer is no place for it.
"""
CLOSING = """\
## Lambda's

wrapkit reads what Lambda sets (`AWS_LAMBDA_FUNCTION_NAME`, `AWS_REGION`, `_X_AMZN_TRACE_ID` and the
like) and changes none of it. `AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler` is the one variable that
switches the hook on.

`WRAPKIT_ATTACHED` is the record that `wrapkit attach` leaves for `wrapkit detach`; nothing in
the function reads it.
"""


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join([OPENING, *map(_section, SECTIONS), CLOSING])


def _section(section: Section) -> str:
    parts = [f"## {section.title}\n"]
    if section.about:
        parts.append(f"{section.about}\n")
    parts.append(f"| variable | `{FILE_NAME}` | default | meaning |\n|---|---|---|---|")
    return "\n".join([*parts, *map(_row, section.settings), ""])


def _row(setting: Setting) -> str:
    names = [f"`{name}`" if name else "" for name in (setting.variable, setting.key)]
    cells = [*names, setting.default, setting.meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    pages = {PAGE: page()}
    sys.exit(write_or_check(pages, "settings", sys.argv[1:]))
