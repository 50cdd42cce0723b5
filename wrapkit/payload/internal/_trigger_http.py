"""HTTP requests and their responses: API Gateway, load balancers, function URLs and AppSync.

Attributes as in the semantic conventions, docs/http/http-spans.md, "HTTP server span", and
docs/faas/aws-lambda.md, "API Gateway"; the events as in
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
and https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html.
"""

from ._trigger import MAX_RECORDS, MAX_TEXT, Trigger, header_fields, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# RFC 9110 and RFC 5789, and QUERY, as http.request.method lists them.
_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
# url.query, "Query string values for the following keys SHOULD be redacted", and what carries the
# same secrets in AWS's signature version 4.
_SECRET_KEYS = frozenset(
    (
        "awsaccesskeyid",
        "sig",
        "signature",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
        "x-goog-signature",
    )
)
# RFC 3986, section 2.3.
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_GRAPHQL_OPERATIONS = {"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}


def request_trigger(event: "dict[str, Any]") -> "Optional[Trigger]":
    """The trigger of an event with a ``requestContext``, None when it is of no known service."""
    context = event["requestContext"]
    if not isinstance(context, dict):
        return None
    if isinstance(context.get("http"), dict):
        return _version_2(event, context, context["http"])
    if "connectionId" in context:
        return _web_socket(event, context)
    if "httpMethod" in event:
        return _load_balancer(event) if "elb" in context else _version_1(event, context)
    return None


def _version_1(event: "dict[str, Any]", context: "dict[str, Any]") -> Trigger:
    fields = _fields(event)
    identity = context.get("identity")
    identity = identity if isinstance(identity, dict) else {}
    attributes = _attributes(fields, context, identity, scheme="https")
    attributes.update(_method(event.get("httpMethod")))
    attributes["url.path"] = text(event.get("path"))
    attributes["url.query"] = _query(event, encoded=False)
    attributes["http.route"] = text(event.get("resource"))
    attributes["network.protocol.version"] = _protocol_version(context.get("protocol"))
    return Trigger("http", "api_gateway_v1", attributes, carrier=fields)


def _version_2(
    event: "dict[str, Any]", context: "dict[str, Any]", request: "dict[str, Any]"
) -> Trigger:
    fields = _fields(event)
    attributes = _attributes(fields, context, request, scheme="https")
    attributes.update(_method(request.get("method")))
    attributes["url.path"] = text(event.get("rawPath")) or text(request.get("path"))
    attributes["url.query"] = _redacted(text(event.get("rawQueryString")))
    # "GET /pets/{id}"; "$default" is no route.
    attributes["http.route"] = text(event.get("routeKey")).partition(" ")[2]
    attributes["network.protocol.version"] = _protocol_version(request.get("protocol"))
    return Trigger("http", _version_2_source(event, context), attributes, carrier=fields)


def _version_2_source(event: "dict[str, Any]", context: "dict[str, Any]") -> str:
    if ".lambda-url." in text(context.get("domainName")):
        return "function_url"
    # The same event asks an authorizer, whose answer is no response.
    return "api_gateway_authorizer" if event.get("type") == "REQUEST" else "api_gateway_v2"


def _web_socket(event: "dict[str, Any]", context: "dict[str, Any]") -> Trigger:
    # Only $connect has headers, the handshake's, which is a GET (RFC 6455, section 4.1).
    fields = _fields(event)
    identity = context.get("identity")
    identity = identity if isinstance(identity, dict) else {}
    attributes = _attributes(fields, context, identity, scheme="https")
    attributes["url.scheme"] = "wss"
    if context.get("eventType") == "CONNECT":
        attributes.update(_method("GET"))
        attributes["url.query"] = _query(event, encoded=False)
    stage = text(context.get("stage"))
    attributes["url.path"] = "/" + stage if stage else ""
    attributes["http.route"] = text(context.get("routeKey"))
    return Trigger("http", "web_socket", attributes, carrier=fields)


def _load_balancer(event: "dict[str, Any]") -> Trigger:
    fields = _fields(event)
    attributes = _attributes(fields, {}, {}, scheme="")
    attributes.update(_method(event.get("httpMethod")))
    attributes["url.path"] = text(event.get("path"))
    attributes["url.query"] = _query(event, encoded=True)
    return Trigger("http", "load_balancer", attributes, carrier=fields)


def app_sync_trigger(event: "dict[str, Any]") -> Trigger:
    """The trigger of a resolver's event. The request's method and path are not in it."""
    request = event.get("request")
    fields = _fields(request if isinstance(request, dict) else {})
    attributes = _attributes(fields, {}, {}, scheme="https")
    parent = text(event["info"].get("parentTypeName"))
    attributes["graphql.operation.type"] = _GRAPHQL_OPERATIONS.get(parent)
    return Trigger("http", "app_sync", attributes, carrier=fields)


def _fields(event: "dict[str, Any]") -> "dict[str, str]":
    # A load balancer sends the one or the other, API Gateway both: the lists have all values.
    return header_fields(event.get("multiValueHeaders")) or header_fields(event.get("headers"))


def _attributes(
    fields: "dict[str, str]", context: "dict[str, Any]", client: "dict[str, Any]", *, scheme: str
) -> "dict[str, Any]":
    """What the headers tell of the client and of the host, as the client named it."""
    host = text(context.get("domainName")) or text(fields.get("host"))
    port = text(fields.get("x-forwarded-port"))
    # server.address and client.address: behind a proxy, what it says of the original request.
    forwarded_for = text(fields.get("x-forwarded-for")).partition(",")[0].strip()
    agent = text(fields.get("user-agent")) or text(client.get("userAgent"))
    return {
        "url.scheme": text(fields.get("x-forwarded-proto")).partition(",")[0].strip() or scheme,
        "server.address": _without_port(host),
        "server.port": int(port) if _is_digits(port, 5) and host else None,
        "client.address": _without_port(forwarded_for or text(client.get("sourceIp"))),
        "user_agent.original": agent,
    }


def _without_port(address: str) -> str:
    host, colon, port = address.rpartition(":")
    # More colons than one without brackets are an IPv6 address.
    if colon and _is_digits(port, 5) and (":" not in host or host.endswith("]")):
        return host
    return address


def _is_digits(value: str, most: int) -> bool:
    return 0 < len(value) <= most and value.isascii() and value.isdigit()


def _method(method: "Any") -> "dict[str, Any]":
    method = text(method)
    if method in _METHODS or not method:
        return {"http.request.method": method}
    return {"http.request.method": "_OTHER", "http.request.method_original": method}


def _protocol_version(protocol: "Any") -> str:
    # network.protocol.version: "1.1", but "2" rather than "2.0" (RFC 9113 and 9114 have no minor).
    name, _, version = text(protocol).partition("/")
    if name != "HTTP":
        return ""
    return version[:-2] if version in {"2.0", "3.0"} else version


def _query(event: "dict[str, Any]", *, encoded: bool) -> str:
    """The query string, from the parameters: API Gateway hands these over decoded, a load balancer
    as they came.
    """
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    if not isinstance(parameters, dict):
        return ""
    pairs: list[str] = []
    length = 0
    for name, values in parameters.items():
        for value in values[:MAX_RECORDS] if isinstance(values, list) else [values]:
            pair = _pair(text(name), text(value), encoded=encoded)
            length += len(pair) + 1
            if len(pairs) == MAX_RECORDS or length > MAX_TEXT:
                return "&".join(pairs)
            pairs.append(pair)
    return "&".join(pairs)


def _pair(name: str, value: str, *, encoded: bool) -> str:
    if name.lower() in _SECRET_KEYS:
        return name + "=REDACTED"
    return name + "=" + value if encoded else _percent_encoded(name) + "=" + _percent_encoded(value)


def _percent_encoded(value: str) -> str:
    # urllib.parse would cost some 10 ms to import.
    data = value.encode("utf-8", "replace")
    if _UNRESERVED.issuperset(data):
        return value
    return "".join([chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data])


def _redacted(query: str) -> str:
    if not query:
        return ""
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join(
        [
            name + ("=REDACTED" if name.lower() in _SECRET_KEYS else equals + value)
            for name, equals, value in pairs
        ]
    )


def status_attributes(trigger: Trigger, result: "Any") -> "dict[str, Any]":
    """The status of the response that the service makes of ``result``."""
    code = result.get("statusCode") if isinstance(result, dict) else None
    if trigger.source in {"app_sync", "api_gateway_authorizer"}:
        return {}
    # Without a statusCode, API Gateway's version 2 and function URLs answer 200 with the result as
    # the body (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html).
    if code is None and trigger.source in {"api_gateway_v2", "function_url"}:
        code = 200
    if isinstance(code, str) and _is_digits(code, 3):
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int) or not 100 <= code <= 599:
        return {}
    attributes: dict[str, Any] = {"http.response.status_code": code}
    if code >= 500:  # docs/http/http-spans.md, "Status": of a server's span 4xx is no error
        attributes["error.type"] = str(code)
    return attributes
