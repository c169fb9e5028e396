"""What the body of a request at the MCP door must be: strict JSON within a limit; the SDK's own reading is laxer."""

from http import HTTPStatus

from orkestra.chassis.door import read_body
from orkestra.mcp_gateway.tools.refusing import INVALID_REQUEST, PARSE_ERROR, respond
from orkestra.wire import Error, FieldError, InvalidArgument, TooLarge, loads
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_DEPTH = 40
"""A tool's arguments may be 32 levels deep, and lie some levels deep in the message."""

ARGUMENTS = "params.arguments"


class StrictBodies:
    """ASGI: lets a POST in when its body is JSON as RFC 8259 means it, of at most `limit` bytes.

    Refuses what reads differently in different programs: NaN, numbers beyond a double, a key given twice, half a
    character. Text that cannot be stored in a tool's arguments is left to the tool, whose refusal tells the model.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            _check_type(request)
            declared = request.headers.get("content-length", "")
            body = await read_body(request.stream(), declared=declared, limit=self._limit)
            _check_json(body)
        except TooLarge as refusal:
            await respond(refusal, {"Connection": "close"}, code=INVALID_REQUEST)(scope, receive, send)
        except Error as refusal:
            code = PARSE_ERROR if refusal.reason == "BODY_NOT_JSON" else INVALID_REQUEST
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE if refusal.reason == _NOT_JSON else HTTPStatus.BAD_REQUEST
            await respond(refusal, {}, code=code, status=status)(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)


_NOT_JSON = "CONTENT_TYPE_UNSUPPORTED"


def _check_type(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidArgument(_NOT_JSON, "Send the body as application/json.")


def _check_json(body: bytes) -> None:
    try:
        loads(body, max_depth=MAX_DEPTH)
    except InvalidArgument as refused:
        if any(error.code == "not_json" for error in refused.errors):
            raise InvalidArgument("BODY_NOT_JSON", str(refused)) from refused
        if not all(_is_text_of_arguments(error) for error in refused.errors):
            raise


def _is_text_of_arguments(error: FieldError) -> bool:
    return error.code == "invalid_text" and error.path.startswith(ARGUMENTS)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read once more, and then what the client sends after it, such as its leaving."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message
