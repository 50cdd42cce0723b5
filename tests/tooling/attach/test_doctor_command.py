"""`wrapkit doctor FUNCTION` and `layer inspect FUNCTION`, against the rules of Lambda's API."""

from __future__ import annotations

import io
import json
import zipfile

from .conftest import OWN


def test_a_function_is_examined_with_the_layers_that_it_has(service, wrapkit, archive):
    """The archive of its layer is downloaded, and what may not be looked at is said."""
    service.add(
        "orders",
        runtime=f"python{OWN}",
        variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/missing", "PASSWORD": "hush"},
        extra={"VpcConfig": {"SubnetIds": ["subnet-1"]}},
    )
    assert wrapkit("attach", "orders", "--layer", archive, "--yes").returncode == 0
    text = wrapkit("doctor", "orders")
    record = json.loads(wrapkit("doctor", "orders", "--json").stdout)

    assert text.returncode == 0, text.stderr
    assert [finding["reference"] for finding in record["orders"]] == [
        "wrapper-missing",
        "no-endpoint",
        "not-looked-at",
    ]
    assert "none of the layers has the exec wrapper /opt/missing" in text.stdout
    assert "hush" not in text.stdout + text.stderr


def test_the_layers_of_a_function_are_explained_beside_its_code(service, wrapkit, archive):
    service.add("orders", runtime=f"python{OWN}")
    assert wrapkit("attach", "orders", "--layer", archive, "--yes").returncode == 0
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as written:
        written.writestr("app.py", "x = 1\n")
    service.archives["orders"] = code.getvalue()
    of_function = wrapkit("layer", "inspect", "orders")
    of_arn = wrapkit("layer", "inspect", service.functions["orders"].layers[0])
    limit = ["layer", "build", "--python", OWN, "--output", "new.zip", "--with-layers", "orders"]
    built = wrapkit(*limit)

    assert of_function.returncode == 0, of_function.stderr
    assert "wrapper /opt/otel-handler (/bin/sh, of wrapkit)" in of_function.stdout
    assert "with the function's code:" in of_function.stdout
    assert built.returncode == 0, built.stderr
    assert of_arn.stdout.splitlines()[:-1] == of_function.stdout.splitlines()[:-2]


def test_a_folder_that_is_not_there_is_no_function(wrapkit):
    done = wrapkit("doctor", "./missing")

    assert done.returncode == 2
    assert "there is no folder ./missing" in done.stderr
