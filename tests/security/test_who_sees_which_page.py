"""Every page and every act, for every kind of visitor: who gets in, and that everybody else is kept out.

A route without a row here fails the build: nobody adds a page without saying who may see it.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from weerbaar_meldpunt.rules.vocabulary import TEAMS

MEMBERS = {"member", "coordinator"}
STAFF = MEMBERS | {"other team", "editor", "administrator", "auditor"}
ACCOUNTS = STAFF | {"reporter", "other reporter"}
READERS = {"reader", "other reader"}
KINDS = ("anonymous", "half in", "disabled", *sorted(READERS), *sorted(ACCOUNTS))
EVERYBODY = set(KINDS)

WHO_GETS_IN: dict[str, set[str]] = {
    **dict.fromkeys(
        (
            "home.danger", "home.in_danger", "home.perhaps", "home.leave", "help.promises", "help.contact",
            "help.accessibility", "static", "report.begin", "report.step", "report.answer", "report.kept",
            "report.resume", "report.before_discarding", "report.discard", "report.review", "report.send",
            "report.received", "report.call_me", "report.call", "report.earlier", "evidence.add",
            "evidence.take", "evidence.remove", "receipt.enter", "receipt.come_in", "signin.start",
            "signin.out", "signin.register", "signin.confirm", "figures.public", "figures.method",
            "figures.counts", "figures.codes",
        ),
        EVERYBODY,
    ),
    "signin.factor": {"half in"},
    **dict.fromkeys(("receipt.case", "receipt.reply", "receipt.leave"), READERS),
    "receipt.file": {"reader"},
    "mine.overview": ACCOUNTS,
    **{key: {"reporter"} for key in ("mine.case", "mine.reply", "mine.file")},
    "people.own_account": ACCOUNTS,
    "people.overview": STAFF,
    "people.invite": {"administrator"},
    "people.found_team": MEMBERS,
    "people.admit": MEMBERS,
    "roster.show": MEMBERS,
    **{key: {"coordinator"} for key in ("roster.add", "roster.remove")},
    "queue.start": MEMBERS | {"other team"},
    "queue.team": MEMBERS,
    **dict.fromkeys(
        (
            "case.show", "case.private", "case.file", "case.take", "case.attempt", "case.message", "case.note",
            "case.wait", "case.resume", "case.read", "case.hand_over", "case.due", "case.facts", "case.close",
            "case.confirm", "case.refuse", "case.reopen",
        ),
        MEMBERS,
    ),
    **{key: {"editor"} for key in ("figures.manage", "figures.close")},
    # Of a month that was not prepared, nobody sees anything; that editors alone do is proven with the editions.
    **{key: set() for key in ("figures.edition", "figures.judge", "figures.approve", "figures.publish")},
    "signin.invited": set(),  # of an invitation that does not exist
}  # fmt: skip
# Open to everybody by design, and what they answer depends on what the visitor has: a draft, a password, a session.
LEADS_ON = {
    "signin.start",
    "signin.factor",
    "signin.out",
    "signin.confirm",
    "home.leave",
    "receipt.leave",
    "report.send",
    "report.received",
    "report.earlier",
    "report.kept",
}
# These end the visit, so they come last.
LAST = ("receipt.leave", "signin.out", "home.leave")


@dataclass
class House:
    """One case of ondersteuning with a file, one case of a reporter's account, and a browser for every kind."""

    app: Any
    browsers: dict[str, Any] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)


def token_of(client) -> str:
    for path in ("/account", "/mijn-melding", "/inloggen/code", "/inloggen"):
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).get_data(as_text=True))
        if found:
            return found.group(1)
    raise AssertionError("no form on any page")


