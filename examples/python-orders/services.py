"""Starts what the function talks to, runs a command, and stops it all when the command is done.

    python services.py COMMAND [ARGUMENT...]

A DynamoDB-shaped endpoint (GetItem and PutItem of one table, in memory) and a price service listen
on free ports of the loopback. The command finds them in AWS_ENDPOINT_URL_DYNAMODB, the variable
that AWS's SDKs read, and in PRICES_URL. The exit code is the command's.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PRICES_CENTS = {"TEA-GREEN": 450, "CUP-BLUE": 1290}
ORDERS = {
    "A-1001": {"order_id": {"S": "A-1001"}, "sku": {"S": "TEA-GREEN"}, "quantity": {"N": "3"}},
    "A-1002": {"order_id": {"S": "A-1002"}, "sku": {"S": "CUP-BLUE"}, "quantity": {"N": "2"}},
}


class JsonHandler(BaseHTTPRequestHandler):
    """Answers in JSON, over connections that stay open."""

    protocol_version = "HTTP/1.1"
    # Head and body in one packet: apart, Nagle and delayed acknowledgements cost 40 ms an answer.
    wbufsize = -1

    def answer(self, status, document, content_type="application/json"):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Say nothing: the demo is about the function."""


class Prices(JsonHandler):
    """GET /prices/<sku>."""

    def do_GET(self):
        sku = self.path.rpartition("/")[2]
        if sku in PRICES_CENTS:
            self.answer(200, {"sku": sku, "unit_price_cents": PRICES_CENTS[sku]})
        else:
            self.answer(404, {"message": f"no price for {sku}"})


class DynamoDb(JsonHandler):
    """The two operations that the function uses, in DynamoDB's JSON protocol."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        if request["TableName"] != "orders":
            self.fail("ResourceNotFoundException", "Requested resource not found")
        elif operation == "GetItem":
            order = ORDERS.get(request["Key"]["order_id"]["S"])
            self.reply({"Item": order} if order else {})
        elif operation == "PutItem":
            ORDERS[request["Item"]["order_id"]["S"]] = request["Item"]
            self.reply({})
        else:
            self.fail("UnknownOperationException", operation)

    def reply(self, document):
        self.answer(200, document, "application/x-amz-json-1.0")

    def fail(self, kind, message):
        document = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}
        self.answer(400, document, "application/x-amz-json-1.0")


@contextlib.contextmanager
def serving(handler):
    """The base URL of a server that answers with `handler` as long as the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def run(command):
    """The exit code of the command; signals are for the command to answer."""
    with serving(DynamoDb) as dynamodb_url, serving(Prices) as prices_url:
        services = {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url, "PRICES_URL": prices_url}
        process = subprocess.Popen(command, env={**os.environ, **services})
        # Ctrl-C reaches the command by itself; only SIGTERM has to be handed on.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        code = process.wait()
        return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(run(sys.argv[1:]))
