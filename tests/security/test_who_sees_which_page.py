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
# Who reported for somebody: before that one took the report over, and after it with each choice of the official.
PROXY = {choice: f"gemachtigde {choice}" for choice in ("voor", "nee", "voortgang", "melding", "alles")}
LOOKS_ALONG = {PROXY["voor"], PROXY["melding"], PROXY["alles"]}
SEES_NOTHING = {PROXY["nee"], PROXY["voortgang"]}
DECIDES = READERS | {PROXY["voor"]}  # the official, or the proxy until then
KINDS = ("anonymous", "half in", "disabled", *sorted(READERS), *sorted(PROXY.values()), *sorted(ACCOUNTS))
EVERYBODY = set(KINDS)

WHO_GETS_IN: dict[str, set[str]] = {
    **dict.fromkeys(
        (
            "home.danger", "home.in_danger", "home.perhaps", "home.leave", "help.promises", "help.contact",
            "help.accessibility", "static", "report.begin", "report.step", "report.answer", "report.kept",
            "report.resume", "report.before_discarding", "report.discard", "report.review", "report.send",
            "report.received", "report.call_me", "report.call", "report.earlier", "evidence.add",
            "evidence.take", "evidence.remove", "receipt.enter", "receipt.come_in", "signin.start",
            "signin.out", "signin.register", "signin.confirm", "signin.with_passkey", "recovery.forgotten",
            "recovery.reopen", "figures.public", "figures.method",
            "figures.counts", "figures.codes", "retention.public", "claims.enter", "claims.look", "claims.take",
        ),
        EVERYBODY,
    ),
    "signin.factor": {"half in"},
    # Of who asked for nothing, or has no link, none of these shows anything.
    **{key: set() for key in ("signin.passkey", "recovery.factor", "recovery.password", "recovery.new_code")},
    "recovery.use_link": set(),
    **dict.fromkeys(("receipt.case", "receipt.leave"), READERS | set(PROXY.values())),
    **dict.fromkeys(
        (
            "receipt.reply", "receipt.seen", "receipt.details", "receipt.consent", "receipt.withdraw",
            "receipt.withdrawn", "receipt.mail", "receipt.set_mail", "receipt.export", "receipt.take_away",
            "receipt.mandate", "receipt.change_mandate", "receipt.hand_over", "receipt.cancel_code",
            "receipt.new_code", "receipt.renew_code",
        ),
        READERS | LOOKS_ALONG,
    ),
    **dict.fromkeys(
        ("receipt.correct_contact", "receipt.correct_story", "receipt.correct_private", "receipt.change_consent"),
        DECIDES,
    ),
    "receipt.private": READERS | {PROXY["voor"], PROXY["alles"]},
    "receipt.lay_down": READERS | LOOKS_ALONG | {PROXY["voortgang"]},
    "receipt.laid_down": READERS | LOOKS_ALONG | {PROXY["voortgang"]},
    "receipt.file": {"reader"},
    "mine.overview": ACCOUNTS,
    **{key: {"reporter"} for key in ("mine.case", "mine.reply", "mine.file")},
    **{
        key: {"reporter"}
        for key in (
            "mine.seen", "mine.details", "mine.consent", "mine.withdraw", "mine.withdrawn", "mine.mail",
            "mine.set_mail", "mine.export", "mine.take_away", "mine.mandate", "mine.change_mandate",
            "mine.hand_over", "mine.cancel_code", "mine.new_code", "mine.renew_code", "mine.correct_contact",
            "mine.correct_story", "mine.correct_private", "mine.change_consent", "mine.private", "mine.lay_down",
            "mine.laid_down",
        )
    },
    **dict.fromkeys(("mine.before_adopting", "mine.adopt", "mine.resume", "mine.export_all"), ACCOUNTS),
    "mine.unfollow": set(),  # of a report that none of these follows
    **dict.fromkeys(("claims.member", "claims.give_code", "claims.passed_on"), MEMBERS),
    "people.own_account": ACCOUNTS,
    **dict.fromkeys(
        (
            "account.password", "account.app", "account.codes", "account.open_sessions", "account.end_sessions",
            "account.forget_device", "passkeys.show", "passkeys.add", "passkeys.remove", "stepup.ask",
            "stepup.confirm",
        ),
        ACCOUNTS,
    ),
    "account.new_code": set(),  # of a new code that nobody asked for
    "account.stay": ACCOUNTS | READERS | set(PROXY.values()),
    "people.overview": STAFF,
    "people.invite": {"administrator"},
    "people.found_team": MEMBERS,
    **dict.fromkeys(("admission.compare", "admission.approve", "admission.withdraw"), MEMBERS),
    **dict.fromkeys(
        (
            "staffing.account", "staffing.roles", "staffing.disable", "staffing.cancel", "staffing.reporter",
            "staffing.switch_reporter",
        ),
        {"administrator"},
    ),
    "staffing.confirm": set(),  # of a change that nobody proposed
    **dict.fromkeys(("keys.overview", "keys.accept"), MEMBERS | {"other team", "editor"}),
    **dict.fromkeys(("keys.colleague", "keys.renew"), MEMBERS),
    "keys.reseal": {"editor"},
    **dict.fromkeys(("absence.show", "absence.note", "absence.end"), MEMBERS),
    **dict.fromkeys(("absence.hand_over", "absence.hand_over_now"), {"coordinator"}),
    "roster.show": MEMBERS,
    **{key: {"coordinator"} for key in ("roster.add", "roster.remove")},
    "queue.start": MEMBERS | {"other team"},
    "queue.team": MEMBERS,
    **dict.fromkeys(
        (
            "case.show", "case.private", "case.file", "case.take", "case.attempt", "case.message", "case.note",
            "case.wait", "case.resume", "case.read", "case.hand_over", "case.due", "case.facts", "case.close",
            "case.confirm", "case.refuse", "case.reopen", "case.other_team", "case.urgency",
            "case.give", "rewrap.show", "rewrap.go_on",
        ),
        MEMBERS,
    ),
    **{key: {"editor"} for key in ("figures.manage", "figures.close")},
    **dict.fromkeys(("alarms.overview", "alarms.end"), {"administrator", "auditor", "coordinator", "other team"}),
    **dict.fromkeys(
        (
            "audit.overview", "audit.download", "audit.checkpoint", "fg.overview", "fg.receive", "fg.step", "fg.letter",
            "fg.leak_step", "sampling.overview", "sampling.judge", "sampling.linking", "sampling.end_linking",
        ),
        {"auditor"},
    ),
    **dict.fromkeys(
        ("fg.register", "fg.one", "fg.propose", "fg.confirm"), {"auditor", "coordinator", "other team"}
    ),
    "fg.leaks": {"auditor", "administrator", "coordinator", "other team"},
    **dict.fromkeys(("sampling.mine", "sampling.give_reason"), MEMBERS | {"other team"}),
    # Of a month that was not prepared, nobody sees anything; that editors alone do is proven with the editions.
    **{key: set() for key in ("figures.edition", "figures.judge", "figures.approve", "figures.publish")},
    "signin.invited": set(),  # of an invitation that does not exist
    **dict.fromkeys(("custodian.sheet", "custodian.code", "custodian.retype"), set()),  # of a link that does not exist
    "retention.start": MEMBERS | {"other team", "administrator", "auditor"},
    **dict.fromkeys(("retention.team", "retention.propose", "retention.hold"), {"coordinator"}),
    **dict.fromkeys(("retention.decisions", "retention.decide"), MEMBERS | {"other team"}),
    **dict.fromkeys(("retention.case", "search.ask", "search.search"), MEMBERS),
    **dict.fromkeys(("linking.case", "linking.compare", "linking.drop"), MEMBERS),
    "linking.make_key": {"coordinator", "other team"},
    **dict.fromkeys(
        ("retention.register", "retention.register_csv"), {"coordinator", "other team", "administrator", "auditor"}
    ),
    **dict.fromkeys(("receipt.erase", "receipt.erased"), READERS | LOOKS_ALONG),
    "receipt.keep_all": DECIDES,
    **dict.fromkeys(("mine.erase", "mine.erased", "mine.keep_all"), {"reporter"}),
    **dict.fromkeys(("emergency.show", "emergency.fill"), {"coordinator"}),
}  # fmt: skip
# Open to everybody by design, and what they answer depends on what the visitor has: a draft, a password, a session.
LEADS_ON = {
    "signin.with_passkey",
    "signin.passkey",
    "recovery.forgotten",
    "account.new_code",
    "account.end_sessions",
    "account.forget_device",
    "stepup.confirm",
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
LAST = ("receipt.laid_down", "receipt.leave", "signin.out", "home.leave")


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

    from weerbaar_meldpunt.actions import claims, rekeying, requests
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
        "to": "beveiliging",
        "way": "delen",
        "absent": bytes(16).hex(),
        **dict.fromkeys(("alarm", "sample", "decision"), bytes(16).hex()),
        "number": "V-2026-001",
        "move": "identiteit",
        "ground": "rechten_van_anderen",
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

    def proxy(choice):
        mine = file(document | {"reporter": {"relation": "griffier", "consent": "ja"}})
        if choice != "voor":
            keys = rekeying.keys_of_form(ready.instance, "00" * 31 + f"{len(choice):02x}")
            with ready.instance.sessions.begin() as session:
                claims.redeem(session, ready.instance, mine.claim_code, keys, choice=choice, now=clock.now)
        return browser(code=mine.receipt_code)

    disabled = ready.people.member("ondersteuning")
    found.browsers = {
        **{kind: proxy(choice) for choice, kind in PROXY.items()},
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
    with ready.instance.sessions.begin() as session:
        asked = requests.receive(
            session, ready.instance, ready.people.auditor().person, "inzage", clock.now.date(), now=clock.now
        )
        assert asked.number == found.values["number"]
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
        return not re.match(r"/(inloggen(/vergeten)?(\?|$)|terug$)", answer.location)
    return answer.status_code in (200, 204, 206, 409, 422)


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
            text = answer.get_data().decode("utf-8", "replace")
            answer.close()
            allowed = kind in WHO_GETS_IN[rule.endpoint]
            if rule.endpoint in LEADS_ON:
                assert answer.status_code < 500
                continue
            if gets_in(answer) != allowed and not (allowed and refused_for_a_reason(answer.status_code, text)):
                wrong.append((kind, method, path, answer.status_code, answer.headers.get("Location")))
            if not allowed or kind in SEES_NOTHING:
                assert "geheim woord" not in text

    assert wrong == []


def refused_for_a_reason(status: int, text: str) -> bool:
    """Of somebody who may come here, but not do this now or not like this: said in words."""
    return status == 400 or (status == 403 and "Dit kan nu niet" in text)


def test_the_teams_of_the_matrix_are_those_of_the_house():
    assert set(TEAMS) == {"ondersteuning", "beveiliging", "juridisch"}
