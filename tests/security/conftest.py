"""Walking through pages like a person without script: read the form on a page, fill it in, send it, follow on."""

import io
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest


@dataclass
class Field:
    """One thing to fill in."""

    name: str
    kind: str
    value: str = ""
    checked: bool = False
    options: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A form as it stands on a page."""

    action: str
    method: str
    multipart: bool
    fields: list[Field] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._area: Field | None = None
        self._select: Field | None = None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self._open = Form(
                given.get("action", ""), (given.get("method") or "get").lower(), "multipart" in given.get("enctype", "")
            )
            self.forms.append(self._open)
        if self._open is None:
            return
        name = given.get("name")
        if tag == "button":
            self._open.buttons.append((name or "", given.get("value") or ""))
        if name is None:
            if tag == "option" and self._select is not None:
                self._select.options.append(given.get("value") or "")
                if "selected" in given:
                    self._select.value = given.get("value") or ""
            return
        if tag == "input":
            kind = given.get("type", "text")
            self._open.fields.append(Field(name, kind, given.get("value") or "", "checked" in given))
        elif tag == "textarea":
            self._area = Field(name, "textarea")
            self._open.fields.append(self._area)
        elif tag == "select":
            self._select = Field(name, "select")
            self._open.fields.append(self._select)

    def handle_data(self, data):
        if self._area is not None:
            self._area.value += data

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None


def forms_of(page: str) -> list[Form]:
    """All forms on a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


@pytest.fixture
def read_forms():
    return forms_of


@pytest.fixture
def send():
    """Send a form with some answers changed; `press` names the button."""

    def sent(client, path: str, form: Form, answers: dict[str, object], *, press: tuple[str, str] | None = None):
        data: dict[str, object] = {}
        for one in form.fields:
            if one.kind in ("checkbox", "radio"):
                if one.checked:
                    data.setdefault(one.name, []).append(one.value)
            elif one.kind != "file":
                data.setdefault(one.name, []).append(one.value)
        for name, value in answers.items():
            data[name] = value if isinstance(value, list) else [value]
        if press and press[0]:
            data[press[0]] = [press[1]]
        files = [name for name, values in data.items() if values and isinstance(values[0], tuple)]
        for name in files:
            data[name] = [(io.BytesIO(content), file_name) for content, file_name in data[name]]
        return client.post(
            urljoin(path, form.action or path),
            data=data,
            content_type="multipart/form-data" if form.multipart else None,
        )

    return sent
