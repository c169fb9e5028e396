"""Pages of listings: how long they are, and the names of their places."""

import base64
from typing import Final

from orkestra.wire import FieldError

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50


def page_size(path: str, wanted: int | None) -> tuple[int, list[FieldError]]:
    """How many entries a page has, and what is wrong with the number asked for."""
    if wanted is None:
        return DEFAULT_PAGE, []
    if 1 <= wanted <= MAX_PAGE:
        return wanted, []
    return DEFAULT_PAGE, [FieldError(path, "range", f"A page has 1 to {MAX_PAGE} entries.")]


def page_token(listing: str, key: str) -> str:
    """An opaque name for the place after `key` in a listing."""
    return base64.urlsafe_b64encode(f"{listing}:{key}".encode()).decode().rstrip("=")


def page_key(listing: str, token: str) -> str | None:
    """The key that `page_token` was made of; None where the token is not one of this listing."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
    name, colon, key = text.partition(":")
    return key if colon and name == listing and page_token(listing, key) == token else None
