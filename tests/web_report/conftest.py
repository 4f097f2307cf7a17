"""A visitor without a browser: reads the forms of a page and sends them as they stand, hidden fields and all."""

import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart


class Forms(HTMLParser):
    """The forms of a page with what a browser would send of them, and what every page owes its reader."""

    def __init__(self, html):
        super().__init__()
        self.forms, self.ids, self.h1, self.links = [], [], [], []
        self.title, self._in, self._select, self._area = "", None, None, None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if "id" in a:
            self.ids.append(a["id"])
        if tag in ("h1", "title"):
            self._in = tag
        if tag == "a":
            self.links.append(a.get("href"))
        if tag == "form":
            self.forms.append({"action": a.get("action"), "method": a.get("method", "get"), "fields": [], "buttons": [],
                               "known": set(), "multipart": "multipart" in a.get("enctype", "")})  # fmt: skip
        if not self.forms:
            return
        form = self.forms[-1]
        name = a.get("name")
        if tag == "button" and a.get("type") == "submit" and "form" not in a:
            form["buttons"].append((name, a.get("value", "")))
        if name is None:
            if tag == "option" and self._select and "selected" in a:
                form["fields"].append((self._select, a.get("value", "")))
            return
        form["known"].add(name)
        if tag == "input" and a.get("type") not in ("file", "submit"):
            if a.get("type") in ("checkbox", "radio") and "checked" not in a:
                return
            form["fields"].append((name, a.get("value", "")))
        if tag == "select":
            self._select = name
        if tag == "textarea":
            self._area = [name, ""]

    def handle_data(self, data):
        if self._in == "h1":
            self.h1.append(data)
        if self._in == "title":
            self.title += data
        if self._area:
            self._area[1] += data

    def handle_endtag(self, tag):
        if tag in ("h1", "title"):
            self._in = None
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._area:
            self.forms[-1]["fields"].append((self._area[0], self._area[1].removeprefix("\n")))
            self._area = None


class Visitor:
    """Somebody with a browser, scripts off."""

    def __init__(self, client):
        self.client, self.answer, self.path = client, None, None

    def open(self, path):
        return self._took(self.client.get(path), path)

    def _took(self, answer, path):
        hops = 0
        while answer.status_code in (301, 302, 303) and answer.location.startswith("/") and hops < 5:
            path = answer.location.partition("#")[0]
            answer = self.client.get(path)
            hops += 1
        self.answer, self.path = answer, path
        if answer.mimetype == "text/html":
            self._owed()
        return self

    def _owed(self):
        page = Forms(self.html)
        assert len(page.h1) >= 1
        assert " ".join("".join(page.h1).split()) in " ".join(page.title.split()), page.title
        assert len(page.ids) == len(set(page.ids)), [i for i in page.ids if page.ids.count(i) > 1]
        assert "/nog-niet" not in self.html

    @property
    def status(self):
        return self.answer.status_code

    @property
    def html(self):
        return self.answer.get_data(as_text=True)

    @property
    def text(self):
        from html import unescape

        plain = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", self.html, flags=re.S))
        return " ".join(unescape(plain).split())

    @property
    def heading(self):
        return " ".join("".join(Forms(self.html).h1).split())

    def form(self, *names, action=None):
        """The form of the page that has these fields, or that goes there."""
        for form in Forms(self.html).forms:
            if form["method"] == "post" and set(names) <= form["known"] and action in (None, form["action"]):
                return form
        raise AssertionError(f"no form with {names} to {action} on {self.path}")

    def values(self, *names, action=None, **changes):
        return self._filled(self.form(*names, action=action), changes.get("with_", {}))

    def send(self, values=None, *, press=None, has=(), action=None, files=None):
        """Fill a form in and send it. `values` by field name; a list gives several; None takes a field out."""
        form = self.form(*(has or [name for name in (values or {}) if not name.startswith("!")]), action=action)
        data = self._filled(form, values or {})
        buttons = form["buttons"]
        button = next((b for b in buttons if press is not None and b[1] == press), None)
        assert press is None or button, (press, buttons)
        if button is None and buttons:
            button = buttons[0]
        if button and button[0]:
            data.add(*button)
        for name, content in files or []:
            data.add("files", FileStorage(BytesIO(content), filename=name, name="files"))
        self.sent = (form["action"] or self.path, data)
        return self.post(*self.sent, multipart=form["multipart"])

    def post(self, path, data, *, multipart=False):
        if not multipart:
            return self._took(self.client.post(path, data=data), path)
        # Encoded here: the test client would put what is large into a temporary file and leave it open.
        edge, body = encode_multipart(data)
        return self._took(self.client.post(path, data=body, content_type=f"multipart/form-data; boundary={edge}"), path)

    def _filled(self, form, values):
        data = MultiDict(form["fields"])
        for name, value in values.items():
            data.poplist(name)
            for one in value if isinstance(value, list) else [value] if value is not None else []:
                data.add(name, one)
        return data

    def cookie(self, name):
        found = self.client.get_cookie(name)
        return found.value if found else None


@pytest.fixture
def visitor(ready, app):
    return Visitor(app.test_client())


@pytest.fixture
def visit(ready, app):
    """More visitors, each with a browser of their own."""
    return lambda: Visitor(app.test_client())


CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]{2}")


@pytest.fixture
def code_on():
    """The first code on a page."""

    def found(visitor, id="code"):
        part = re.search(rf'<p class="code" id="{id}"[^>]*>(.*?)</p>', visitor.html, re.S)
        assert part, visitor.text
        return CODE.search(re.sub(r"<[^>]+>", "", part[1]))[0]

    return found


@pytest.fixture
def cases(ready):
    """How many cases there are, and what stands in the newest one, as a member of ondersteuning opens it."""
    from sqlalchemy import func, select

    from weerbaar_meldpunt.actions import opening
    from weerbaar_meldpunt.store.cases import Case

    class Cases:
        def __len__(self):
            with ready.instance.readings() as session:
                return session.scalar(select(func.count()).select_from(Case))

        def view(self, now, team="ondersteuning"):
            person = ready.second(team).person
            with ready.instance.sessions.begin() as session:
                reference = session.scalars(select(Case.reference)).one()
                found = opening.note_opening(session, ready.instance, person, reference, now=now)
            with ready.instance.sessions.begin() as session:
                return opening.open_case(session, ready.instance, person, found)

        def private(self, now, team="ondersteuning"):
            person = ready.second(team).person
            with ready.instance.sessions.begin() as session:
                reference = session.scalars(select(Case.reference)).one()
                found = opening.note_opening(session, ready.instance, person, reference, now=now, compartment="B")
            with ready.instance.sessions.begin() as session:
                return opening.open_private(session, ready.instance, person, found)

    return Cases()


@pytest.fixture
def roster(ready, clock):
    """Somebody on duty, from some hours before now until some after, for the teams."""
    from datetime import timedelta

    from weerbaar_meldpunt.store.tracks import Duty
    from weerbaar_meldpunt.vault.derive import new_id

    def covered(hours=240, teams=("ondersteuning", "beveiliging", "juridisch")):
        with ready.instance.sessions.begin() as session:
            for team in teams:
                session.add(
                    Duty(id=new_id(), team=team, starts_at=clock.now - timedelta(hours=1),
                         ends_at=clock.now + timedelta(hours=hours), owner_id=ready.first(team).user_id, revision=1,
                         sealed=b"x")
                )  # fmt: skip

    return covered
