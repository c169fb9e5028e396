"""Names and kinds of files: what is kept of a name, and what content may be called."""

import pytest
from orkestra.rules import AttachmentLimits, clean_name, refusal_of_content, refusal_of_parts
from orkestra.rules.attaching import LONGEST_NAME
from orkestra.rules.attaching import PART_BYTES as FULL
from orkestra.rules.media_types import is_media_type, is_taken, media_type_of

LIMITS = AttachmentLimits()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("receipt.pdf", "receipt.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\Beleg März.pdf", "Beleg März.pdf"),
        ("a\r\nContent-Type: text/html\x00.pdf", "aContent-Type: text/html.pdf".rpartition("/")[2]),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  two   words .txt ", "two words .txt"),
        ("..", None),
        ("/", None),
        ("\x00\x1f", None),
        ('"quoted"; x=1.pdf', '"quoted"; x=1.pdf'),
    ],
)
def test_a_name_keeps_no_path_and_nothing_that_is_not_seen(given: str, kept: str | None) -> None:
    assert clean_name(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("x" * 400 + ".pdf")
    assert name is not None
    assert (len(name), name[-5:]) == (LONGEST_NAME, "x.pdf")


@pytest.mark.parametrize(
    ("name", "told", "kind"),
    [
        ("a.PDF", None, "application/pdf"),
        ("a.pdf", "Image/PNG; name=x", "image/png"),
        ("a.csv", "application/octet-stream", "text/csv"),
        ("a", None, "application/octet-stream"),
    ],
)
def test_a_type_is_what_was_told_or_what_the_ending_says(name: str, told: str | None, kind: str) -> None:
    assert media_type_of(name, told) == kind


@pytest.mark.parametrize("text", ["pdf", "a/b/c", "image/", "/png", "image/p ng", "image/*", "x" * 200 + "/y"])
def test_what_is_no_media_type(text: str) -> None:
    assert not is_media_type(text)


@pytest.mark.parametrize(
    ("kind", "content", "is_kept"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n...", True),
        ("image/png", b"\xff\xd8\xff...", True),
        ("image/png", b"plain", False),
        ("application/pdf", b"%PDF-1.7", True),
        ("text/plain", b"anything at all", True),
        ("text/plain", b"MZ...", False),
        ("text/csv", b"  <html><body>", False),
        ("application/vnd.oasis.opendocument.text", b"PK\x03\x04...", True),
        ("application/vnd.oasis.opendocument.text", b"MZ...", False),
        ("audio/mpeg", b"ID3", True),
    ],
)
def test_content_is_held_against_its_type(kind: str, content: bytes, *, is_kept: bool) -> None:
    assert (refusal_of_content(kind, content, LIMITS) is None) == is_kept


def test_an_installation_may_take_what_is_not_taken_by_default() -> None:
    limits = AttachmentLimits(types=("*",))
    assert refusal_of_content("application/x-msdownload", b"MZ...", limits) is None
    assert not is_taken("text/html", AttachmentLimits().types)


def test_parts_are_a_file_where_none_is_missing_and_only_the_last_is_short() -> None:
    assert refusal_of_parts({1: FULL, 2: 5}) is None
    for sizes in ({}, {2: 5}, {1: 5, 2: FULL}, {1: FULL, 3: FULL}):
        refusal = refusal_of_parts(sizes)
        assert refusal is not None
        assert refusal.reason == "ATTACHMENT_INCOMPLETE"
