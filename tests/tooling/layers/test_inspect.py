"""`wrapkit layer inspect` explains layers that others made, with what is wrong with them."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import zipfile

import pytest

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.layers import LayerRequest, build_layers, inspect_layer, read_picture

OWN = "{}.{}".format(*sys.version_info[:2])
TIMEOUT_S = 120
SCRIPT = b'#!/bin/sh\nexec "$@"\n'


@pytest.fixture
def layer(tmp_path):
    """Writes an archive of path -> (bytes, mode), and reads it."""

    def write(files, name="layer.zip"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for file, (content, mode) in files.items():
                entry = zipfile.ZipInfo(file)
                # 0x20 is the attribute that archivers on Windows set.
                entry.external_attr = mode << 16 | 0x20
                archive.writestr(entry, content)
        return read_picture(path)

    return write


def references(inspection):
    return [finding.reference for finding in inspection.findings]


def test_a_layer_of_wrapkit_has_nothing_wrong(tmp_path):
    request = LayerRequest(tmp_path / "layer.zip", versions=(OWN,))
    built = build_layers(request)[0]
    inspection = inspect_layer(read_picture(built.archive.path))

    assert inspection.findings == []
    wrappers = [(wrapper.path, wrapper.maker) for wrapper in inspection.wrappers]
    assert ("/opt/otel-handler", "wrapkit") in wrappers
    assert [program.path for program in inspection.extensions] == ["/opt/extensions/wrapkit"]
    assert inspection.unzipped_bytes == built.archive.unzipped_bytes


def test_wrappers_are_named_after_their_makers(layer):
    inspection = inspect_layer(
        layer({"datadog_wrapper": (SCRIPT, 0o100755), "README": (b"text", 0o100644)})
    )

    assert [(w.path, w.interpreter, w.maker) for w in inspection.wrappers] == [
        ("/opt/datadog_wrapper", "/bin/sh", "Datadog")
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"wrapper": (SCRIPT, 0o100644)}, ["not-executable"]),
        ({"extensions/one": (SCRIPT, 0)}, ["not-executable"]),
        ({"extensions/one": (SCRIPT.replace(b"\n", b"\r\n"), 0o100755)}, ["crlf"]),
        ({"extensions/one": (b"{}", 0o100755)}, ["extension-not-a-program"]),
        ({"extensions/deeper/one": (b"{}", 0o100644)}, []),
        ({"../../etc/cron.d/x": (b"", 0o100644)}, ["path-outside"]),
        ({"/etc/passwd": (b"", 0o100644)}, ["path-outside"]),
        ({"python/x": (b"../../../etc/passwd", 0o120777)}, ["path-outside"]),
        ({"python/x": (b"/etc/passwd", 0o120777)}, ["path-outside"]),
        ({"python/x": (b"../lib/y", 0o120777), "lib/z": (b"/opt/lib/y", 0o120777)}, []),
        ({"python/secret.py": (b"", 0o100600)}, ["not-readable"]),
        ({"layer/python/x.py": (b"", 0o100644)}, ["one-folder-too-deep"]),
        ({"python/x.py": (b"", 0o100644)}, []),
    ],
)
def test_what_would_fail_on_lambda_is_found(layer, files, expected):
    assert references(inspect_layer(layer(files))) == expected


def distribution(name, version, where="python"):
    return {f"{where}/{name}-{version}.dist-info/METADATA": (b"", 0o100644)}


def test_a_package_in_two_versions_is_a_clash(layer):
    """The function's own folder comes first on sys.path, so its version is what everybody gets."""
    ours = layer(
        {
            **distribution("typing_extensions", "4.12.0", "python/lib/python3.12/site-packages"),
            **distribution("protobuf", "5.0", "wrapkit/packages"),
            **distribution("wrapt", "1.17.0"),
        }
    )
    function = layer(
        {
            **distribution("typing.extensions", "4.1.0", "."),
            **distribution("protobuf", "3.20", "."),
            **distribution("wrapt", "1.17.0", "."),
        },
        "function.zip",
    )
    inspection = inspect_layer(ours, function)

    assert references(inspection) == ["package-clash"]
    assert "typing-extensions 4.12.0 is in the layer, 4.1.0" in inspection.findings[0].message
    assert {p.name: p.is_importable for p in inspection.packages} == {
        "protobuf": False,
        "typing-extensions": True,
        "wrapt": True,
    }


def elf_header(machine):
    """The head of a 64-bit little-endian shared object without sections."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0)


def test_native_files_have_an_architecture(layer):
    x86_64, aarch64, riscv = 62, 183, 243
    files = {
        f"python/{machine}.so": (elf_header(machine), 0o100755)
        for machine in (x86_64, aarch64, riscv)
    }
    inspection = inspect_layer(layer({**files, "python/cut.so": (b"\x7fELF\x02", 0o100755)}))

    assert [file.architecture for file in inspection.native_files] == [
        "arm64",
        "EM_RISCV",
        "x86_64",
        "damaged",
    ]
    assert sorted(references(inspection)) == ["damaged", "wrong-architecture"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the interpreter's own ELF file")
def test_the_c_library_that_a_native_file_needs_is_read(tmp_path):
    """This machine's sh is linked to glibc, and asks for a version of it."""
    (tmp_path / "layer/bin").mkdir(parents=True)
    shutil.copy("/bin/sh", tmp_path / "layer/bin/sh")
    native = inspect_layer(read_picture(tmp_path / "layer")).native_files

    assert [file.glibc is not None and file.glibc >= (2, 2) for file in native] == [True]


def test_the_command_says_it_as_text_and_as_json(layer, tmp_path):
    layer({"extensions/one": (SCRIPT, 0o100644)})
    command = [sys.executable, "-m", "wrapkit.tooling.cli", "layer", "inspect", "layer.zip"]
    text, machine = (
        subprocess.run(
            [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        for options in ([], ["--json"])
    )

    assert "error: /opt/extensions/one is not executable" in text.stdout
    assert "hint: chmod +x" in text.stdout
    assert [finding["reference"] for finding in json.loads(machine.stdout)[0]["findings"]] == [
        "not-executable"
    ]
    assert (text.returncode, machine.returncode) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 damaged"])
def test_what_is_no_layer_is_refused(tmp_path, content):
    path = tmp_path / "layer.zip"
    path.write_bytes(content)

    with pytest.raises(DiagnosticError, match="cannot be read as a layer"):
        read_picture(path)
