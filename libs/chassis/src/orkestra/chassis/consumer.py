"""Durable consumers: an event is handled until it is done, or it is poison and goes to the dead letters."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from opentelemetry import trace
from orkestra.chassis.events import Event, Poison, read_event
from orkestra.chassis.inhand import AT_ONCE, InHand, tenant_of
from orkestra.chassis.logs import get_logger, log_tenant
from orkestra.chassis.metrics import BACKLOG, CONSUMER_LAG, HANDLED, PROCESSED, REDELIVERED, from_zero
from orkestra.chassis.pulls import Pull
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.chassis.together import Together
from orkestra.wire import Error
from orkestra.wire.tracing import trace_of

ACK_WAIT_SECONDS = 30.0
LONGEST_PAUSE = 10.0
TRIES_OF_A_BUG = 5
STOP_SECONDS = 8.0
RESTART_SECONDS = 0.5
LOOK_SECONDS = 10.0
_FAILED = (OSError, TimeoutError, nats.errors.Error)

Handler = Callable[[Event], Awaitable[None]]
logger = get_logger(__name__)
tracer = trace.get_tracer(__name__)


class Consumer:
    """Hands the events of `subjects` to `handler`: one resource's in order, those of `at_once` resources at a time.

    What takes events `Together` is given those of a tenant so. Events of tenants of which `is_gone` says so are passed
    over.
    """

    def __init__(
        self,
        stream: Nats,
        name: str,
        subjects: Sequence[str],
        handler: Handler | Together,
        *,
        is_gone: Callable[[str], bool] = lambda _tenant_id: False,
        at_once: int = AT_ONCE,
    ) -> None:
        self._nats = stream
        self._name = name
        self._subjects = list(subjects)
        self._handler = handler
        self._is_gone = is_gone
        self._turns = asyncio.Semaphore(at_once)
        self._turns_alone = asyncio.Semaphore(at_once)
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pull: Pull | None = None
        from_zero(HANDLED, *((name, outcome) for outcome in ("done", "retried", "dead")))

    async def run(self) -> None:
        """Consume until stopped; whatever NATS loses is made again."""
        while not self._stopping.is_set():
            end_where_cancelled()
            try:
                await self._nats.connected()
                await self._consume()
            except _FAILED as failed:
                logger.warning("consumer was interrupted", consumer=self._name, error=repr(failed))
                await asyncio.sleep(RESTART_SECONDS)
            except Exception:  # the edge of a loop: drivers raise more than they document
                logger.exception("consumer failed", consumer=self._name)
                await asyncio.sleep(RESTART_SECONDS)
        end_where_cancelled()
        await asyncio.Event().wait()  # a loop that ends is started again; this one is done

    async def stop(self) -> None:
        """Take no more events and return when those in hand are done, at most 8 seconds later."""
        self._stopping.set()
        if self._pull is not None:
            self._pull.nudge()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            logger.warning("events in hand were left for redelivery", consumer=self._name)

    async def _consume(self) -> None:
        await self._nats.ensure_streams()
        await self._nats.jetstream.add_consumer(EVENTS, self._config())
        in_hand = self._in_hand()
        self._idle.clear()
        beside = [asyncio.create_task(self._look()), asyncio.create_task(in_hand.keep_alive())]
        try:
            try:
                async with Pull(self._nats, self._name) as pull:
                    self._pull = pull
                    await self._hand_out(pull, in_hand)
            finally:
                await in_hand.finish()  # what it hands back is not to come to this pull again
        finally:
            self._idle.set()
            for task in beside:
                task.cancel()

    def _in_hand(self) -> InHand:
        if not isinstance(self._handler, Together):
            return InHand(self._settle, turns=self._turns)
        most, seconds = self._handler.most, self._handler.seconds
        return InHand(self._settle, turns=self._turns, lane_of=tenant_of, most=most, seconds=seconds)

    async def _hand_out(self, pull: Pull, in_hand: InHand) -> None:
        while not self._stopping.is_set():
            end_where_cancelled()
            for message in await pull.take():
                in_hand.give(message)
            await in_hand.room()

    async def _look(self) -> None:
        """Keep the figure of what waits; NATS counts it."""
        while True:
            try:
                info = await self._nats.jetstream.consumer_info(EVENTS, self._name)
                BACKLOG.labels(self._name).set((info.num_pending or 0) + (info.num_ack_pending or 0))
            except _FAILED as failed:
                logger.debug("consumer was not looked at", consumer=self._name, error=repr(failed))
            await asyncio.sleep(LOOK_SECONDS)

    async def _settle(self, messages: Sequence[Msg]) -> None:
        """Handle messages and tell NATS how it went; where that fails together, each is settled by itself."""
        again = sum(_deliveries(message) > 1 for message in messages)
        if again:
            REDELIVERED.labels(self._name).inc(again)
        if not isinstance(self._handler, Together) or len(messages) == 1:
            await self._settle_alone(messages)
            return
        try:
            await self._handle_together(self._handler, messages)
        except Exception as failed:  # it is met again by the one that it is about
            logger.info("events are taken one by one", consumer=self._name, count=len(messages), error=repr(failed))
            alone = InHand(self._settle_alone, turns=self._turns_alone)
            for message in messages:
                alone.give(message)
            await alone.all_settled()
        else:
            for message in messages:
                await message.ack()
            HANDLED.labels(self._name, "done").inc(len(messages))

    async def _settle_alone(self, messages: Sequence[Msg]) -> None:
        [message] = messages
        deliveries = _deliveries(message)
        try:
            await self._handle(message)
        except Poison as poison:
            await self._bury(message, str(poison))
        except Error as refused:
            if refused.retryable:
                await self._later(message, deliveries, refused)
            else:
                await self._bury(message, f"{refused.reason}: {refused.message}")
        except OSError as away:
            await self._later(message, deliveries, away)
        except Exception as bug:
            logger.exception("event handler failed", consumer=self._name, deliveries=deliveries)
            if deliveries < TRIES_OF_A_BUG:
                await self._later(message, deliveries, bug)
            else:
                await self._bury(message, f"HANDLER_FAILED: {type(bug).__name__}")
        else:
            await message.ack()
            HANDLED.labels(self._name, "done").inc()

    async def _handle(self, message: Msg) -> None:
        event = _event(message)
        if self._is_gone(event.tenant_id):
            return
        log_tenant.set(event.tenant_id)
        with trace.use_span(self._span(event), end_on_exit=True):
            began = time.perf_counter()
            await self._handler(event)
            self._note(event, time.perf_counter() - began)

    async def _handle_together(self, together: Together, messages: Sequence[Msg]) -> None:
        """Handle events of one tenant; what they share is recorded as the first one's."""
        events = [_event(message) for message in messages]
        if self._is_gone(events[0].tenant_id):
            return
        log_tenant.set(events[0].tenant_id)
        began = time.perf_counter()
        spans = [self._span(event) for event in events]
        events = [replace(event, span=span) for event, span in zip(events, spans, strict=True)]
        try:
            with events[0].traced():
                await together.handler(events)
            took = time.perf_counter() - began
            for event in events:
                with event.traced():
                    self._note(event, took)
        finally:
            for span in spans:
                span.end()

    def _span(self, event: Event) -> trace.Span:
        return tracer.start_span(
            f"{self._name} {event.aggregate}.{event.event}",
            context=trace_of(event.headers),
            kind=trace.SpanKind.CONSUMER,
            attributes={"orkestra.tenant_id": event.tenant_id, "messaging.message.id": event.id},
        )

    def _note(self, event: Event, seconds: float) -> None:
        PROCESSED.labels(self._name).observe(seconds)
        CONSUMER_LAG.labels(self._name).observe(max(0.0, time.time() - event.time.timestamp()))
        subject = f"orkestra.v1.{event.tenant_id}.{event.aggregate}.{event.event}"
        logger.debug("event is handled", consumer=self._name, event_id=event.id, subject=subject)

    async def _later(self, message: Msg, deliveries: int, why: Exception) -> None:
        pause = min(LONGEST_PAUSE, 0.2 * 2 ** min(deliveries - 1, 10))
        logger.info("event is tried again", consumer=self._name, seconds=pause, deliveries=deliveries, error=repr(why))
        HANDLED.labels(self._name, "retried").inc()
        await message.nak(delay=pause)

    async def _bury(self, message: Msg, reason: str) -> None:
        """Put the message on the dead-letter stream, then take it off the consumer's hands."""
        place = message.metadata.sequence.stream
        headers = dict(message.headers or {}) | {
            "orkestra-reason": " ".join(reason.split())[:1000].encode("ascii", "replace").decode(),
            "orkestra-consumer": self._name,
            "orkestra-subject": message.subject,
            "orkestra-stream-seq": str(place),
            "Nats-Msg-Id": f"dead-{self._name}-{place}-{(message.headers or {}).get('ce-id', '')}",
        }
        for own in [name for name in headers if name.startswith("Nats-Expected")]:
            del headers[own]
        subject = f"orkestra_dead.{self._name}.{message.subject}"
        await self._nats.jetstream.publish(subject, message.data, headers=headers)
        await message.ack()
        HANDLED.labels(self._name, "dead").inc()
        logger.error("event is dead", consumer=self._name, subject=message.subject, reason=reason)

    def _config(self) -> ConsumerConfig:
        return ConsumerConfig(
            durable_name=self._name,
            filter_subjects=self._subjects,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=2000,
        )


def _deliveries(message: Msg) -> int:
    return message.metadata.num_delivered or 1


def _event(message: Msg) -> Event:
    place = message.metadata.sequence.consumer or 0
    return read_event(message.headers or {}, message.data, deliveries=_deliveries(message), place=place)


def end_where_cancelled() -> None:
    """Raise what a driver has swallowed: one that was cancelled just as its answer came goes on as if it was not."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
