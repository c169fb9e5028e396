"""Calls over a real gRPC server in this process: answers, refusals, deadlines, retries, traces."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from orkestra import wire
from orkestra.wire import Context, Error, FieldError
from orkestra.wire import errors as kinds
from wire_world import animal, keeper, newer_zoo, serving, started, zoo

KINDS = [kind for kind in vars(kinds).values() if isinstance(kind, type) and kind in Error.__subclasses__()]


async def found(ctx: Context, request: Any) -> Any:
    return animal(name=ctx.subject)


def failing(*refusals: Exception) -> tuple[Callable[[Context, Any], Awaitable[Any]], list[Context]]:
    """Return an operation that fails with each in turn and then answers, and the calls it has seen."""
    left, seen = list(refusals), list[Context]()

    async def operation(ctx: Context, request: Any) -> Any:
        seen.append(ctx)
        if left:
            raise left.pop(0)
        return animal()

    return operation, seen


def client_of(channel: grpc.aio.Channel, **options: Any) -> Any:
    return zoo().ZooServiceClient(channel, **{"token": "keeper"} | options)


def asked(name: str = "mia") -> Any:
    return zoo().GetAnimalRequest(name=name)


async def refusal_of(call: Awaitable[Any]) -> Error:
    with pytest.raises(Error) as caught:
        await call
    return caught.value


async def test_an_rpc_answers_with_the_model_and_knows_who_asks() -> None:
    operation, seen = failing()
    async with serving(keeper(operation)) as channel:
        assert await client_of(channel, door="rest").get_animal(asked(), request_id="r1") == animal()
    (ctx,) = seen
    assert (ctx.subject, ctx.tenant_id, ctx.token) == ("user_1", "tenant_1", "keeper")
    assert (ctx.rpc, ctx.request_id, ctx.door) == ("wiretest.v1.ZooService/GetAnimal", "r1", "rest")


@pytest.mark.parametrize(("sent", "read"), [("de-AT", "de-AT"), (None, "en"), ("../x", "en"), ("d", "en")])
async def test_an_rpc_knows_the_language_of_the_caller(sent: str | None, read: str) -> None:
    operation, seen = failing()
    async with serving(keeper(operation)) as channel:
        await client_of(channel, locale=sent).get_animal(asked())
    assert seen[0].locale == read


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_arrives_as_the_kind_that_was_raised_with_all_it_says(kind: type[Error]) -> None:
    sent = kind(
        "SOME_REASON",
        "A sentence; größer. 🐈",
        errors=[FieldError("data.answer", "required", "This field is required."), FieldError("", "x", "y")],
        current=animal(),
        retry_after=0.25,
    )
    async with serving(keeper(failing(sent)[0])) as channel:
        got = await refusal_of(client_of(channel).feed_animal(animal()))
    assert type(got) is kind
    assert (got.reason, got.message, got.errors) == (sent.reason, sent.message, sent.errors)
    assert (got.current, got.retry_after) == (sent.current, sent.retry_after)


def test_each_kind_has_one_row_in_the_table() -> None:
    table = {kind.__name__: (kind.code.name, kind.http_status, kind.retryable) for kind in KINDS}
    assert table == {
        "InvalidArgument": ("INVALID_ARGUMENT", 422, False),
        "Unauthenticated": ("UNAUTHENTICATED", 401, False),
        "PermissionDenied": ("PERMISSION_DENIED", 403, False),
        "NotFound": ("NOT_FOUND", 404, False),
        "AlreadyExists": ("ALREADY_EXISTS", 409, False),
        "FailedPrecondition": ("FAILED_PRECONDITION", 409, False),
        "VersionMismatch": ("ABORTED", 412, False),
        "Conflict": ("ABORTED", 409, True),
        "TooLarge": ("OUT_OF_RANGE", 413, False),
        "ResourceExhausted": ("RESOURCE_EXHAUSTED", 429, True),
        "Unavailable": ("UNAVAILABLE", 503, True),
        "DeadlineExceeded": ("DEADLINE_EXCEEDED", 504, True),
        "Internal": ("INTERNAL", 500, True),
    }
    assert len({kind.kind for kind in KINDS}) == len(KINDS)


async def test_a_refusal_too_large_for_a_trailer_loses_its_largest_optional_parts_only() -> None:
    large = animal(note="n" * 100_000, tags=["t" * 50] * 2000, toy={"a": "b" * 50_000})
    errors = [FieldError(f"data.field_{n}", "required", "This field is required. " * 3) for n in range(500)]
    sent = wire.InvalidArgument("REQUEST_INVALID", "ü" * 10_000, errors=errors, current=large)
    async with serving(keeper(failing(sent)[0])) as channel:
        got = await refusal_of(client_of(channel).get_animal(asked()))
    assert (type(got), got.reason, len(got.message)) == (wire.InvalidArgument, "REQUEST_INVALID", 500)
    assert got.current == animal(note=None, tags=[], toy=None)
    assert 0 < len(got.errors) < 500
    assert got.errors == tuple(errors[: len(got.errors)])


async def test_a_bug_becomes_internal_with_an_error_id_that_the_log_has_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="orkestra.wire"):
        async with serving(keeper(failing(KeyError("secret detail"))[0])) as channel:
            got = await refusal_of(client_of(channel).get_animal(asked()))
    assert (type(got), got.reason) == (wire.Internal, "INTERNAL")
    assert "secret" not in got.message
    (record,) = [one for one in caplog.records if one.name == "orkestra.wire"]
    assert record.error_id in got.message  # type: ignore[attr-defined]  # put there by extra=
    assert record.exc_info is not None


async def test_an_answer_that_cannot_travel_is_our_fault_and_not_the_callers() -> None:
    async def operation(ctx: Context, request: Any) -> Any:
        return animal(diet={"a": float("nan")})

    async with serving(keeper(operation)) as channel:
        assert type(await refusal_of(client_of(channel).get_animal(asked()))) is wire.Internal


async def test_an_answer_that_is_newer_than_the_client_is_internal_and_says_so() -> None:
    async def operation(ctx: Context, request: Any) -> Any:
        return newer_zoo().Animal(**animal().model_dump() | {"gait": "fly"})

    async with serving(keeper(operation)) as channel:
        got = await refusal_of(client_of(channel).get_animal(asked()))
    assert (type(got), got.reason) == (wire.Internal, "ANSWER_UNREADABLE")


async def test_a_request_that_a_room_cannot_read_is_refused_by_field() -> None:
    async with serving(keeper(found)) as channel:
        got = await refusal_of(raw(channel, zoo().GetAnimalRequest.pb(name="a\0").SerializeToString()))
        assert (got.reason, got.errors[0].path) == ("REQUEST_INVALID", "name")
        got = await refusal_of(raw(channel, b"\xff\xff"))
        assert (type(got), got.reason) == (wire.InvalidArgument, "REQUEST_INVALID")


async def raw(channel: grpc.aio.Channel, body: bytes, *, seconds: float | None = 5.0) -> bytes:
    """Call GetAnimal with bytes; raise what a client would raise."""
    call = channel.unary_unary("/wiretest.v1.ZooService/GetAnimal", request_serializer=None, response_deserializer=None)
    client = client_of(channel)
    try:
        return bytes(await call(body, timeout=seconds, metadata=(("authorization", "Bearer keeper"),)))
    except grpc.aio.AioRpcError as exc:
        raise client._refusal("GetAnimal", exc) from exc


async def test_a_call_without_a_deadline_is_refused() -> None:
    async with serving(keeper(found)) as channel:
        got = await refusal_of(raw(channel, b"", seconds=None))
    assert (type(got), got.reason) == (wire.InvalidArgument, "DEADLINE_REQUIRED")


async def test_only_open_rpcs_answer_a_caller_without_a_credential() -> None:
    async def who(ctx: Context, request: Any) -> Any:
        assert ctx.principal is wire.ANONYMOUS
        return animal()

    async with serving(keeper(who, found, open_rpcs=frozenset({"GetAnimal"}))) as channel:
        nobody = client_of(channel, token=None)
        assert await nobody.get_animal(asked()) == animal()
        assert (await refusal_of(nobody.feed_animal(animal()))).reason == "CREDENTIAL_REQUIRED"
        assert (await refusal_of(client_of(channel, token="thief").get_animal(asked()))).reason == "TOKEN_INVALID"


async def test_an_anonymous_caller_has_neither_subject_nor_tenant() -> None:
    ctx = Context(principal=wire.ANONYMOUS)
    with pytest.raises(wire.Unauthenticated, match="credential"):
        _ = ctx.subject
    with pytest.raises(wire.PermissionDenied, match="tenant"):
        _ = ctx.tenant_id


async def test_a_replayed_answer_is_marked_for_the_caller_that_asked() -> None:
    async def operation(ctx: Context, request: Any) -> Any:
        ctx.reply.replayed = request.name == "again"
        return animal()

    async with serving(keeper(operation)) as channel:
        client = client_of(channel)

        async def replayed(name: str) -> bool:
            await client.get_animal(asked(name))
            return bool(client.replayed)

        assert await asyncio.gather(*map(replayed, ["first", "again", "first", "again"])) == [False, True, False, True]


@pytest.mark.parametrize(
    ("rpc", "request_id", "tries"), [("get_animal", None, 3), ("feed_animal", "r1", 3), ("feed_animal", None, 1)]
)
async def test_unavailable_is_tried_again_where_the_call_may_be_repeated(
    rpc: str, request_id: str | None, tries: int
) -> None:
    away = wire.Unavailable("DATABASE_UNAVAILABLE", "The database is away.")
    operation, seen = failing(away, away)
    async with serving(keeper(operation)) as channel:
        request = asked() if rpc == "get_animal" else animal()
        call = getattr(client_of(channel), rpc)(request, request_id=request_id)
        if tries == 1:
            assert (await refusal_of(call)).reason == "DATABASE_UNAVAILABLE"
        else:
            assert await call == animal()
    assert len(seen) == tries


async def test_a_refusal_other_than_unavailable_is_not_tried_again() -> None:
    operation, seen = failing(wire.ResourceExhausted("RATE_LIMITED", "Too many."))
    async with serving(keeper(operation)) as channel:
        assert (await refusal_of(client_of(channel).get_animal(asked()))).reason == "RATE_LIMITED"
    assert len(seen) == 1


async def test_no_try_outlasts_the_deadline_and_the_last_refusal_is_told() -> None:
    away = wire.Unavailable("DATABASE_UNAVAILABLE", "The database is away.", retry_after=60)
    operation, seen = failing(away)
    async with serving(keeper(operation)) as channel, asyncio.timeout(5):
        got = await refusal_of(client_of(channel, timeout=2.0).get_animal(asked()))
    assert (got.reason, got.retry_after, len(seen)) == ("DATABASE_UNAVAILABLE", 60, 1)


async def test_a_call_that_outlasts_its_deadline_is_given_up_on_both_sides() -> None:
    cancelled = asyncio.Event()

    async def operation(ctx: Context, request: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return animal()

    async with serving(keeper(operation)) as channel:
        got = await refusal_of(client_of(channel).get_animal(asked(), timeout=0.1))
        await asyncio.wait_for(cancelled.wait(), 5)
    assert (type(got), got.reason) == (wire.DeadlineExceeded, "DEADLINE_EXCEEDED")
    assert "ZooService.GetAnimal" in got.message


async def test_a_service_that_is_away_is_unavailable_and_named() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        got = await refusal_of(client_of(channel).get_animal(asked(), timeout=0.5))
    assert (type(got), got.reason) == (wire.Unavailable, "SERVICE_UNAVAILABLE")
    assert got.message == "ZooService cannot be reached; try again shortly."


async def test_a_service_that_has_just_been_started_again_is_called_at_once() -> None:
    server, port = await started(keeper(found))
    options = [("grpc.initial_reconnect_backoff_ms", 400), ("grpc.min_reconnect_backoff_ms", 400)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        client = client_of(channel)
        await client.feed_animal(animal())
        await server.stop(grace=None)
        assert (await refusal_of(client.feed_animal(animal()))).reason == "SERVICE_UNAVAILABLE"
        assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE
        server, _ = await started(keeper(found), port)
        await client.feed_animal(animal())
        await server.stop(grace=None)


async def test_eight_mebibytes_travel_and_more_is_too_large() -> None:
    async with serving(keeper(found)) as channel:
        assert (await client_of(channel).feed_animal(animal(note="n" * 8_000_000))).name
        got = await refusal_of(client_of(channel).feed_animal(animal(note="n" * 9_000_000)))
    assert (type(got), got.reason) == (wire.TooLarge, "MESSAGE_TOO_LARGE")


async def test_a_service_that_does_not_know_the_rpc_is_older_than_its_client() -> None:
    async with serving(keeper(found)) as channel:
        stranger = newer_zoo().ZooServiceClient(channel, "keeper")
        got = await refusal_of(stranger.get_animal(newer_zoo().GetAnimalRequest(name="mia")))
    assert (type(got), got.reason) == (wire.Internal, "RPC_UNKNOWN")


async def test_a_token_may_be_fetched_for_each_call() -> None:
    tokens: Iterator[str] = iter(["keeper", "thief"])

    async def fetch() -> str:
        return next(tokens)

    async with serving(keeper(found)) as channel:
        client = client_of(channel, token=fetch)
        await client.get_animal(asked())
        assert (await refusal_of(client.get_animal(asked()))).reason == "TOKEN_REFUSED"


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "TOKEN_INVALID"])
async def test_a_token_just_fetched_that_is_not_taken_is_unavailable_and_a_given_one_is_refused(reason: str) -> None:
    operation, _ = failing(*(kinds.Unauthenticated(reason, "Not this one.") for _ in range(2)))

    async def fetch() -> str:
        return "keeper"

    async with serving(keeper(operation)) as channel:
        fetched = await refusal_of(client_of(channel, token=fetch).get_animal(asked(), timeout=0.5))
        given = await refusal_of(client_of(channel).get_animal(asked()))
    assert (type(fetched), fetched.reason, fetched.retryable) == (kinds.Unavailable, "TOKEN_REFUSED", True)
    assert (type(given), given.reason) == (kinds.Unauthenticated, reason)


class Kept:
    """Tokens that are kept until they are dropped."""

    def __init__(self, *tokens: str) -> None:
        self._left = list(tokens)
        self.dropped: list[str] = []

    async def __call__(self) -> str:
        return self._left[0]

    def drop(self, token: str) -> None:
        self.dropped.append(token)
        if len(self._left) > 1 and self._left[0] == token:
            del self._left[0]


async def test_a_kept_token_that_is_not_taken_is_dropped_and_the_call_made_once_more() -> None:
    token = Kept("old", "keeper")
    async with serving(keeper(found)) as channel:
        assert (await client_of(channel, token=token).get_animal(asked())).name == "user_1"
        other = Kept("old", "keeper")
        assert (await client_of(channel, token=other).feed_animal(animal(), request_id="r1")).name == "user_1"
    assert token.dropped == other.dropped == ["old"]


async def test_where_the_next_token_is_not_taken_either_the_call_is_given_up_at_once() -> None:
    operation, seen = failing(*(kinds.Unauthenticated("TOKEN_EXPIRED", "Not this one.") for _ in range(9)))
    token = Kept("older", "old", "keeper")
    async with serving(keeper(found)) as channel:
        assert (await refusal_of(client_of(channel, token=token).get_animal(asked()))).reason == "TOKEN_REFUSED"
    async with serving(keeper(operation)) as channel:
        same = Kept("keeper")
        assert (await refusal_of(client_of(channel, token=same).get_animal(asked()))).reason == "TOKEN_REFUSED"
    assert (token.dropped, same.dropped, len(seen)) == (["older"], ["keeper"], 1)


async def test_what_may_not_be_repeated_is_not_but_the_token_is_dropped() -> None:
    token = Kept("old", "keeper")
    async with serving(keeper(found)) as channel:
        client = client_of(channel, token=token)
        assert (await refusal_of(client.feed_animal(animal()))).reason == "TOKEN_REFUSED"
        assert (await client.feed_animal(animal())).name == "user_1"
    assert token.dropped == ["old"]


async def test_a_refusal_for_another_reason_drops_no_token() -> None:
    operation, _ = failing(kinds.Unauthenticated("CREDENTIAL_REVOKED", "Not this one."))
    token = Kept("keeper")
    async with serving(keeper(operation)) as channel:
        assert (await refusal_of(client_of(channel, token=token).get_animal(asked()))).reason == "CREDENTIAL_REVOKED"
    assert token.dropped == []


async def test_a_token_that_does_not_come_costs_no_more_than_the_deadline() -> None:
    async def fetch() -> str:
        await asyncio.Event().wait()
        return "keeper"

    async with serving(keeper(found)) as channel, asyncio.timeout(5):
        got = await refusal_of(client_of(channel, token=fetch).get_animal(asked(), timeout=0.05))
    assert (type(got), got.reason) == (wire.DeadlineExceeded, "DEADLINE_EXCEEDED")


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("orkestra.wire.tracing.tracer", provider.get_tracer("test"))
    return exporter


async def test_caller_and_called_share_one_trace(spans: InMemorySpanExporter) -> None:
    inside: list[Any] = []

    async def operation(ctx: Context, request: Any) -> Any:
        inside.append(trace.get_current_span().get_span_context().trace_id)
        return animal()

    async with serving(keeper(operation)) as channel:
        await client_of(channel).get_animal(asked())
    server, client = spans.get_finished_spans()
    assert (server.kind, client.kind) == (trace.SpanKind.SERVER, trace.SpanKind.CLIENT)
    assert server.name == client.name == "wiretest.v1.ZooService/GetAnimal"
    assert server.parent is not None
    assert client.context is not None
    assert server.parent.span_id == client.context.span_id
    assert inside[-1] == client.context.trace_id
    assert server.attributes is not None
    assert server.attributes["orkestra.tenant_id"] == "tenant_1"


@pytest.mark.parametrize(
    ("failure", "is_error"),
    [(wire.NotFound("TASK_NOT_FOUND", "No."), False), (RuntimeError("secret"), True)],
)
async def test_only_our_own_faults_mark_a_span_as_failed_and_no_text_of_a_bug_is_in_it(
    spans: InMemorySpanExporter, failure: Exception, is_error: bool
) -> None:
    async with serving(keeper(failing(failure)[0])) as channel:
        await refusal_of(client_of(channel).get_animal(asked()))
    finished: tuple[ReadableSpan, ...] = spans.get_finished_spans()
    assert [span.status.status_code is trace.StatusCode.ERROR for span in finished] == [is_error, is_error]
    assert all("secret" not in str(span.to_json()) for span in finished)
