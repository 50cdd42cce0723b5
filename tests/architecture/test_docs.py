"""What a user can set is documented, and what is documented can be set."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, tracked_files

REFERENCE = ROOT / "docs/reference"
VARIABLE = re.compile(r"\b(?:WRAPKIT|OTEL)_[A-Z0-9_]*[A-Z0-9]\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
SHIPPED = ("wrapkit/payload", "wrappers")


def variables_in_code():
    """The variables of wrapkit and OpenTelemetry that what ships knows by name."""
    sources = [path for top in SHIPPED for path in (ROOT / top).rglob("*") if path.is_file()]
    texts = [path.read_text() for path in sources if path.suffix not in {".pyc", ".toml"}]
    return {name for text in texts for name in VARIABLE.findall(text)}


def variables_in_docs():
    """The variables with a row of their own in the reference."""
    page = (REFERENCE / "settings.md").read_text()
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in VARIABLE.findall(row)}


def markdown_pages():
    return [path for path in tracked_files() if path.suffix == ".md"]


@pytest.mark.parametrize("script", [path.stem for path in sorted(REFERENCE.glob("generate*.py"))])
def test_the_reference_says_what_the_code_says(script):
    """Commands, settings and emulator are described as they are; `make generate` writes it."""
    answer = subprocess.run(
        [sys.executable, "-m", f"docs.reference.{script}", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode == 0, answer.stderr


def test_every_variable_that_is_read_is_in_the_reference():
    """A variable that changes what wrapkit does has a row."""
    assert variables_in_code() - variables_in_docs() == set()


def test_every_variable_of_wrapkit_in_the_reference_is_read():
    """A row for a variable that nothing reads would be a promise that nobody keeps."""
    documented = {name for name in variables_in_docs() if name.startswith("WRAPKIT_")}
    # A further destination's variables are those of the first, under its own name.
    first = {"WRAPKIT_EXPORTER_NAME_" + suffix for suffix in suffixes("OTEL_EXPORTER_OTLP_")}
    first |= {"WRAPKIT_EXPORTER_NAME_" + suffix for suffix in suffixes("WRAPKIT_")}

    assert documented - variables_in_code() - first == set()


def suffixes(prefix):
    """What stands behind ``prefix`` in the variables that are read."""
    return {name[len(prefix) :] for name in variables_in_code() if name.startswith(prefix)}


@pytest.mark.parametrize("page", markdown_pages(), ids=str)
def test_links_inside_the_tree_lead_somewhere(page):
    """A relative link of a page names a file or a folder of the tree."""
    prose = CODE.sub("", (ROOT / page).read_text())
    targets = [target for target in LINK.findall(prose) if "://" not in target]
    dead = [target for target in targets if not (ROOT / page.parent / target).exists()]

    assert dead == []
