"""One GET request."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit


def get(url: str, seconds: float) -> tuple[int, bytes]:
    """Return status and body; raises OSError where nobody answers in time, ValueError where it is no such address."""
    parts = urlsplit(url)
    kinds = {"http": HTTPConnection, "https": HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise ValueError(f"{url} is no address of a web server")
    connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=seconds)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="").geturl() or "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except HTTPException as broken:
        raise OSError(f"{url} does not speak HTTP: {broken!r}") from None
    finally:
        connection.close()
