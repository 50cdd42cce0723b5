"""The pytest plugin in pytest runs of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def run_pytest(tmp_path):
    """Runs a test file in a folder of its own; returns the exit code and what pytest said."""

    def run(text, *arguments):
        (tmp_path / "test_it.py").write_text(text)
        answer = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, "test_it.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return answer.returncode, answer.stdout + answer.stderr

    return run


def test_it_is_there_without_being_asked_for_and_imports_nothing_heavy(run_pytest):
    """pytest loads the plugin at every start, in projects that do not use it as well."""
    code, said = run_pytest(
        "import sys\n"
        "def test_it():\n"
        "    assert 'wrapkit.tooling._pytest_plugin' in sys.modules\n"
        "    ours = {name for name in sys.modules if name.startswith('wrapkit')}\n"
        "    assert ours == {'wrapkit', 'wrapkit.tooling', 'wrapkit.tooling._pytest_plugin'}\n"
    )

    assert code == 0, said


def test_the_fixture_is_listed_with_what_it_does(run_pytest):
    code, said = run_pytest("def test_it(): pass", "--fixtures")

    assert code == 0
    assert "lambda_environment" in said
    assert "Makes Lambda's execution environments for a test, and ends them with it." in said


def test_a_failure_shows_the_log_of_the_function(run_pytest):
    code, said = run_pytest(
        "def test_it(lambda_environment, tmp_path):\n"
        "    (tmp_path / 'app.py').write_text('def handler(e, c): print(\"a line of mine\")')\n"
        "    lambda_environment(task_root=str(tmp_path), name='orders').invoke()\n"
        "    assert False\n"
    )

    assert code == 1
    assert "Log of the Lambda function orders" in said
    assert "\na line of mine\n" in said


def test_no_process_outlives_a_test_that_left_its_environment_open(run_pytest):
    code, said = run_pytest(
        "import psutil\n"
        "def test_it(lambda_environment):\n"
        "    lambda_environment().init()\n"
        "    assert psutil.Process().children()\n"
        "def test_afterwards():\n"
        "    assert not psutil.Process().children()\n"
    )

    assert code == 0, said
