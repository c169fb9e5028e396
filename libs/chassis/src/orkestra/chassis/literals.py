"""SQL literals for statements that travel together in one trip, where PostgreSQL takes no parameters."""


def text(value: str | None) -> str:
    """Return `value` as an expression of type text; only hexadecimal digits of it reach the parser."""
    if value is None:
        return "NULL::text"
    return f"convert_from({binary(value.encode())}, 'UTF8')"


def binary(value: bytes) -> str:
    """Return `value` as a literal of type bytea."""
    return f"'\\x{value.hex()}'::bytea"
