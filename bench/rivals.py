"""Builds what is measured beside wrapkit, as rivals/rivals.toml says, from the package registry.

    python bench/rivals.py [NAME...]

Each is `build/rivals/NAME/opt`, a layer with byte code for this Python. One that is there already
is not built again unless its description has changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
RIVALS = ROOT / "bench/rivals"
BUILT = ROOT / "build/rivals"


def described() -> dict[str, dict[str, Any]]:
    """The rivals by name."""
    return tomllib.loads((RIVALS / "rivals.toml").read_text())


def build(name: str, rival: dict[str, Any]) -> Path:
    """The rival's layer; ends the program where a package cannot be had."""
    layer, mark = BUILT / name / "opt", BUILT / name / "built"
    digest = _digest(name, rival)
    if mark.exists() and mark.read_text() == digest:
        return layer
    print(f"building {name}", flush=True)
    shutil.rmtree(layer.parent, ignore_errors=True)
    (layer / "python").mkdir(parents=True)
    _install(layer, rival["requirements"])
    _install(layer, rival.get("nodeps", ()), "--no-deps")
    if (RIVALS / name / "opt").is_dir():
        shutil.copytree(RIVALS / name / "opt", layer, dirs_exist_ok=True)
    mark.write_text(digest)
    return layer


def _install(layer: Path, requirements: list[str], *options: str) -> None:
    """Into a folder of its own first: pip replaces a package's folder that others share."""
    if requirements:
        command = [sys.executable, "-m", "pip", "install", "--quiet", *options, *requirements]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [*command, "--target", folder], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(done.stderr.strip())  # pip's own words, and exit code 1
            shutil.copytree(folder, layer / "python", dirs_exist_ok=True)


def _digest(name: str, rival: dict[str, Any]) -> str:
    whole = hashlib.sha256(json.dumps([rival, sys.version], sort_keys=True).encode())
    for path in sorted((RIVALS / name).rglob("*")):
        if path.is_file():
            whole.update(path.read_bytes())
    return whole.hexdigest()


def variant(name: str, rival: dict[str, Any], layer: Path) -> str:
    """The rival as `wrapkit bench --variant` takes it."""
    settings = dict(rival.get("variant", {}))
    if (RIVALS / name / "task").is_dir():
        settings["task"] = str((RIVALS / name / "task").relative_to(ROOT))
    pairs = [f"{key}={value}" for key, value in settings.items()]
    return f"{name}={','.join([str(layer.relative_to(ROOT)), *pairs])}"


def variants(names: list[str]) -> list[str]:
    """The rivals of these names, built."""
    rivals = described()
    return [variant(name, rivals[name], build(name, rivals[name])) for name in names]


if __name__ == "__main__":
    for line in variants(sys.argv[1:] or list(described())):
        print(line)
