"""How values travel to and from Temporal: as Pydantic writes and reads them, encrypted where keys are given."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from orkestra.sdk.header import TENANT, RunHeader
from orkestra.sdk.interceptor import tenant_at_work
from orkestra.sdk.payloads import Encryption, PayloadKeys
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import HeaderCodecBehavior
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
)

HEADERS = HeaderCodecBehavior.CODEC
"""Headers are encrypted as all else is; what a Temporal client is told as `header_codec_behavior`."""
_converters = tuple(PydanticPayloadConverter().converters.values())
_given: ContextVar[str | None] = ContextVar("orkestra_payload_tenant", default=None)


class SharedPayloadConverter(CompositePayloadConverter):
    """Temporal's Pydantic converter, whose type adapters serve all runs: Temporal makes a converter for each run."""

    def __init__(self) -> None:
        super().__init__(*_converters)


class MarkingPayloadConverter(SharedPayloadConverter):
    """The same, naming in each payload the tenant for which the code runs, so that it is encrypted for that one."""

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = super().to_payloads(values)
        tenant_id = _given.get() or tenant_at_work()
        return payloads if tenant_id is None else [marked(payload, tenant_id) for payload in payloads]


def data_converter_of(keys: PayloadKeys) -> DataConverter:
    """Return the converter that encrypts and decrypts with these keys.

    Without a key to encrypt with, what is written is plain; what is encrypted is then still read, or refused by the
    name of the key that is missing.
    """
    encryption = Encryption(keys)
    return DataConverter(
        payload_converter_class=MarkingPayloadConverter if encryption.is_on else SharedPayloadConverter,
        failure_converter_class=(
            DefaultFailureConverterWithEncodedAttributes if encryption.is_on else DefaultFailureConverter
        ),
        payload_codec=encryption,
    )


data_converter = data_converter_of(PayloadKeys())


@contextmanager
def payloads_of(tenant_id: str) -> Iterator[None]:
    """Encrypt for this tenant what is converted within."""
    token = _given.set(tenant_id)
    try:
        yield
    finally:
        _given.reset(token)


async def encode_for(converter: DataConverter, tenant_id: str, values: Sequence[Any]) -> list[Payload]:
    """Return values as Temporal is given them for a run of this tenant."""
    with payloads_of(tenant_id):
        return await converter.encode(values)


async def encode_header(converter: DataConverter, header: RunHeader) -> Payload:
    """Return a run's header as Temporal is given it."""
    codec = converter.payload_codec
    plain = header.to_payload()
    return plain if codec is None else (await codec.encode([plain]))[0]


def is_encrypting(client: Client) -> bool:
    """Whether what is written through this client is encrypted."""
    codec = client.data_converter.payload_codec
    return isinstance(codec, Encryption) and codec.is_on


def marked(payload: Payload, tenant_id: str) -> Payload:
    """Return the payload naming whose it is."""
    copied = Payload()
    copied.CopyFrom(payload)
    copied.metadata[TENANT] = tenant_id.encode()
    return copied
