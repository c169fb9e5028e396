"""What a tenant may have us connect to: nothing but public addresses, however they are spelled."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orkestra.chassis.outbound import is_refused
from orkestra.notification_service.channels.guard import Guard
from orkestra.notification_service.channels.posting import Poster
from orkestra.wire import InvalidArgument
from webhook_endpoint import listening

NOT_PUBLIC = (
    *(
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
    ),
    *("100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1"),
    *("fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "not an address"),
)
SPELLED = (
    *("https://127.0.0.1/", "https://localhost/", "https://127.1/", "https://0x7f.1/", "https://2130706433/"),
    *("https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0/", "https://127.0.0.1./"),
    *("https://169.254.169.254/latest/meta-data/", "https://10.0.0.8/", "https://[fd00::1]/", "https://[fe80::1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://192.168.0.1:8443/"),
)
MALFORMED = (
    *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x", "example.com", ""),
    *("https://user:word@example.com/", "https://example.com/#part", "https://example.com:99999/", "gopher://x/"),
    *(
        "https://exa mple.com/",
        "https://example.com\\@10.0.0.1/",
        "https://example.com/\r\nx: y",
        "https://exämple.com/",
        "https://[31m/",
        "https://[/",
        "https://a]/",
    ),
    "https://example.com/" + "x" * 2000,
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert is_refused(address, development=False)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"]
)
def test_public_addresses_are_not(address: str) -> None:
    assert not is_refused(address, development=False)


@given(st.ip_addresses(v=4))
def test_no_way_of_writing_an_ipv4_address_as_ipv6_opens_it(address: Any) -> None:
    if is_refused(str(address), development=False):
        assert is_refused(f"::ffff:{address}", development=False)
        assert is_refused(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}", development=False)


def test_development_allows_loopback_and_that_alone() -> None:
    assert not is_refused("127.0.0.1", development=True)
    assert not is_refused("::1", development=True)
    assert is_refused("10.0.0.1", development=True)
    assert is_refused("169.254.169.254", development=True)


@pytest.mark.parametrize("url", [*SPELLED, *MALFORMED])
async def test_registration_refuses(url: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await Guard(development=False).check(url)
    assert (refused.value.reason, refused.value.errors[0].path) == ("WEBHOOK_URL_REFUSED", "url")


async def test_a_name_that_cannot_be_looked_up_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="looked up"):
        await Guard(development=False).check("https://nobody.invalid/")


async def test_a_name_that_leads_elsewhere_after_registration_is_refused_at_connect() -> None:
    """What resolved to a public address at registration resolves to loopback when it is sent to."""
    async with listening() as endpoint:
        port = int(endpoint.url.rpartition(":")[2])
        answers = ["93.184.216.34", "127.0.0.1"]

        async def look_up(_host: str, _port: int) -> list[str]:
            return [answers.pop(0)]

        guard = Guard(development=False, look_up=look_up)
        url = f"https://rebinding.example:{port}/"
        await guard.check(url)
        poster = Poster(guard, seconds=5)
        outcome, _ = await poster.post(url, headers={}, body=b"{}")
        await poster.close()
        assert not outcome.delivered
        assert outcome.error is not None
        assert outcome.error.startswith("refused")
        assert endpoint.arrived == []


@pytest.mark.parametrize("url", SPELLED)
async def test_what_was_registered_in_another_way_is_refused_at_connect(url: str) -> None:
    poster = Poster(Guard(development=False), seconds=5)
    outcome, _ = await poster.post(url, headers={}, body=b"{}")
    await poster.close()
    assert not outcome.delivered
    assert outcome.error is not None
    assert outcome.error.startswith(("refused", "unreachable: ConnectError: 127.0.0.1. cannot be looked up"))


async def test_a_flood_of_an_answer_is_not_read() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    poster = Poster(Guard(development=True), seconds=10)
    port = server.sockets[0].getsockname()[1]
    outcome, said = await poster.post(f"http://127.0.0.1:{port}/", headers={}, body=b"{}")
    assert (outcome.delivered, len(said)) == (True, 16_384)
    await poster.close()
    server.close()


@pytest.mark.parametrize(
    ("told", "days"), [("9" * 20_000, 1), ("120", 0), ("Mon, 01 Jan 99999 00:00:00 GMT", None), ("soon", None)]
)
async def test_no_pause_that_a_receiver_asks_for_breaks_the_delivery(told: str, days: int | None) -> None:
    async with listening() as endpoint:
        endpoint.statuses["/"] = 503
        endpoint.headers["retry-after"] = told
        poster = Poster(Guard(development=True), seconds=10)
        outcome, _ = await poster.post(f"{endpoint.url}/", headers={}, body=b"{}")
        await poster.close()
    assert (outcome.delivered, outcome.response_status) == (False, 503)
    assert (None if outcome.asked_pause is None else outcome.asked_pause.days) == days
