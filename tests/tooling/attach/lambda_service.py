"""Lambda's HTTP API with the rules that moto lacks, as AWS documents them.

A RevisionId that moves with a change and again when it settles, 412 for a stale one, 409 while a
change is under way, 429, the states Pending and InProgress, a sixth layer refused, and variables
above 4 KB refused. Changes settle after a number of looks at them, so that nothing here waits.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT, REGION = "123456789012", "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}"
# What EC2 and IAM answer who may not ask them.
UNAUTHORIZED = (
    b"<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
    b"<Message>You are not authorized</Message></Error></Errors></Response>"
)
LAYER = f"{ARN}:layer:wrapkit-python"


class RefusedError(Exception):
    """An answer that is an error of the API."""

    def __init__(self, status, code, message="refused"):
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Function:
    """A function's $LATEST. ``answers`` makes the outcome of an invocation from the function."""

    name: str
    runtime: str = "python3.12"
    layers: list[str] = field(default_factory=list)
    variables: dict[str, str] | None = None
    variables_error: str = ""
    package_type: str = "Zip"
    architecture: str = "x86_64"
    state: str = "Active"
    update_status: str = "Successful"
    looks_until_settled: int = 0
    fails_to_apply: bool = False
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    answers: object = None
    invocations: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)

    def moves(self):
        self.revision = str(uuid.uuid4())

    def look(self):
        """Each look brings a change that is under way closer to its end."""
        if self.looks_until_settled:
            self.looks_until_settled -= 1
            if not self.looks_until_settled:
                self.state = "Active"
                self.update_status = "Failed" if self.fails_to_apply else "Successful"
                self.moves()

    def document(self):
        environment = {}
        if self.variables_error:
            environment = {
                "Environment": {
                    "Error": {"ErrorCode": "AccessDeniedException", "Message": self.variables_error}
                }
            }
        elif self.variables:
            environment = {"Environment": {"Variables": self.variables}}
        return {
            "FunctionName": self.name,
            "FunctionArn": f"{ARN}:function:{self.name}",
            **({"Runtime": self.runtime} if self.package_type == "Zip" else {}),
            "PackageType": self.package_type,
            "Architectures": [self.architecture],
            "Handler": "app.handler",
            "Timeout": 3,
            "MemorySize": 128,
            "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
            "Layers": [{"Arn": layer, "CodeSize": 1} for layer in self.layers],
            "RevisionId": self.revision,
            "State": self.state,
            "LastUpdateStatus": self.update_status,
            **environment,
            **self.extra,
        }


