"""What Temporal is given of a run, encrypted: by payload, and in a whole run on the test server."""

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.sdk.header import TENANT, RunHeader
from orkestra.sdk.payloads import Encryption, PayloadKeys, is_encrypted, tenant_key, tenant_of
from orkestra.sdk.testing import OrkestraTest, replay
from orkestra.wire import FailedPrecondition, Unavailable
from sdk_secret import Question, asks_with_secrets
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory

OLD, NEW = base64.b64encode(b"o" * 32).decode(), base64.urlsafe_b64encode(b"\xff" * 32).decode()
KEYS = PayloadKeys.parse(f"old:{OLD}", "old")
ROTATED = PayloadKeys.parse(f"new:{NEW}\nold:{OLD}", "new")
ACME, GLOBEX = "0190b1c0-0000-7000-8000-00000000000a", "0190b1c0-0000-7000-8000-00000000000b"


def payload(data: bytes, *, tenant_id: str = ACME) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", TENANT: tenant_id.encode()}, data=data)


async def sealed(data: bytes, keys: PayloadKeys = KEYS, *, tenant_id: str = ACME) -> Payload:
    return (await Encryption(keys).encode([payload(data, tenant_id=tenant_id)]))[0]


async def opened(one: Payload, keys: PayloadKeys = KEYS) -> Payload:
    return (await Encryption(keys).decode([one]))[0]


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
async def test_whatever_is_encrypted_comes_back_and_cannot_be_seen(data: bytes) -> None:
    hidden = await sealed(b"the secret" + data)
    assert b"the secret" not in hidden.SerializeToString()
    assert await opened(hidden) == Payload(metadata={"encoding": b"json/plain"}, data=b"the secret" + data)


@pytest.mark.parametrize("one", [Payload(), Payload(metadata={"encoding": b"binary/plain"}, data=bytes(2 << 20))])
async def test_nothing_and_two_mebibytes_are_encrypted_as_well(one: Payload) -> None:
    hidden = (await Encryption(KEYS).encode([one]))[0]
    assert is_encrypted(hidden)
    assert len(hidden.SerializeToString()) < len(one.SerializeToString()) + 250
    assert await opened(hidden) == one


async def test_what_is_encrypted_already_is_left_as_it_is() -> None:
    hidden = await sealed(b"once")
    assert await Encryption(ROTATED).encode([hidden]) == [hidden]


async def test_what_another_codec_encrypted_is_encrypted_again_and_comes_back() -> None:
    foreign = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"theirs"}, data=b"?")
    hidden = (await Encryption(KEYS).encode([foreign]))[0]
    assert is_encrypted(hidden)
    assert await opened(hidden) == foreign


async def test_what_was_never_encrypted_is_read_as_it_is() -> None:
    assert await opened(payload(b"plain")) == payload(b"plain")


async def test_each_tenant_has_a_key_of_its_own() -> None:
    assert tenant_key(b"o" * 32, ACME) != tenant_key(b"o" * 32, GLOBEX)
    theirs = await sealed(b"globex", tenant_id=GLOBEX)
    assert tenant_of(theirs) == GLOBEX
    theirs.metadata[TENANT] = ACME.encode()
    with pytest.raises(FailedPrecondition) as refusal:
        await opened(theirs)
    assert refusal.value.reason == "PAYLOAD_UNREADABLE"


async def test_what_was_altered_anywhere_is_refused() -> None:
    whole = await sealed(b"pay 10")
    for place in (0, 20, len(whole.data) - 1):
        altered = Payload.FromString(whole.SerializeToString())
        altered.data = altered.data[:place] + bytes([altered.data[place] ^ 1]) + altered.data[place + 1 :]
        with pytest.raises(FailedPrecondition):
            await opened(altered)
    cut = Payload(metadata=whole.metadata, data=whole.data[:10])
    with pytest.raises(FailedPrecondition):
        await opened(cut)
    whole.metadata["encryption-key-id"] = b"new"
    with pytest.raises(FailedPrecondition):
        await opened(whole, ROTATED)


async def test_an_old_key_still_decrypts_after_a_rotation_and_the_new_one_encrypts() -> None:
    assert (await opened(await sealed(b"before"), ROTATED)).data == b"before"
    assert (await sealed(b"after", ROTATED)).metadata["encryption-key-id"] == b"new"


async def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(Unavailable, match="The payload key new is missing") as refusal:
        await opened(await sealed(b"later", ROTATED))
    assert refusal.value.reason == "PAYLOAD_KEY_MISSING"
    with pytest.raises(Unavailable, match="old"):
        await opened(await sealed(b"now"), PayloadKeys())


async def test_keys_without_one_to_encrypt_with_only_decrypt() -> None:
    reading = PayloadKeys.parse(f"old:{OLD}")
    assert await sealed(b"plain", reading) == payload(b"plain")
    assert (await opened(await sealed(b"before"), reading)).data == b"before"


@pytest.mark.parametrize(
    ("text", "active", "said"),
    [
        ("old:abc", None, "the payload key old is not 32 bytes"),
        (OLD, None, "written id:key"),
        (f"Old:{OLD}", None, "written id:key"),
        (f"old:{OLD} old:{NEW}", None, "the same id"),
        (f"old:{OLD}", "new", "no payload key new to encrypt with; given: old"),
        ("", "new", "given: none"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_showing_them(text: str, active: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        PayloadKeys.parse(text, active)
    assert OLD not in str(refusal.value)
    assert OLD not in repr(PayloadKeys.parse(f"old:{OLD}"))


def test_the_header_of_a_run_says_whose_it_is() -> None:
    header = RunHeader(tenant_id=ACME, workflow_id="wf_1", input={"word": "secret"})
    assert header.to_payload().metadata[TENANT] == ACME.encode()


async def recorded(folder: Path) -> WorkflowHistory:
    """A whole run on the test server, kept in the folder."""
    async with OrkestraTest(payload_keys=KEYS) as env:
        run = await env.start(asks_with_secrets, Question(text="lavender"), handoff={"summary": "lavender too"})
        task = await env.next_task()
        assert env.world.tasks[task.task_id].description == "lavender"
        await task.complete(answer="lavender again", by="ana")
        assert await run.result() == "lavender again"
        await run.record(folder / "run.json")
        return await env.client.get_workflow_handle(run.workflow_id).fetch_history()


async def test_a_run_works_and_its_history_holds_nothing_in_the_clear_and_replays_with_the_keys(tmp_path: Path) -> None:
    history = await recorded(tmp_path)
    assert len(history.events) > 5
    assert not [event for event in history.events if b"lavender" in event.SerializeToString()]
    assert "lavender" not in (tmp_path / "run.json").read_text("utf-8")
    assert await replay(asks_with_secrets, histories=tmp_path, payload_keys=ROTATED) == 1
    with pytest.raises(Exception, match="payload key old is missing"):
        await replay(asks_with_secrets, histories=tmp_path)
