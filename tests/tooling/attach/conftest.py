"""The fake of Lambda's API, and the command line talking to it through real boto3."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from wrapkit.tooling.cli._main import run_command_line
from wrapkit.tooling.layers import LayerRequest, build_layers

from .lambda_service import REGION, LambdaService

OWN = "{}.{}".format(*sys.version_info[:2])
BOUND_S = 120


def credentials(folder, url):
    """What boto3 needs, and nothing of this machine's own configuration."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "PYTHONWARNINGS": "ignore",
    }


@dataclass
class CommandLine:
    """`wrapkit` as a process."""

    folder: object
    environ: dict[str, str]

    def command(self, *arguments):
        return [sys.executable, "-m", "wrapkit.tooling.cli", *map(str, arguments)]

    def start(self, *arguments):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, **environ):
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )

    def record(self, *arguments):
        """The JSON on stdout of a command that succeeds."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class FrontInProcess(CommandLine):
    """The same without a new process each time, half of whose life is loading boto3.

    What a process is needed for (interrupts, moto, the guides) starts one.
    """

    def __call__(self, *arguments, **environ):
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**self.environ, **environ}, clear=True),
            _chdir(self.folder),
            mock.patch.object(sys, "stdin", io.StringIO()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
        ):
            # boto3 warns of Pythons that it will leave behind.
            warnings.simplefilter("ignore")
            code = run_command_line([str(argument) for argument in arguments])
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _chdir(folder):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture
def service():
    running = LambdaService()
    yield running
    running.close()


@pytest.fixture
def wrapkit(service, tmp_path):
    return FrontInProcess(tmp_path, credentials(tmp_path, service.url))


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """A layer of this interpreter's Python."""
    output = tmp_path_factory.mktemp("layer") / "wrapkit-layer.zip"
    return build_layers(LayerRequest(output, versions=(OWN,)))[0].archive.path
