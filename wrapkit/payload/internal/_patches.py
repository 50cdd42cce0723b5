"""The patches in the runtime client; each calls the original with what it was called with."""

from . import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._hook import Hook


def patch(bootstrap: "Any", hook: "Hook") -> None:
    """Has the runtime client tell ``hook`` of each invocation.

    ``AttributeError``, with nothing patched, for a client without these steps.
    """
    client = bootstrap.LambdaRuntimeClient
    owners = [_owner(client, name) for name in ("wait_next_invocation", *_POSTS)]
    make_error = bootstrap.make_error
    _patch_next(owners[0], hook, bootstrap.__file__)
    for name, owner in zip(_POSTS, owners[1:]):
        _patch_post(owner, name, hook)
    bootstrap.make_error = _telling_error(make_error, hook)


_POSTS = ("post_invocation_result", "post_invocation_error")


def _owner(client: "Any", name: str) -> "Any":
    """The class that defines the method: all clients of a multi-concurrent runtime share one."""
    for owner in client.__mro__:
        if name in vars(owner):
            return owner
    raise AttributeError(name)


def _patch_next(owner: "Any", hook: "Hook", client_file: str) -> None:
    original = owner.wait_next_invocation

    def wait_next_invocation(self: "Any", *arguments: "Any", **keywords: "Any") -> "Any":
        request = original(self, *arguments, **keywords)
        quietly(_received, self, hook, request, client_file)
        return request

    owner.wait_next_invocation = wait_next_invocation


def _received(client: "Any", hook: "Hook", request: "Any", client_file: str) -> None:
    if "marshaller" not in vars(client):
        client.marshaller = Marshaller(type(client), hook, client_file)
    hook.received(request)


class Marshaller:
    """The client's marshaller, which a function may replace at its class at any time."""

    def __init__(self, client_class: "Any", hook: "Hook", client_file: str) -> None:
        def unmarshal_request(*arguments: "Any", **keywords: "Any") -> "Any":
            event = client_class.marshaller.unmarshal_request(*arguments, **keywords)
            quietly(hook.started, event)
            return event

        def marshal_response(*arguments: "Any", **keywords: "Any") -> "Any":
            quietly(hook.returned, arguments[0] if arguments else None)
            return client_class.marshaller.marshal_response(*arguments, **keywords)

        # The two frames that can be part of an error's stackTrace: the runtime client leaves out
        # the leading frames of its own file.
        for step in (unmarshal_request, marshal_response):
            step.__code__ = step.__code__.replace(co_filename=client_file)
        self._hook = hook
        self._client_class = client_class
        self._marshal_response = marshal_response
        self.unmarshal_request = unmarshal_request

    def __getattr__(self, name: str) -> "Any":
        if name == "marshal_response" and self._hook.reads_result:
            return self._marshal_response
        return getattr(self._client_class.marshaller, name)


def _patch_post(owner: "Any", name: str, hook: "Hook") -> None:
    original = getattr(owner, name)
    failed = name == "post_invocation_error"

    def post(self: "Any", *arguments: "Any", **keywords: "Any") -> "Any":
        # (self, invoke_id, body, ...), by position in the client's own loop.
        body = arguments[1] if len(arguments) > 1 else b""
        quietly(hook.ended, failed, body)
        try:
            return original(self, *arguments, **keywords)
        except Exception as error:
            quietly(hook.refused, error, body)
            raise
        finally:
            quietly(hook.posted)

    setattr(owner, name, post)


def _telling_error(original: "Any", hook: "Hook") -> "Any":
    def make_error(
        message: "Any", error_type: "Any", *arguments: "Any", **keywords: "Any"
    ) -> "Any":
        quietly(hook.failed, message, error_type)
        return original(message, error_type, *arguments, **keywords)

    return make_error
