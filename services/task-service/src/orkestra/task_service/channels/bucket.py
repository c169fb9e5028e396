"""The content of files in a bucket of an S3 service: each part is an object, named by its file and its digest."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from orkestra.chassis.logs import get_logger
from orkestra.chassis.readiness import UnwellError
from orkestra.task_service.rules import PartPlace
from orkestra.wire import Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config  # not there at run time

logger = get_logger(__name__)
CONNECT = timedelta(seconds=2)
ANSWER = timedelta(seconds=10)
RETRY_SECONDS = 5.0
PROBE = "orkestra-check"
CODE = re.compile("<Code>([A-Za-z]+)</Code>")
"""Where an answer of the service says what it has against a request (Amazon S3 API, "Error responses")."""


@dataclass(frozen=True, kw_only=True)
class BucketAccess:
    """Where a bucket is, and as whom it is used; without keys, as the place where this runs says (AWS_*)."""

    bucket: str
    region: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    prefix: str = ""


class Bucket:
    """A store in a bucket. What nothing names any more is removed by its prefix: a tenant's, or a file's."""

    def __init__(self, access: BucketAccess) -> None:
        config: S3Config = {"bucket": access.bucket, "region": access.region}
        if access.endpoint is not None:
            config["endpoint"] = access.endpoint
        if access.access_key is not None and access.secret_key is not None:
            config["access_key_id"], config["secret_access_key"] = access.access_key, access.secret_key
        plain = (access.endpoint or "").startswith("http://")
        client: ClientConfig = {"timeout": ANSWER, "connect_timeout": CONNECT, "allow_http": plain}
        retry: RetryConfig = {"max_retries": 2, "retry_timeout": ANSWER}
        self._named = f"{access.bucket} at {access.endpoint or 'AWS'}"
        self._store = S3Store(config=config, client_options=client, retry_config=retry)
        self._prefix = access.prefix.strip("/")

    async def put(self, place: PartPlace, content: bytes) -> None:
        """Keep a part."""
        async with _answered():
            await obstore.put_async(self._store, self._key(*place[:3], f"{place.number:05d}-{place.digest}"), content)

    async def read(self, place: PartPlace, start: int, length: int) -> bytes:
        """Return a piece of a part."""
        async with _answered():
            key = self._key(*place[:3], f"{place.number:05d}-{place.digest}")
            return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))

    async def remove(self, tenant_id: str, task_id: str, attachment_id: str) -> None:
        """Forget every part of a file."""
        await self._clear(self._key(tenant_id, task_id, attachment_id))

    async def forget(self, tenant_id: str) -> None:
        """Forget every file of a tenant."""
        await self._clear(self._key(tenant_id))

    async def check(self) -> None:
        """Look into the bucket, write into it and take that away; raises UnwellError where one of it cannot be done."""
        key = self._key(PROBE)
        try:
            async for _ in obstore.list(self._store, prefix=key):
                break  # first of all: some services make a bucket that is written to
            await obstore.put_async(self._store, key, b"")
            await obstore.delete_async(self._store, key)
        except (BaseError, OSError) as away:
            told = CODE.search(str(away))
            why = told.group(1) if told else f"it does not answer ({_cause(away)})"
            raise UnwellError(f"the bucket {self._named} cannot be used: {why}") from away

    async def _clear(self, prefix: str) -> None:
        async with _answered():
            async for found in obstore.list(self._store, prefix=prefix):
                await obstore.delete_async(self._store, [each["path"] for each in found])

    def _key(self, *parts: str) -> str:
        return "/".join(part for part in (self._prefix, *parts) if part)


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    try:
        yield
    except (BaseError, OSError) as away:
        logger.warning("the bucket of files does not answer", error=_cause(away))
        message = "The store of files cannot be reached; try again shortly."
        raise Unavailable("ATTACHMENT_STORE_UNAVAILABLE", message, retry_after=RETRY_SECONDS) from away


def _cause(error: Exception) -> str:
    return str(error).partition("\n")[0]
