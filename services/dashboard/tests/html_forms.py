"""What a browser without script would send of a form that is shown."""

from html.parser import HTMLParser


class Controls(HTMLParser):
    """Reads the successful controls of a page's form (HTML, "constructing the entry list"), and what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: dict[str, list[str]] = {}
        self.hidden: set[str] = set()
        self.required: set[str] = set()
        self.ids: set[str] = set()
        self._text: tuple[str, list[str]] | None = None
        self._select: tuple[str, list[str]] | None = None
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._templates += tag == "template"
        if self._templates:
            return
        self.ids.add(given.get("id", ""))
        if "data-field" in given and "hidden" in given:
            self.hidden.add(given["data-field"])
        if given.get("aria-required") == "true":
            self.required.add(given["name"])
        name = "" if "disabled" in given else given.get("name", "")
        if tag == "textarea":
            self._text = (name, [])
        elif tag == "select":
            self._select = (name, [])
        elif tag == "option" and self._select and ("selected" in given or not self._select[1]):
            self._select[1][:] = [given["value"]]
        elif tag == "input" and given.get("type") == "file":
            return
        elif tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.posted.setdefault(name, []).append(given.get("value", "on"))

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"
        if tag == "textarea" and self._text:
            name, parts = self._text
            if name:
                self.posted.setdefault(name, []).append("".join(parts).removeprefix("\n").replace("\n", "\r\n"))
            self._text = None
        elif tag == "select" and self._select:
            name, values = self._select
            if name and values:
                self.posted.setdefault(name, []).append(values[0])
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._text:
            self._text[1].append(data)


def controls_of(html: str) -> Controls:
    """Returns what the page's form holds."""
    controls = Controls()
    controls.feed(html)
    controls.close()
    return controls
