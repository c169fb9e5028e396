"""A Langfuse for tests: an HTTP endpoint that keeps what arrives, refuses, or never answers."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Endpoint:
    """A Langfuse for tests: keeps what arrives; `status` is its answer, None that it never answers.

    Where it has `keys`, it answers others with 401, as Langfuse does.
    """

    url: str = ""
    status: int | None = 200
    spans: dict[str, dict[str, Any]] = field(default_factory=dict)
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    """Secret keys of the public key pk-1."""
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def answer(self, authorization: str | None) -> int | None:
        """The status that whoever holds these keys gets."""
        known = {base64.b64encode(f"pk-1:{key}".encode()).decode() for key in self.keys}
        return 401 if known and (authorization or "").removeprefix("Basic ") not in known else self.status

    def take(self, path: str, body: Any, headers: dict[str, str]) -> None:
        self.headers.append(headers)
        if path.endswith("/v1/traces"):
            spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
            self.spans.update({span["spanId"]: span for span in spans})
        else:
            self.scores.update({score["id"]: score for score in body})


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            endpoint.asked += 1
            status = endpoint.answer(self.headers["authorization"])
            if status is not None and status < 300:
                text = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
                endpoint.take(self.path, json.loads(text), {k.lower(): v for k, v in self.headers.items()})
            self.answer(status, b'{"accepted": 1, "errors": []}')

        def do_GET(self) -> None:
            status = endpoint.answer(self.headers["authorization"])
            is_there = self.path == "/api/public/projects"
            self.answer(status if is_there else 404, b'{"data": [{"id": "p-1", "name": "Support"}]}')

        def answer(self, status: int | None, answer: bytes) -> None:
            if status is None:
                endpoint.released.wait(30)
                return
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.released.set()
            server.shutdown()
            thread.join()
