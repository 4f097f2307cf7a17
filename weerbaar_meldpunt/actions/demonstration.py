"""A demonstration: invented cases over past months, lived through by the same actions as real ones, in time order."""

from __future__ import annotations

import heapq
import io
from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import next_office_moment
from weerbaar_meldpunt.rules.moves import outcomes_for
from weerbaar_meldpunt.rules.organisations import organisations
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.rules.rounding import Unpublishable
from weerbaar_meldpunt.rules.values import AMSTERDAM

from . import closing, figures, opening, reader, work
from . import demonstration_texts as texts
from .demonstration_people import DemoAccount, make_people
from .drafts import DraftFile
from .evidence import Upload
from .filing import Filed, file_report
from .instance import Instance, create_instance
from .roster import add_duty

SEED: Final = 20261123
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
class _Desk:
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


def make_demonstration(
    folder: Path, *, cases: int, months: int, now: datetime, tell: Callable[[str], None]
) -> Instance:
    """A new demonstration instance in `folder`, with everybody in it and so many cases over so many months."""
    begins = datetime.combine(_months_back(now.astimezone(AMSTERDAM).date(), months), time(8), AMSTERDAM)
    instance = create_instance(folder, now=begins, demonstration=True)
    tell("Making the people and their keys ...")
    people = make_people(instance, now=begins)
    desk = _Desk(instance, people, Random(SEED), now)  # noqa: S311 - the same demonstration each time; no secret
    tell(f"Living through {cases} invented cases ...")
    with _hasty(instance):
        _live(desk, begins, cases)
    _duty(desk)
    return instance


@contextmanager
def _hasty(instance: Instance) -> Iterator[None]:
    """Without waiting for the disk at every step: what is lost when the power goes now is made again in a minute."""
    connection = instance.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA synchronous=OFF")
        connection.close()  # back to the pool, where every step takes it from
        yield
    finally:
        connection = instance.engine.raw_connection()
        connection.cursor().execute("PRAGMA synchronous=FULL")
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def _months_back(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1)


def _live(desk: _Desk, begins: datetime, cases: int) -> None:
    """Take every step of every life in the order of time, each in a transaction of its own."""
    lives: list[tuple[datetime, int, Callable[[Session], Any], Life]] = []

    def queue(number: int, life: Life) -> None:
        step = next(life, None)
        if step is not None and step[0] <= desk.ends:
            heapq.heappush(lives, (step[0], number, step[1], life))

    for number, moment in enumerate(sorted(_moments(desk, begins, cases))):
        queue(number, _case(desk, moment))
    for number, moment in enumerate(_closes(begins, desk.ends)):
        queue(cases + number, _month(desk, moment))
    while lives:
        _, number, act, life = heapq.heappop(lives)
        with desk.instance.sessions.begin() as session:
            act(session)
        queue(number, life)


def _moments(desk: _Desk, begins: datetime, cases: int) -> Iterator[datetime]:
    """When cases come in: by season, and mostly in the evening after a meeting or the morning after."""
    span = (desk.ends - begins).total_seconds()
    found = 0
    while found < cases:
        moment = begins + timedelta(seconds=desk.rng.random() * span)
        if desk.rng.random() * 1.4 > texts.SEASON[moment.month]:
            continue
        hour = desk.rng.choice((8, 9, 10, 11, 13, 14, 16, 19, 20, 21, 22, 22, 23, 1))
        local = moment.astimezone(AMSTERDAM).replace(hour=hour, minute=desk.rng.randrange(60), second=0, microsecond=0)
        if begins < local < desk.ends:
            found += 1
            yield local.astimezone(desk.ends.tzinfo)


# --- one case ------------------------------------------------------------------------------------------------------


def _case(desk: _Desk, received: datetime) -> Life:
    rng = desk.rng
    recipe = rng.choices(texts.RECIPES, [recipe.weight for recipe in texts.RECIPES])[0]
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


def _report(desk: _Desk, recipe: texts.Recipe, received: datetime) -> dict[str, Any]:
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


def _screenshot(desk: _Desk, now: datetime) -> DraftFile:
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
    desk: _Desk, recipe: texts.Recipe, filed: Filed, team: str, urgency: str, received: datetime, forgotten: bool
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
    yield from _correspondence(desk, filed, owner, act, at + hours(0.5, 6))
    at += hours(12, 60)
    if rng.random() < 0.3:
        for_whom = rng.choice(("politie", "organisatie", "platform"))
        yield act(owner, lambda held: work.wait(held, kind="wacht_op_derde", for_whom=for_whom), at)
        at += timedelta(days=rng.randrange(3, 16))
        yield act(owner, _resume_if_waiting, at)
    yield from _ending(desk, recipe, owner, team, act, at + timedelta(days=rng.randrange(3, 34)))


def _read(held: work.Held) -> None:
    if held.track.unread:
        work.mark_read(held)


def _resume_if_waiting(held: work.Held) -> None:
    if held.track.state.startswith("wacht"):
        work.resume(held)


def _correspondence(desk: _Desk, filed: Filed, owner: DemoAccount, act: Callable[..., Step], at: datetime) -> Life:
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


def _ending(
    desk: _Desk, recipe: texts.Recipe, owner: DemoAccount, team: str, act: Callable[..., Step], at: datetime
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


# --- months and duty -----------------------------------------------------------------------------------------------


def _closes(begins: datetime, ends: datetime) -> Iterator[datetime]:
    """On the third working morning after each month."""
    day = begins.astimezone(AMSTERDAM).date().replace(day=1)
    while True:
        day += timedelta(days=monthrange(day.year, day.month)[1])
        moment = next_office_moment(datetime.combine(day + timedelta(days=2), time(10), AMSTERDAM))
        if moment > ends:
            return
        yield moment


def _month(desk: _Desk, at: datetime) -> Life:
    """The month before is closed by one editor, approved and published by the other."""
    first, second = desk.people["statistiekredacteur"], desk.people["statistiekredacteur2"]
    period = f"{at.astimezone(AMSTERDAM).date().replace(day=1) - timedelta(days=1):%Y-%m}"
    closed: list[bool] = []

    def close(session: Session) -> None:
        # Nothing is published that breaks a promise; then the month stays open, as at a real desk.
        with suppress(Unpublishable), session.begin_nested():
            figures.close_month(session, desk.instance, first.person(session, now=at), period, now=at)
            closed.append(True)

    yield at, close
    if not closed:
        return
    later, published = at + timedelta(hours=3), at + timedelta(days=1)
    yield later, lambda s: figures.approve(s, desk.instance, second.person(s, now=later), period, now=later)
    yield published, lambda s: figures.publish(s, desk.instance, second.person(s, now=published), period, now=published)


def _duty(desk: _Desk) -> None:
    """Somebody is on duty for every team, from yesterday on, two weeks ahead; so promises of a time can be shown."""
    for team in ("ondersteuning", "beveiliging", "juridisch"):
        with desk.instance.sessions.begin() as session:
            owner, backup = desk.people[f"behandelaar.{team}"], desk.people[f"coordinator.{team}"]
            add_duty(
                session, desk.instance, team, starts_at=desk.ends - timedelta(days=1),
                ends_at=desk.ends + timedelta(days=14), owner=owner.user_id, owner_number="06-00001234",
                backup=backup.user_id, backup_number="06-00004321", now=desk.ends,
            )  # fmt: skip
