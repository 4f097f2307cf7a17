"""One invented case: reported, worked on, answered, closed. Each step is a moment and an act on the real actions."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import next_office_moment
from weerbaar_meldpunt.rules.moves import outcomes_for
from weerbaar_meldpunt.rules.organisations import organisations
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.rules.values import AMSTERDAM

from . import closing, opening, reader, work
from . import demonstration_texts as texts
from .demonstration_people import DemoAccount
from .drafts import DraftFile
from .evidence import Upload
from .filing import Filed, file_report
from .instance import Instance

AFTERCARE_TEAMS: Final = ("ondersteuning",)
ACCOUNT_SHARE, PROXY_SHARE, FORGOTTEN_SHARE = 0.05, 0.15, 0.04
# Offices that one person holds in a place: naming the place would name a real person.
_ALONE: Final = frozenset({"burgemeester", "cdk", "gedeputeerde", "ws_voorzitter"})
_TYPE_OF_ROLE: Final = {
    "statenlid": "provincie", "gedeputeerde": "provincie", "cdk": "provincie", "ws_ab": "waterschap",
    "ws_db": "waterschap", "ws_voorzitter": "waterschap", "eilandsraadslid": "openbaar_lichaam",
    "eilandgedeputeerde": "openbaar_lichaam",
}  # fmt: skip

Step = tuple[datetime, Callable[[Session], Any]]
Life = Iterator[Step]


@dataclass
class Desk:
    """Where an invented life takes place."""

    instance: Instance
    people: dict[str, DemoAccount]
    rng: Random
    ends: datetime

    def worker(self, team: str) -> DemoAccount:
        """Somebody who works in this team."""
        return self.people[self.rng.choice([name for name in self.people if name.endswith("." + team)])]

    def other(self, team: str, than: DemoAccount) -> DemoAccount:
        """A colleague in this team."""
        names = [name for name in self.people if name.endswith("." + team) and self.people[name] is not than]
        return self.people[self.rng.choice(names)]


def life_of_case(desk: Desk, received: datetime, recipe: texts.Recipe) -> Life:
    """Everything that happens to one case, in time order; a step is asked for when the one before it was taken."""
    rng = desk.rng
    report = parse_report(_report(desk, recipe, received), now=received)
    account = desk.people["griffier" if report.reporter.relation == "griffier" else "wethouder"]
    by_account = rng.random() < ACCOUNT_SHARE
    filed: list[Filed] = []

    def file(session: Session) -> None:
        files = [_screenshot(desk, received)] if rng.random() < recipe.evidence else []
        person = account.person(session, now=received) if by_account else None
        form = rng.randbytes(32).hex()
        filed.append(file_report(session, desk.instance, report, form=form, now=received, files=files, account=person))

    yield received, file
    forgotten = rng.random() < FORGOTTEN_SHARE
    urgency = str(filed[0].answer["urgency"])
    tracks = [_track(desk, recipe, filed[0], team, urgency, received, forgotten) for team in filed[0].teams]
    yield from heapq.merge(*tracks, key=lambda step: step[0])


def _report(desk: Desk, recipe: texts.Recipe, received: datetime) -> dict[str, Any]:
    rng = desk.rng
    role = rng.choice(recipe.roles)
    kind = _TYPE_OF_ROLE.get(role, "gemeente")
    codes = [org.code for org in organisations().values() if org.kind == kind]
    relation = rng.choice(texts.PROXIES) if rng.random() < PROXY_SHARE else "zelf"
    happened = received - timedelta(hours=rng.choice((1, 3, 8, 14, 30, 60, 120)))
    story = rng.choice(recipe.stories).format(
        subject=rng.choice(texts.SUBJECTS), place=rng.choice(texts.PLACES), time=rng.choice(texts.TIMES),
        handle=rng.choice(texts.HANDLES), n=rng.choice((12, 25, 40, 80, 150)),
    )  # fmt: skip
    document: dict[str, Any] = {
        "format": 1,
        "reporter": {
            "relation": relation,
            "consent": "nvt" if relation == "zelf" else rng.choice(("ja", "mondeling", "nog_te_vragen")),
        },
        "target": {
            "role": role,
            "organisation": None if role in _ALONE or role == "onbekend" else rng.choice(codes),
            "organisation_type": "onbekend" if role == "onbekend" else kind,
            "gender": rng.choice((None, "vrouw", "vrouw", "man", "man")),
        },
        "incident": {**recipe.incident, "occurred_at": happened.isoformat()} if recipe.incident else {},
        "narrative": story[:1].upper() + story[1:],
        "contact": {
            "name": rng.choice(texts.NAMES),
            "telephone": f"06-0000{rng.randrange(10_000):04d}",
            "safe_hours": rng.choice(([], [{"from": "09:00", "to": "12:00"}], [{"from": "17:00", "to": "21:00"}])),
        },
    }
    if not recipe.incident:
        del document["incident"]
    document |= recipe.more
    if "legal" in document:
        day = received.astimezone(AMSTERDAM).date()
        dates = {"received_on": (day - timedelta(days=2)).isoformat()}
        if rng.random() < 0.5:
            dates["act_before"] = (day + timedelta(days=rng.choice((4, 10, 21)))).isoformat()
        document["legal"] = document["legal"] | dates
    return document


def _screenshot(desk: Desk, now: datetime) -> DraftFile:
    """A picture of an invented message, as evidence."""
    picture = Image.new("RGB", (640, 360), "#f4f1ea")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((24, 24, 616, 120), fill="#ffffff", outline="#888888")
    draw.text((40, 44), f"{desk.rng.choice(texts.HANDLES)}   {now:%d-%m-%Y %H:%M}", fill="#333333")
    draw.text((40, 76), "(verzonnen bericht, hoort bij de demonstratie)", fill="#333333")
    content = io.BytesIO()
    picture.save(content, "PNG")
    upload = Upload(desk.instance)
    upload.write(content.getvalue())
    return upload.finish(f"schermfoto {now:%d-%m %H.%M}.png", now=now)


def _track(
    desk: Desk, recipe: texts.Recipe, filed: Filed, team: str, urgency: str, received: datetime, forgotten: bool
) -> Life:  # fmt: skip
    rng, owner, reference = desk.rng, desk.worker(team), filed.reference

    def act(account: DemoAccount, do: Callable[[work.Held], Any], at: datetime) -> Step:
        def step(session: Session) -> None:
            person = account.person(session, now=at)
            do(work.hold(session, desk.instance, person, reference, now=at))

        return at, step

    def look(at: datetime) -> Step:
        def step(session: Session) -> None:
            opening.note_opening(session, desk.instance, owner.person(session, now=at), reference, now=at)

        return at, step

    def hours(low: float, high: float) -> timedelta:
        return timedelta(hours=rng.uniform(low, high))

    wait = {"acuut": (0.05, 0.3), "hoog": (0.2, 3.0), "midden": (1, 9), "laag": (3, 40)}[urgency]
    at = received + hours(*wait)
    if urgency in ("midden", "laag"):
        at = next_office_moment(at) + timedelta(minutes=rng.randrange(1, 200))
    if forgotten:
        at += timedelta(days=rng.randrange(20, 200))
    yield look(at)
    yield act(owner, work.take, at + timedelta(minutes=2))
    at += timedelta(minutes=rng.randrange(4, 25))
    if rng.random() < 0.35:
        yield act(owner, lambda held: work.attempt(held, reached=False), at)
        at += hours(0.4, 2) if urgency in ("acuut", "hoog") else hours(18, 28)
    yield act(owner, lambda held: work.attempt(held, reached=True, text=rng.choice(texts.NOTES)), at)
    lines = [_rest(desk, recipe, filed, owner, team, act, at), _follow_up(desk, owner, act, at)]
    if team in AFTERCARE_TEAMS:
        lines.append(_aftercare(desk, owner, act, at))
    yield from heapq.merge(*lines, key=lambda step: step[0])


def _rest(
    desk: Desk, recipe: texts.Recipe, filed: Filed, owner: DemoAccount, team: str, act: Callable[..., Step],
    at: datetime,
) -> Life:  # fmt: skip
    """From the first contact to the end."""
    rng = desk.rng
    yield from _correspondence(desk, filed, owner, act, at + timedelta(hours=rng.uniform(0.5, 6)))
    at += timedelta(hours=rng.uniform(12, 60))
    if rng.random() < 0.3:
        for_whom = rng.choice(("politie", "organisatie", "platform"))
        yield act(owner, lambda held: work.wait(held, kind="wacht_op_derde", for_whom=for_whom), at)
        at += timedelta(days=rng.randrange(3, 16))
        yield act(owner, _resume_if_waiting, at)
    yield from _ending(desk, recipe, owner, team, act, at + timedelta(days=rng.randrange(3, 34)))


def _follow_up(desk: Desk, owner: DemoAccount, act: Callable[..., Step], contact: datetime) -> Life:
    """As long as the work goes on, somebody calls again in time; now and then nobody does any more."""

    def call(held: work.Held) -> None:
        if held.track.closed_at is None and held.track.proposed_by is None:
            _read(held)
            _resume_if_waiting(held)
            work.attempt(held, reached=True, text=desk.rng.choice(texts.NOTES))

    at = contact
    while desk.rng.random() > 0.04:
        at = next_office_moment(at + timedelta(days=desk.rng.uniform(8, 12)))
        yield act(owner, call, at)


def _aftercare(desk: Desk, owner: DemoAccount, act: Callable[..., Step], contact: datetime) -> Life:
    """The talks after 72 hours, two and six weeks; now and then one is forgotten."""

    def talk(kind: str) -> Callable[[work.Held], None]:
        def done(held: work.Held) -> None:
            for due in held.dues:
                if due.kind == kind and due.ended_at is None:
                    work.finish_due(held, due.id)

        return done

    for kind, days in (("nazorg_72u", 2.8), ("nazorg_2w", 13.6), ("nazorg_6w", 41.5)):
        if desk.rng.random() > 0.05:
            yield act(owner, talk(kind), contact + timedelta(days=days))


def _read(held: work.Held) -> None:
    if held.track.unread:
        work.mark_read(held)


def _resume_if_waiting(held: work.Held) -> None:
    if held.track.state.startswith("wacht"):
        work.resume(held)


def _correspondence(desk: Desk, filed: Filed, owner: DemoAccount, act: Callable[..., Step], at: datetime) -> Life:
    rng = desk.rng
    if rng.random() > 0.6:
        return
    yield act(owner, lambda held: work.write_message(held, rng.choice(texts.TEAM_MESSAGES)), at)
    code = filed.receipt_code
    if code is None or rng.random() > 0.5:
        return
    answered = at + timedelta(hours=rng.uniform(1, 20))

    def answer(session: Session) -> None:
        content = reader.enter(session, desk.instance, code, now=answered)
        keys = reader.reader_of(content) if content else None
        if keys is not None:
            own = reader.own_case(session, desk.instance, keys)
            reader.reply(session, desk.instance, own, rng.choice(texts.REPORTER_MESSAGES), now=answered)

    yield answered, answer
    yield act(
        owner, lambda held: work.write_message(held, rng.choice(texts.TEAM_MESSAGES)), answered + timedelta(hours=2)
    )


def _ending(
    desk: Desk, recipe: texts.Recipe, owner: DemoAccount, team: str, act: Callable[..., Step], at: datetime
) -> Life:  # fmt: skip
    rng = desk.rng
    if rng.random() < 0.08:  # some work takes long
        at += timedelta(days=rng.randrange(20, 120))
    outcome = rng.choice(recipe.outcomes)
    if outcome not in outcomes_for(team):
        outcome = {"ondersteuning": "geholpen", "beveiliging": "maatregelen_geleverd"}.get(team, "afgewikkeld")
    if rng.random() < 0.05:
        outcome = rng.choice(("dubbel", "melder_wil_niet_verder", "geen_contact_gekregen"))

    def settle_facts(held: work.Held) -> None:
        _read(held)
        melding = work.read_melding(held)
        if held.track.closed_at is None and melding["facts"] is None:
            found = closing.suggested_facts(melding["report"], melding["answer"])
            closing.validate_facts(held, found | {"aangifte": rng.choice(("ja", "nee", "nee", "onbekend"))})

    def close(held: work.Held) -> None:
        _read(held)
        if held.track.closed_at is None:
            closing.close(held, outcome, done=rng.choice(texts.DONE), not_done=rng.choice(texts.NOT_DONE))

    def confirm(held: work.Held) -> None:
        _read(held)
        if held.track.closed_at is None and held.track.proposed_by is not None:
            closing.confirm_close(held)

    at = next_office_moment(at) + timedelta(minutes=rng.randrange(1, 300))
    yield act(owner, settle_facts, at)
    yield act(owner, close, at + timedelta(minutes=5))
    second = next_office_moment(at + timedelta(hours=20)) + timedelta(minutes=rng.randrange(1, 200))
    yield act(desk.other(team, owner), confirm, second)