@pytest.fixture
def house(app, ready, file, sign_in, clock, tmp_path):
    from sqlalchemy import select

    from weerbaar_meldpunt.actions import people as accounts
    from weerbaar_meldpunt.actions.evidence import take
    from weerbaar_meldpunt.store.cases import Attachment, Case
    from weerbaar_meldpunt.store.people import User

    found = House(app)
    evidence = tmp_path / "bewijs.txt"
    evidence.write_bytes(b"bewijs")
    document = {
        "target": {"role": "raadslid"},
        "incident": {"kinds": ["verbale_agressie"]},
        "narrative": "geheim woord",
    }

    def filed(**more):
        return file(document, files=[take(ready.instance, evidence, now=clock.now)], **more)

    anonymous, another = filed(), filed()
    reporter, other_reporter = ready.people.reporter(), ready.people.reporter()
    owned = filed(account=reporter.person)
    with ready.instance.readings() as session:
        by_reference = {
            reference: attachment.hex()
            for reference, attachment in session.execute(
                select(Case.reference, Attachment.id).join(Attachment, Attachment.case_id == Case.id)
            )
        }
    found.values = {
        "reference": anonymous.reference,
        "attachment": by_reference[anonymous.reference],
        "team": "ondersteuning",
        "group": "ondersteuning",
        "user": ready.second("ondersteuning").user_id.hex(),
        "step": "verhaal",
        "duty": bytes(16).hex(),
        "period": "2026-10",
        "measure": "meldingen",
        "token": "00" * 32,
        "filename": "css/page.css",
    }
    found.own = {"reference": owned.reference, "attachment": by_reference[owned.reference]}

    def browser(account=None, code=None):
        client = app.test_client()
        if account is not None:
            sign_in(client, account)
        if code is not None:
            assert client.post("/terug", data={"csrf_token": token_of(client), "code": code}).status_code == 303
        return client

    disabled = ready.people.member("ondersteuning")
    found.browsers = {
        "anonymous": browser(),
        "half in": browser(),
        "disabled": browser(disabled),
        "reader": browser(code=anonymous.receipt_code),
        "other reader": browser(code=another.receipt_code),
        "reporter": browser(reporter),
        "other reporter": browser(other_reporter),
        "member": browser(ready.second("ondersteuning")),
        "coordinator": browser(ready.first("ondersteuning")),
        "other team": browser(ready.first("juridisch")),
        "editor": browser(ready.editors[0]),
        "administrator": browser(ready.people.beheerder()),
        "auditor": browser(ready.people.auditor()),
    }
    half, member = found.browsers["half in"], ready.second("ondersteuning")
    half.post("/inloggen", data={"csrf_token": token_of(half), "login": member.login, "password": member.password})
    with ready.instance.sessions.begin() as session:
        session.get_one(User, disabled.user_id).state = accounts.DISABLED
    return found


def acts(app):
    """Every route with every method it takes, those that end the visit last."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint in LAST, rule.endpoint))
    for rule in rules:
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def gets_in(answer) -> bool:
    """Whether an answer is more than a closed door."""
    if answer.status_code in (301, 302, 303):
        return not re.match(r"/(inloggen(\?|$)|terug$)", answer.location)
    return answer.status_code in (200, 206, 409, 422)


def test_every_route_says_who_may_use_it(app):
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert routes - set(WHO_GETS_IN) == set()
    assert set(WHO_GETS_IN) - routes == set()


def test_no_page_is_shown_and_no_act_is_done_for_who_may_not(house):
    wrong = []
    for kind in KINDS:
        client = house.browsers[kind]
        token = token_of(client)
        for rule, method in acts(house.app):
            values = house.values | (house.own if rule.endpoint.startswith("mine.") else {})
            path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]
            answer = client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
            text = answer.get_data(as_text=True)
            answer.close()
            allowed = kind in WHO_GETS_IN[rule.endpoint]
            if rule.endpoint in LEADS_ON:
                assert answer.status_code < 500
                continue
            if gets_in(answer) != allowed and not (allowed and refused_for_a_reason(answer.status_code, text)):
                wrong.append((kind, method, path, answer.status_code, answer.headers.get("Location")))
            if not allowed:
                assert "geheim woord" not in text

    assert wrong == []


def refused_for_a_reason(status: int, text: str) -> bool:
    """Of somebody who may come here, but not do this now or not like this: said in words."""
    return status == 400 or (status == 403 and "Dit kan nu niet" in text)


def test_the_teams_of_the_matrix_are_those_of_the_house():
    assert set(TEAMS) == {"ondersteuning", "beveiliging", "juridisch"}
