"""What tests of the worker's pages share: a signed-in member, cases, and forms as a browser finds them on a page."""

import base64
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from weerbaar_meldpunt.actions.sessions import create_session, start_content

THREAT: dict[str, Any] = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["bedreiging_intimidatie"], "channels": ["email"]},
    "narrative": "Er kwam een mail met een bedreiging.",
    "contact": {"name": "R. de Boer", "telephone": "06 1234 5678", "channel": "telefoon"},
}


class _Forms(HTMLParser):
    """The forms of a page: where they go and what they carry before anybody types."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self._option: tuple[str, str] | None = None
        self._area: str | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "method": given.get("method", "get"), "fields": []})
        if tag == "h1":
            self.headings.append("h1")
        if not self.forms:
            return
        fields = self.forms[-1]["fields"]
        if tag == "input":
            ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if ticked and given.get("name"):
                fields.append((given["name"], given.get("value", "")))
        if tag == "textarea":
            self._area = given["name"] if given.get("name") else None
            if self._area:
                fields.append((self._area, ""))
        if tag == "select":
            self._select, self._option = given["name"], None
        if tag == "option" and ("selected" in given or self._option is None):
            self._option = (self._select, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._area and self.forms:
            name, value = self.forms[-1]["fields"][-1]
            self.forms[-1]["fields"][-1] = (name, value + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            if self._area and self.forms:
                name, value = self.forms[-1]["fields"][-1]
                self.forms[-1]["fields"][-1] = (name, value.removeprefix("\n"))
            self._area = None
        if tag == "select" and self._option is not None and self.forms:
            self.forms[-1]["fields"].append(self._option)


@dataclass
class Page:
    """An answer of the server, with what it owes its reader checked."""

    answer: Any
    text: str = field(init=False)
    forms: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.answer.get_data(as_text=True)
        read = _Forms()
        read.feed(self.text)
        self.forms = read.forms
        if self.answer.mimetype == "text/html" and self.answer.status_code not in (301, 302, 303):
            assert read.headings == ["h1"], read.headings
            assert len(read.ids) == len(set(read.ids)), sorted(i for i in read.ids if read.ids.count(i) > 1)
            assert not re.search(r"<[^>]+\sstyle=|<[^>]+\son[a-z]+=|<script(?![^>]*\ssrc=)", self.text)

    @property
    def words(self) -> str:
        """What stands on the page for a reader."""
        return re.sub(r"<[^>]*>", " ", self.text)

    @property
    def status(self) -> int:
        return int(self.answer.status_code)

    def form(self, ending: str) -> dict[str, Any]:
        """The fields of the first form that goes to an address with this ending."""
        for form in self.forms:
            if form["action"].split("?")[0].endswith(ending) and form["method"] == "post":
                return form
        raise AssertionError(f"no form to {ending} in {[form['action'] for form in self.forms]}")


@dataclass
class Browser:
    """A member who is signed in."""

    client: Any

    def get(self, path: str) -> Page:
        return Page(self.client.get(path))

    def send(self, page: Page, ending: str, *, follow: bool = True, **typed: Any) -> Page:
        """Fill in a form of a page and send it."""
        form = page.form(ending)
        data: dict[str, Any] = {}
        for name, value in form["fields"]:
            data.setdefault(name, []).append(value)
        answer = self.client.post(form["action"], data=data | typed)
        while follow and answer.status_code == 303:
            answer = self.client.get(answer.headers["Location"])
        return Page(answer)

    def act(self, reference: str, ending: str, **typed: Any) -> Page:
        """Open a case, fill in one of its forms and look at what comes."""
        return self.send(self.get(f"/zaak/{reference}"), ending, **typed)


@pytest.fixture
def browser(app: Any, instance: Any, clock: Any) -> Any:
    """A browser for each account that a test names, signed in already: the pages of signing in have their own tests."""

    def signed(account: Any) -> Browser:
        client = app.test_client()
        kind = "melder" if account.person.is_reporter else "person"
        content = start_content(kind, now=clock.now, user_id=account.user_id, root=account.root)
        with instance.sessions.begin() as session:
            cookie = create_session(session, content)
        client.set_cookie("wmp", base64.urlsafe_b64encode(cookie).decode())
        return Browser(client)

    return signed


@pytest.fixture
def member(browser: Any, ready: Any) -> Browser:
    """A member of ondersteuning who coordinates nothing."""
    return browser(ready.second("ondersteuning"))


@pytest.fixture
def coordinator(browser: Any, ready: Any) -> Browser:
    """The coordinator of ondersteuning."""
    return browser(ready.first("ondersteuning"))


@pytest.fixture
def threat(file: Any, clock: Any) -> Any:
    """A threat by mail, filed."""
    return file(THREAT, now=clock.now)
