"""Writes docs/reference/emulator.md from what ``wrapkit.tooling.emulator`` lists as public.

With ``--check`` it only compares. `make generate` runs this, and a test compares.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

from docs.reference._made_pages import write_or_check
from wrapkit.tooling import emulator

PAGE = Path(__file__).with_name("emulator.md")
OPENING = """\
<!-- Made by docs/reference/generate_emulator.py from the code; `make generate` writes it anew. -->

# The emulator, for Python

`wrapkit.tooling.emulator` is public as far as this page goes: tests of extensions, layers and
functions may rely on it. [Test your extension](../guides/test-your-extension.md) shows it at work.

In pytest the fixture `lambda_environment(**settings)` makes a `LambdaEnvironment`: the settings are
the arguments of `Function` (paths as text, too; without `task_root` the function returns its event)
and of `LambdaEnvironment`. It comes with wrapkit's installation, costs nothing where it is not
used, closes what it made, and shows a failed test's log.
"""
# The rest of these classes is for the host.
ONLY = {"Invocation": ("result",)}
# What a reader looks for first.
FIRST = ("LambdaEnvironment", "ExecutionEnvironment", "Function")


def page() -> str:
    """The whole reference as Markdown."""
    names = [*FIRST, *(name for name in emulator.__all__ if name not in FIRST)]
    return "\n".join([OPENING, *(_section(name, getattr(emulator, name)) for name in names)])


def _section(name: str, thing: Any) -> str:
    parts = [f"## {name}\n", _code(name, thing)]
    if inspect.isclass(thing) or inspect.isfunction(thing):
        parts.append(_text(thing))
    if inspect.isclass(thing):
        wanted = ONLY.get(name)
        members = [item for item in _members(thing) if wanted is None or item[0] in wanted]
        parts += [_member(*item) for item in members]
        parts += [""] if members else []
    return "\n".join(part for i, part in enumerate(parts) if part or i == len(parts) - 1)


def _code(name: str, thing: Any) -> str:
    if not inspect.isclass(thing) and not inspect.isfunction(thing):
        return f"`{str(thing).replace('typing.', '')}`\n"
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return ""
    return f"```python\n{name}{_signature(thing)}\n```\n"


def _members(thing: type) -> list[tuple[str, Any]]:
    """The public methods and properties, those of private bases included, in their order."""
    bases = [base for base in reversed(thing.__mro__) if base.__module__.startswith("wrapkit")]
    found = {name: value for base in bases for name, value in vars(base).items()}
    return [
        (name, value)
        for name, value in found.items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]


def _member(name: str, value: Any) -> str:
    if isinstance(value, property):
        return f"- **`{name}`**: {_line(value.fget)}"
    waits = "await " if inspect.iscoroutinefunction(value) else ""
    return f"- **`{waits}{name}{_signature(value)}`**: {_line(value)}"


def _signature(thing: Any) -> str:
    """As in the source: how ``inspect`` writes one differs from Python to Python."""
    signature = inspect.signature(thing)
    words: list[str] = []
    for name, parameter in signature.parameters.items():
        if name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not any(word[0] == "*" for word in words):
            words.append("*")
        words.append(_parameter(parameter))
    returns = signature.return_annotation
    arrow = "" if returns in ("None", inspect.Signature.empty, None) else f" -> {_name(returns)}"
    return f"({', '.join(words)}){arrow}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    text = f"{stars}{parameter.name}: {_name(parameter.annotation)}"
    if parameter.default is parameter.empty:
        return text
    default = parameter.default
    if isinstance(default, Path):  # this machine's
        return f"{text} = Path(sys.executable)"
    if isinstance(default, str):
        return f'{text} = "{default}"'
    return f"{text} = {repr(default).replace('<factory>', '{}')}"


def _name(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")


def _text(thing: Any) -> str:
    """The docstring, its lists of arguments as Markdown's."""
    lines: list[str] = []
    for line in inspect.cleandoc(thing.__doc__ or "").replace("``", "`").split("\n"):
        argument = re.match(r"    (\w+): (.*)", line)
        if argument:
            lines.append(f"- `{argument[1]}`: {argument[2]}")
        elif line.startswith("        "):
            lines[-1] += " " + line.strip()
        elif line in ("Args:", "Attributes:"):
            lines += [f"{line[:-1].replace('Args', 'Arguments')}:", ""]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _line(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return " ".join(text.replace("``", "`").split())


if __name__ == "__main__":
    pages = {PAGE: page()}
    sys.exit(write_or_check(pages, "docstrings", sys.argv[1:]))
