"""The runtime's command line runs as by itself, in all the forms that Python takes."""

from __future__ import annotations

import shutil
import subprocess
import zipfile

import pytest

from .test_transparency import OWN, VERSIONS

STATE = """\
import json, sys
main = sys.modules["__main__"]
names = {k: str(v).partition(" at 0x")[0] for k, v in vars(main).items()}
print(json.dumps([names, sys.argv, sys.path, getattr(sys, "orig_argv", None), __file__]))
"""


@pytest.fixture
def same(runtimes, layers, tmp_path):
    """Call with arguments of the interpreter: both outputs are the same, and are returned."""

    def run(*arguments, version=OWN, layer=None):
        bare = [runtimes(version).python, *arguments]
        wrapped = [str((layer or layers("both")) / "otel-handler"), *bare]
        done = [
            subprocess.run(
                command, capture_output=True, cwd=tmp_path, timeout=60, stdin=subprocess.DEVNULL
            )
            for command in (bare, wrapped)
        ]
        assert done[1].stdout == done[0].stdout
        assert done[1].returncode == done[0].returncode
        extra = done[1].stderr.replace(done[0].stderr, b"")
        return done[0], extra.decode()

    return run


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_and_a_module(same, tmp_path, version):
    """`sys.argv`, `sys.path`, `__main__` and exit code are those of the bare interpreter."""
    (tmp_path / "script.py").write_text(STATE + "sys.exit(6)\n")

    for arguments in (["script.py", "a"], ["-m", "script", "a"]):
        done, extra = same(*arguments, version=version)

        assert (done.returncode, extra) == (6, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("script.py", "a b", "", "-m", "*"),
        ("./folder/../script.py",),
        ("folder/link.py",),
        ("-E", "-Xdev", "-X", "utf8", "-W", "ignore", "-Ws", "-su", "script.py", "-I"),
        ("-I", "script.py"),
        ("-m", "package", "a"),
        ("-m", "package.inner"),
    ],
    ids=" ".join,
)
def test_forms_of_the_command_line(same, tmp_path, arguments):
    """Options, links and packages are resolved as the interpreter resolves them."""
    folder = tmp_path / "folder"
    (tmp_path / "package").mkdir()
    folder.mkdir()
    (tmp_path / "script.py").write_text(STATE + "sys.exit(6)\n")
    (folder / "link.py").symlink_to("../script.py")
    for name in ("__init__", "__main__", "inner"):
        (tmp_path / f"package/{name}.py").write_text(STATE)

    done, extra = same(*arguments)

    assert done.stdout
    assert extra == ""


@pytest.mark.parametrize(
    "source",
    [
        "def broken(:\n",
        "raise LookupError('from the script')\n",
        "# coding: latin-1\nprint(ascii('\xe9'))\n",
        "import package_that_is_not_there\n",
        "import sys; sys.exit('a reason')\n",
        "from __future__ import annotations\nx: y = 1\nprint(__annotations__)\n",
    ],
)
def test_scripts_that_end_badly(same, tmp_path, source):
    """A script's own failure is reported as Python reports it, without a frame of wrapkit."""
    (tmp_path / "script.py").write_bytes(source.encode("latin-1"))

    _, extra = same("script.py")

    words = "wrapkit: not started, SyntaxError; running without\n"
    assert extra == (words if "broken" in source else "")


@pytest.mark.parametrize(
    "arguments", [("-c", "print(1)"), ("-m", "missing"), ("missing.py",), ("-V",)]
)
def test_what_is_left_alone(same, arguments):
    """A command line that is no script ends as it would have."""
    same(*arguments)


def test_an_application_in_an_archive(same, tmp_path):
    """An archive is no script that could be compiled: the bare command takes over."""
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", "import sys; print(sys.argv)")

    done, extra = same("app.pyz", "a")

    assert done.stdout == b"['app.pyz', 'a']\n"
    assert extra.startswith("wrapkit: not started")


@pytest.mark.parametrize(
    "damage", ["wrapkit/_wrapkit", "wrapkit/_wrapkit/payload/_env.py", "wrapkit"]
)
def test_a_layer_that_is_not_whole(same, layers, tmp_path, damage):
    """A line says that wrapkit is not there, and the script runs."""
    layer = shutil.copytree(layers("both"), tmp_path / "layer")
    for cache in list(layer.rglob("__pycache__")):
        shutil.rmtree(cache)
    for bundle in list(layer.rglob("init-*.bundle")):  # with it, the rest is not missed at Init
        bundle.unlink()
    target = layer / damage
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    (tmp_path / "script.py").write_text("print('ran')\n")

    done, extra = same("script.py", layer=layer)

    assert done.stdout == b"ran\n"
    assert extra.startswith("wrapkit: ")
    assert extra.count("\n") == 1


def test_a_bundle_that_is_cut_off(same, layers, tmp_path):
    """A line says that wrapkit is not there, and the script runs."""
    layer = shutil.copytree(layers("both"), tmp_path / "layer")
    for bundle in layer.rglob("init-*.bundle"):
        bundle.write_bytes(bundle.read_bytes()[:-100])
    (tmp_path / "script.py").write_text("print('ran')\n")

    done, extra = same("script.py", layer=layer)

    assert done.stdout == b"ran\n"
    assert extra.startswith("wrapkit: not started")
    assert extra.count("\n") == 1


def test_a_client_that_is_not_known(same, tmp_path):
    """A runtime client without the steps that the hook watches runs unwatched."""
    (tmp_path / "awslambdaric").mkdir()
    (tmp_path / "awslambdaric/__init__.py").touch()
    (tmp_path / "awslambdaric/bootstrap.py").write_text("class LambdaRuntimeClient: pass\n")
    (tmp_path / "script.py").write_text(
        "import sys, awslambdaric.bootstrap as b\n"
        "print(len(sys.meta_path), b.__loader__ is b.__spec__.loader, vars(b.__loader__).keys())\n"
    )

    done, extra = same("script.py")

    assert b"['name', 'path']" in done.stdout
    assert extra.startswith("wrapkit: ")
    assert "AttributeError" in extra


def test_a_client_that_fails_to_load(same, tmp_path):
    """Its traceback is the one of the bare run."""
    (tmp_path / "awslambdaric").mkdir()
    (tmp_path / "awslambdaric/__init__.py").touch()
    (tmp_path / "awslambdaric/bootstrap.py").write_text("1 / 0\n")
    (tmp_path / "script.py").write_text("import awslambdaric.bootstrap\n")

    done, extra = same("script.py")

    assert b"ZeroDivisionError" in done.stderr
    assert extra == ""
