"""Each case that judges a host has a test that shows it."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tests.conformance.cases import CASES, HOST

TESTS = Path(__file__).parents[1]


# What makes a row of the tables in this folder; the first argument is the number.
ROWS = ("Call", "register", "next_event", "Scenario")


@functools.cache
def shown():
    """The numbers in the marks of all tests, and in the rows of the tables."""
    numbers = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
                numbers |= {ast.literal_eval(argument) for argument in node.args}
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ROWS and node.args:
                numbers.add(getattr(node.args[0], "value", 0))
    return numbers


def test_the_cases_are_numbered_from_1_to_60():
    assert [case.number for case in CASES] == list(range(1, 61))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.judges == HOST], ids=lambda case: str(case.number)
)
def test_each_case_of_a_host_is_shown(case):
    assert case.number in shown(), f"no test shows: {case.stimulus}: {case.expected}"
