"""Media types of files: what a name's ending says, what content shows, and what an installation takes."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

UNKNOWN: Final = "application/octet-stream"
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")

BY_ENDING: Final[Mapping[str, str]] = {
    **dict.fromkeys(("txt", "log", "text"), "text/plain"),
    **dict.fromkeys(("htm", "html"), "text/html"),
    **dict.fromkeys(("jpg", "jpeg"), "image/jpeg"),
    **dict.fromkeys(("tif", "tiff"), "image/tiff"),
    **dict.fromkeys(("md", "markdown"), "text/markdown"),
    "csv": "text/csv",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "pdf": "application/pdf",
    "json": "application/json",
    "xml": "application/xml",
    "rtf": "application/rtf",
    "zip": "application/zip",
    "gz": "application/gzip",
    "eml": "message/rfc822",
    "msg": "application/vnd.ms-outlook",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "bmp": "image/bmp",
    "svg": "image/svg+xml",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "exe": "application/vnd.microsoft.portable-executable",
}
_BEGINNINGS: Final[Sequence[tuple[str, re.Pattern[bytes]]]] = (
    ("application/pdf", re.compile(rb".{0,1019}%PDF-", re.DOTALL)),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    ("application/zip", re.compile(rb"PK(\x03\x04|\x05\x06)")),
    ("application/gzip", re.compile(rb"\x1f\x8b")),
    ("application/vnd.microsoft.portable-executable", re.compile(rb"MZ")),
    ("application/x-executable", re.compile(rb"\x7fELF")),
    ("application/x-mach-binary", re.compile(rb"\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe")),
    (
        "text/html",
        re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body|script|iframe)[\s>]", re.IGNORECASE),
    ),
)
_SHOWN: Final = frozenset(kind for kind, _ in _BEGINNINGS)
_ZIPPED: Final = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")


def is_media_type(text: str) -> bool:
    """Whether a text is a media type (RFC 6838), with or without parameters."""
    return _MEDIA_TYPE.fullmatch(_plain(text)) is not None


def media_type_of(name: str, told: str | None) -> str:
    """Returns the type that was told, without parameters; where none was, what the ending of the name says."""
    plain = _plain(told or "")
    if plain and plain != UNKNOWN:
        return plain
    return BY_ENDING.get(name.rpartition(".")[2].lower(), UNKNOWN)


def is_taken(media_type: str, patterns: Sequence[str]) -> bool:
    """Whether a type is among patterns such as image/png, image/* and application/vnd.oasis.*."""
    return any(
        media_type.startswith(each[:-1].lower()) if each.endswith("*") else media_type == each.lower()
        for each in patterns
    )


def shown_by(head: bytes, told: str) -> str | None:
    """Returns the type that content shows by its first 1024 bytes; `told` where it shows none and that is possible.

    None where `told` is a type that shows itself, and this content does not.
    """
    found = next((kind for kind, beginning in _BEGINNINGS if beginning.match(head)), None)
    if told.startswith(_ZIPPED):
        return told if found == "application/zip" else found
    if found is None:
        return None if told in _SHOWN and told != "text/html" else told
    return found


def _plain(text: str) -> str:
    return text.partition(";")[0].strip().lower()