class LambdaService:
    """A server on loopback. ``before_call`` sees each call as ``METHOD operation`` and may hang."""

    def __init__(self):
        self.functions = {}
        self.layer_versions = []
        self.archives = {}
        self.calls = []
        self.throttle = 0
        self.settles_after = 2
        self.before_call = lambda _call: None
        self.after_call = lambda _call: None
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                service.serve(self)

            do_GET = do_PUT = do_POST = answer  # noqa: N815 - http.server's names

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, name, **fields):
        function = self.functions[name] = Function(name, **fields)
        return function

    def publish(self, name="wrapkit-python", **fields):
        """A layer version; its ARN."""
        number = 1 + sum(version["LayerName"] == name for version in self.layer_versions)
        arn = f"{ARN}:layer:{name}:{number}"
        content = {**fields.pop("Content", {}), "Location": f"{self.url}/archives/{arn}"}
        version = {"LayerName": name, "Version": number, "LayerVersionArn": arn}
        self.layer_versions.append({**version, "Content": content, **fields})
        return arn

    def serve(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        parts = urlsplit(request.path)
        call = f"{request.command} {_operation(parts)}"
        self.before_call(call)
        with self._lock:
            self.calls.append(call)
            try:
                if self.throttle:
                    self.throttle -= 1
                    raise RefusedError(429, "TooManyRequestsException", "Rate exceeded")
                status, headers, document = self._answer(request.command, parts, body)
            except RefusedError as error:
                status = error.status
                headers = {"x-amzn-ErrorType": error.code}
                document = {"Message": str(error), "Type": "User"}
        self.after_call(call)
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def _answer(self, method, parts, body):
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        match (method, *path[1:]):
            case ("GET", "functions"):
                document = {"Functions": [f.document() for f in self.functions.values()]}
            case ("GET", name) if path[0] == "archives":
                document = self.archives[name]
            case ("GET", "functions", name):
                document = {
                    "Configuration": self._function(name).document(),
                    "Code": {"Location": f"{self.url}/archives/{name}"},
                }
            case ("GET", "functions", name, "configuration"):
                self._function(name).look()
                document = self._function(name).document()
            case ("PUT", "functions", name, "configuration"):
                document = self._update(self._function(name), json.loads(body))
            case ("POST", "functions", name, "invocations"):
                return self._invoke(self._function(name), body)
            case ("GET", "layers", name, "versions"):
                wanted = [v for v in self.layer_versions if v["LayerName"] == name]
                document = {"LayerVersions": wanted[::-1]}
            case ("GET", "layers", name, "versions", number):
                document = self._layer_version(name, int(number))
            case ("POST", "layers", name, "versions"):
                document = self._publish(name, json.loads(body))
            case ("POST",) if not body.startswith(b"{"):
                return 403, {}, UNAUTHORIZED
            case ("POST",):
                document = self._tagged(json.loads(body))
            case _:
                raise RefusedError(404, "ResourceNotFoundException", f"no path {parts.path}")
        return 200, {}, document

    def _function(self, name):
        function = self.functions.get(name.rpartition(":")[2])
        if function is None:
            raise RefusedError(404, "ResourceNotFoundException", f"Function not found: {name}")
        return function

    def _update(self, function, wanted):
        if wanted.get("RevisionId") not in {None, function.revision}:
            raise RefusedError(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id.",
            )
        if function.state == "Pending" or function.update_status == "InProgress":
            raise RefusedError(
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress",
            )
        layers, variables = wanted["Layers"], wanted["Environment"]["Variables"]
        if len(layers) > 5:
            raise RefusedError(
                400, "InvalidParameterValueException", "Cannot reference more than 5 layers"
            )
        if len(json.dumps(variables, separators=(",", ":"))) > 4096:
            raise RefusedError(400, "InvalidParameterValueException", "exceeded the 4KB limit")
        known = {version["LayerVersionArn"] for version in self.layer_versions}
        for layer in layers:
            if layer.startswith(LAYER) and layer not in known:
                raise RefusedError(400, "InvalidParameterValueException", f"{layer} does not exist")
        function.layers, function.variables = layers, variables or None
        function.update_status = "InProgress"
        function.looks_until_settled = self.settles_after
        function.moves()
        return function.document()

    def _invoke(self, function, body):
        function.invocations += 1
        error = function.answers(function, body) if function.answers else ""
        log = base64.b64encode(b"START\nsome line of the function\nEND\n").decode()
        headers = {"X-Amz-Log-Result": log}
        if error:
            document = {"errorType": "Runtime.ExitError", "errorMessage": error}
            return 200, {**headers, "X-Amz-Function-Error": "Unhandled"}, document
        return 200, headers, {"ok": True}

    def _layer_version(self, name, number):
        for version in self.layer_versions:
            arn = version["LayerVersionArn"].rpartition(":")[0]
            if name in {version["LayerName"], arn} and version["Version"] == number:
                return version
        raise RefusedError(404, "ResourceNotFoundException", "no such layer version")

    def _publish(self, name, wanted):
        archive = base64.b64decode(wanted["Content"]["ZipFile"])
        sha256 = base64.b64encode(hashlib.sha256(archive).digest()).decode()
        arn = self.publish(
            name,
            Content={"CodeSha256": sha256, "CodeSize": len(archive)},
            Description=wanted["Description"],
            CompatibleRuntimes=wanted["CompatibleRuntimes"],
            CompatibleArchitectures=wanted["CompatibleArchitectures"],
        )
        self.archives[arn] = archive
        return self.layer_versions[-1]

    def _tagged(self, wanted):
        def has_all(function):
            return all(
                each["Key"] in function.tags
                and (not each["Values"] or function.tags[each["Key"]] in each["Values"])
                for each in wanted["TagFilters"]
            )

        found = [f for f in self.functions.values() if has_all(f)]
        arns = [{"ResourceARN": f"{ARN}:function:{f.name}", "Tags": []} for f in found]
        return {"ResourceTagMappingList": arns}


def _operation(parts):
    """The kind of a call, without the names in it: functions/configuration."""
    words = [unquote(word) for word in parts.path.strip("/").split("/")[1:]]
    kinds = {"functions", "configuration", "invocations", "layers", "versions"}
    known = "/".join(word for word in words if word in kinds)
    return known if not parse_qs(parts.query) or known else "other"


def is_change(call):
    """Whether a call changes a function."""
    return re.fullmatch(r"PUT functions/configuration", call) is not None
