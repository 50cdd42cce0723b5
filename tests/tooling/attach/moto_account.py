"""An account that moto's server plays, with the AWS command line and wrapkit's in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from .conftest import BOUND_S, CommandLine, credentials

ROLE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Account:
    """An account in moto, the AWS command line in it, and wrapkit's."""

    def __init__(self, folder, url):
        self.folder = folder
        self.environ = credentials(folder, url)
        self.wrapkit = CommandLine(folder, self.environ)

    def aws(self, *arguments):
        """What the AWS command line answers."""
        done = subprocess.run(
            [Path(sys.executable).with_name("aws"), *arguments, "--output", "json"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def configuration(self, name):
        answer = self.aws("lambda", "get-function-configuration", "--function-name", name)
        layers = [layer["Arn"] for layer in answer.get("Layers", [])]
        return layers, answer.get("Environment", {}).get("Variables", {})


@contextmanager
def moto_account(folder):
    """An `Account` as long as the block; functions answer without Docker."""
    with (folder / "moto.log").open("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            url = _url(server, folder / "moto.log")
            _configure(url, {"lambda": {"use_docker": False}})
            yield Account(folder, url)
        finally:
            server.kill()
            server.wait()


def _configure(url, settings):
    body = json.dumps(settings).encode()
    request = urllib.request.Request(f"{url}/moto-api/config", body, method="POST")
    urllib.request.urlopen(request, timeout=BOUND_S).close()


def _url(server, log):
    while server.poll() is None:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())
