"""Structured logs: one JSON object a line, with trace and tenant."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from opentelemetry import trace
from orkestra.wire.tracing import running_tenant as log_tenant

__all__ = ["configure", "get_logger", "log_tenant"]

Format = Literal["json", "console"]
_TALKATIVE = ("hpack", "httpcore", "mcp", "sse_starlette", "temporalio")
"""Libraries whose debug lines hold what is sent: answers, headers."""
_QUIET = ("nats", "httpx", "uvicorn.access", "opentelemetry.attributes")


def configure(service: str, *, level: str = "info", style: Format = "json") -> None:
    """Send every log line of this process, the libraries' included, to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Origin(service),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    )
    shown = [structlog.processors.format_exc_info, renderer] if style == "json" else [renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger called `name`; before `configure` it writes through standard logging."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


class _Origin:
    """Adds who logs, in which trace, for which tenant."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["service"] = self._service
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = f"{span.trace_id:032x}"
        tenant_id = log_tenant.get()
        if tenant_id is not None:
            line.setdefault("tenant_id", tenant_id)
        return line
