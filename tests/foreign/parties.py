"""The foreign parties as they are built; as a program it builds all that this machine can.

`make foreign` runs it, CI before the tests: a build is minutes, in which a test would look hung.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.architecture.interpreters import VERSIONS, interpreter
from wrapkit.tooling.emulator import Function

from .workshop import built, isolation_for, missing, require

# The Node client compiles curl and aws-lambda-cpp as it is installed.
TOOLS = {
    "go": ("go",),
    "java": ("java", "javac", "mvn"),
    "node": ("node", "npm", "autoconf", "automake", "libtoolize", "cmake", "pkg-config", "g++"),
    "rust": ("cargo",),
}


def go():
    require(*TOOLS["go"])
    # Without C, so that it runs wherever the sandbox puts it.
    folder = built(
        "go",
        ["go", "mod", "tidy"],
        ["go", "build", "-tags", "lambda.norpc", "-o", "bootstrap", "."],
        environment={"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"},
    )
    return Function(folder, "unused", command=("./bootstrap",)), "auto"


def node():
    require(*TOOLS["node"])
    folder = built(
        "node",
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
        # Headers that are here need not be downloaded.
        environment={"MAKEFLAGS": "-j2", **headers()},
    )
    client = "node_modules/aws-lambda-ric/bin/index.mjs"
    return Function(folder, "app.handler", command=("node", client, "app.handler")), isolation_for(
        "node"
    )


def headers():
    """Where node-gyp finds node.h, if it came with Node."""
    prefix = Path(os.path.realpath(shutil.which("node"))).parents[1]
    return {"npm_config_nodedir": str(prefix)} if (prefix / "include/node/node.h").exists() else {}


def java():
    require(*TOOLS["java"])
    folder = built(
        "java",
        ["mvn", "-q", "-B", "-ntp", "compile", "dependency:copy-dependencies"],
    )
    main = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
    jars = "target/classes:target/dependency/*"
    command = ("java", "-cp", jars, main, "example.Adder::handleRequest")
    function = Function(folder, "example.Adder", command=command, memory_mb=512)
    return function, isolation_for("java")


def rust():
    require(*TOOLS["rust"])
    return built("rust", ["cargo", "build", "--quiet"]) / "target/debug/listener"


def runtime_client(version, python):
    """A Python of this version with the newest awslambdaric that it can have."""
    folder = built(
        f"python{version}",
        [python, "-m", "venv", "venv"],
        ["venv/bin/python", "-m", "pip", "install", "--quiet", "awslambdaric"],
        key=os.path.realpath(python),
    )
    return folder / "venv/bin/python"


def main():
    """Builds everything; what the machine lacks the tools for is said."""
    for build in (go, java, node, rust):
        absent = missing(*TOOLS[build.__name__])
        state = f"cannot be built without {', '.join(absent)}" if absent else "is built"
        sys.stdout.write(f"{build.__name__} {state}\n")
        sys.stdout.flush()
        if not absent:
            build()
    for version in VERSIONS:
        python = interpreter(version)
        if python is not None:
            runtime_client(version, python)


if __name__ == "__main__":
    main()
