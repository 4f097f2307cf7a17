"""A demonstration: invented cases over past months, lived through by the same actions as real ones, in time order."""

from __future__ import annotations

import heapq
from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import next_office_moment
from weerbaar_meldpunt.rules.rounding import Unpublishable
from weerbaar_meldpunt.rules.values import AMSTERDAM

from . import demonstration_texts as texts
from . import figures
from .demonstration_lives import Desk, Life, life_of_case
from .demonstration_people import make_people
from .instance import Instance, create_instance
from .roster import add_duty

SEED: Final = 20261123
# Nobody who tries the demonstration must reach a real desk.
CONFIG: Final = '[telephone]\not = "070-0000000"\n'
# What has just come in when the demonstration starts: a recipe by its first kind, and minutes before the end.
_FRESH: Final = ((14, "huisbezoek"), (55, "bedreiging_intimidatie"), (130, "doxing"), (340, "verbale_agressie"),
                 (900, "juridische_druk"), (1300, "seksuele_intimidatie"))  # fmt: skip


def make_demonstration(
    folder: Path, *, cases: int, months: int, now: datetime, tell: Callable[[str], None]
) -> Instance:
    """A new demonstration instance in `folder`, with everybody in it and so many cases over so many months."""
    begins = datetime.combine(_months_back(now.astimezone(AMSTERDAM).date(), months), time(8), AMSTERDAM)
    instance = create_instance(folder, now=begins, demonstration=True, config=CONFIG)
    tell("Making the people and their keys ...")
    people = make_people(instance, now=begins)
    desk = Desk(instance, people, Random(SEED), now)  # noqa: S311 - the same each time; no secret  # nosec B311
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


def _live(desk: Desk, begins: datetime, cases: int) -> None:
    """Take every step of every life in the order of time, each in a transaction of its own."""
    lives: list[tuple[datetime, int, Callable[[Session], Any], Life]] = []

    def queue(number: int, life: Life) -> None:
        step = next(life, None)
        if step is not None and step[0] <= desk.ends:
            heapq.heappush(lives, (step[0], number, step[1], life))

    recipes = {recipe.incident["kinds"][0]: recipe for recipe in reversed(texts.RECIPES) if recipe.incident}
    fresh = [(desk.ends - timedelta(minutes=ago), recipes[kind]) for ago, kind in _FRESH[:cases]]
    weights = [recipe.weight for recipe in texts.RECIPES]
    older = [
        (moment, desk.rng.choices(texts.RECIPES, weights)[0])
        for moment in sorted(_moments(desk, begins, cases - len(fresh)))
    ]
    for number, (moment, recipe) in enumerate([*older, *fresh]):
        queue(number, life_of_case(desk, moment, recipe))
    # The last month waits, so that an editor of the figures has something to close.
    for number, moment in enumerate(list(_closes(begins, desk.ends))[:-1]):
        queue(cases + number, _month(desk, moment))
    while lives:
        _, number, act, life = heapq.heappop(lives)
        with desk.instance.sessions.begin() as session:
            act(session)
        queue(number, life)


def _moments(desk: Desk, begins: datetime, cases: int) -> Iterator[datetime]:
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


def _closes(begins: datetime, ends: datetime) -> Iterator[datetime]:
    """On the third working morning after each month."""
    day = begins.astimezone(AMSTERDAM).date().replace(day=1)
    while True:
        day += timedelta(days=monthrange(day.year, day.month)[1])
        moment = next_office_moment(datetime.combine(day + timedelta(days=2), time(10), AMSTERDAM))
        if moment > ends:
            return
        yield moment


def _month(desk: Desk, at: datetime) -> Life:
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


def _duty(desk: Desk) -> None:
    """Somebody is on duty for every team, from yesterday on, two weeks ahead; so promises of a time can be shown."""
    for team in ("ondersteuning", "beveiliging", "juridisch"):
        with desk.instance.sessions.begin() as session:
            owner, backup = desk.people[f"behandelaar.{team}"], desk.people[f"coordinator.{team}"]
            add_duty(
                session, desk.instance, team, starts_at=desk.ends - timedelta(days=1),
                ends_at=desk.ends + timedelta(days=14), owner=owner.user_id, owner_number="06-00001234",
                backup=backup.user_id, backup_number="06-00004321", now=desk.ends,
            )  # fmt: skip
