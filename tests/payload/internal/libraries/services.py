"""What the function of these tests talks to: AWS's services, a web server, and an OTLP backend."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wrapkit.tooling.sink import decode_request

REQUEST_ID = "b25f48e8-84fd-11e6-80d9-574e0c4664cb"
# Answers by DynamoDB, Secrets Manager, Step Functions and SQS: their operation is in a header.
JSON_ANSWERS = {
    "GetItem": {
        "Item": {"order_id": {"S": "7"}},
        "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 0.5},
    },
    "PutItem": {
        "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 1.0},
        "ItemCollectionMetrics": {"SizeEstimateRangeGB": [0.0, 1.0]},
    },
    "BatchGetItem": {
        "Responses": {},
        "ConsumedCapacity": [{"TableName": "orders", "CapacityUnits": 2.0}],
    },
    "Query": {"Items": [], "Count": 0, "ScannedCount": 3},
    "Scan": {"Items": [], "Count": 0, "ScannedCount": 3},
    "ListTables": {"TableNames": ["orders", "customers"]},
    "CreateTable": {"TableDescription": {"TableName": "orders"}},
    "GetSecretValue": {
        "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-a1b2c3",
        "Name": "key",
        "SecretString": "hidden",
    },
    "StartExecution": {
        "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:orders:1",
        "startDate": 1700000000,
    },
    "SendMessage": {"MessageId": "m-1", "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"},
    "ReceiveMessage": {"Messages": [{"MessageId": "m-2", "Body": "hello"}]},
}
# Answers by SNS, which names it in the form.
XML_ANSWERS = {
    "Publish": "<PublishResult><MessageId>p-1</MessageId></PublishResult>",
    "PublishBatch": "<PublishBatchResult><Successful/><Failed/></PublishBatchResult>",
    "CreateTopic": "<CreateTopicResult><TopicArn>arn:aws:sns:eu-west-1:123456789012:made</TopicArn>"
    "</CreateTopicResult>",
}


class Services(BaseHTTPRequestHandler):
    """Answers by path: `/aws` for AWS's, `/web/<status>` for others."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        self._handle()

    do_POST = do_PUT = do_BREW = do_GET  # noqa: N815 - the base class names them

    def _handle(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v1/traces":
            self.server.spans += decode_request("traces", body, is_json=False)
            self._answer(200, b"", "application/x-protobuf")
        elif self.path.startswith("/v1/"):
            self.server.signals += decode_request(self.path[4:], body, is_json=False)
            self._answer(200, b"", "application/x-protobuf")
        else:
            self.server.requests.append((self.command, self.path, dict(self.headers), body))
            self._serve(body)

    def _serve(self, body):
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if self.path.startswith("/web/"):
            self._web(int(self.path.split("/")[2].partition("?")[0]))
        elif b"missing" in body:
            document = {"__type": "com.amazonaws#ResourceNotFoundException", "message": "no such"}
            self._answer(400, json.dumps(document).encode(), "application/x-amz-json-1.0")
        elif target:
            document = json.dumps(JSON_ANSWERS.get(target, {})).encode()
            self._answer(200, document, "application/x-amz-json-1.0")
        elif b"Action=" in body:
            action = body.partition(b"Action=")[2].partition(b"&")[0].decode()
            xml = f"<{action}Response>{XML_ANSWERS.get(action, '')}</{action}Response>"
            self._answer(200, xml.encode(), "text/xml")
        elif "/unchanged" in self.path:
            self._answer(304, b"")
        else:
            self._answer(200, b"{}", "application/json")

    def _web(self, status):
        self._answer(status, b"" if status in {204, 304} else b"hello", location="/web/200")

    def _answer(self, status, body, content_type="text/plain", location=""):
        self.send_response(status)
        self.send_header("x-amzn-RequestId", REQUEST_ID)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if 300 < status < 304:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@contextmanager
def services():
    """A server whose `spans` and `requests` have come in, on a free port of the loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Services) as server:
        server.daemon_threads = True
        server.spans, server.requests, server.signals = [], [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
