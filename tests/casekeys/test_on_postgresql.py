"""What only a database with several writers can get wrong: new keys, wrapping anew, handing over at once (T12)."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.actions_work.conftest import Desk
from tests.conftest import NOON, make_ready
from tests.jobs.conftest import HAS_POSTGRESQL, emptied, on_postgresql, postgresql
from weerbaar_meldpunt.actions import transfer, work
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours
from weerbaar_meldpunt.actions.filing import file_report
from weerbaar_meldpunt.actions.rewrap import keep_batch, prepare_batch, wraps_left
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.store.cases import CaseEpoch, CaseGrant
from weerbaar_meldpunt.vault.pins import Pins

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_POSTGRESQL, reason="PostgreSQL's own programs are not installed"),
]
TEAM, OTHER = "ondersteuning", "beveiliging"
SAID = {"reason": "Zij weten hier meer van.", "words": "Uw melding ligt nu bij een ander team."}

__all__ = ["emptied", "on_postgresql", "postgresql"]


@pytest.fixture
def desk(emptied: Any) -> Desk:
    emptied.write_pins(Pins(()))
    ready = make_ready(emptied)

    def file(document: dict[str, Any], *, now: Any = NOON, **more: Any) -> Any:
        report = parse_report({"format": 1} | document, now=now)
        more.setdefault("form", secrets.token_hex(32))
        with emptied.sessions.begin() as session:
            return file_report(session, emptied, report, now=now, **more)

    return Desk(ready, file, NOON, [])


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment; answers what each gave, or its error."""

    def safely(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as fault:
            return fault

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(safely, acts))


def test_many_who_write_at_once_after_a_new_team_key_start_one_epoch_together(
    desk: Any, next_key: Any, rows: Any
) -> None:
    filed, one, two = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    next_key(TEAM)
    answers = at_once(
        *(
            lambda who=who, number=number: desk.do(who, filed.reference, work.write_message, f"Team {number}")
            for number, who in enumerate((one, two, one, two))
        ),
        lambda: desk.reply(filed, "Melder 1"),
        lambda: desk.reply(filed, "Melder 2"),
    )
    assert answers == [None] * 6
    found = sorted((row.compartment, row.epoch) for row in rows(CaseEpoch, filed.reference))
    assert found in ([("A", 1), ("B", 1), ("N", 1)], [("A", 1)])
    view = desk.open(one, filed.reference)
    assert view.gaps == ()
    said = sorted(message.text for message in view.messages)
    assert said == ["Melder 1", "Melder 2", "Team 0", "Team 1", "Team 2", "Team 3"]
    assert sorted(message.text for message in desk.reporter(filed).view.messages) == said


def test_two_who_wrap_anew_at_once_do_each_case_once(desk: Any, next_key: Any, leaves: Any) -> None:
    filed = [desk.file() for _ in range(12)]
    next_key(TEAM)

    def wrap_all(who: Any) -> int:
        done, after = 0, b""
        while after is not None:
            with desk.instance.readings() as session:
                prepared = prepare_batch(session, desk.instance, who.person, TEAM, limit=2, after=after)
            with desk.instance.sessions.begin() as session:
                progress = keep_batch(session, desk.instance, who.person, prepared, now=desk.now)
            done, after = done + progress.done, progress.after
        return done

    first, second = desk.ready.members[TEAM]
    done = at_once(lambda: wrap_all(first), lambda: wrap_all(second))
    assert sum(done) == 12
    with desk.instance.readings() as session:
        assert wraps_left(session, desk.instance, TEAM) == 0
    for one in filed:
        assert leaves(one.reference).count("opnieuw_ingepakt") == 1
        assert desk.open(first, one.reference).gaps == ()


@pytest.mark.parametrize("turn", range(4))
def test_a_case_handed_over_while_it_is_wrapped_anew_is_gone_for_the_former_team(
    desk: Any, next_key: Any, rows: Any, team_key_ids: Any, turn: int
) -> None:
    filed, one, two = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    next_key(TEAM)

    def wrap() -> int:
        with desk.instance.readings() as session:
            prepared = prepare_batch(session, desk.instance, two.person, TEAM)
        with desk.instance.sessions.begin() as session:
            return keep_batch(session, desk.instance, two.person, prepared, now=desk.now).done

    answers = at_once(wrap, lambda: desk.do(one, filed.reference, transfer.transfer, OTHER, **SAID))
    assert answers[1] is None, answers
    mine = set(team_key_ids(TEAM))
    assert [row for row in rows(CaseGrant, filed.reference) if row.recipient in mine] == []
    with pytest.raises(NotYours):
        desk.open(two, filed.reference)
    assert desk.open(desk.ready.first(OTHER), filed.reference).gaps == ()


def test_of_two_who_hand_a_case_to_different_teams_at_once_one_is_refused(desk: Any) -> None:
    filed, one, two = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(two, filed.reference, work.take)
    answers = at_once(
        lambda: desk.do(one, filed.reference, transfer.transfer, OTHER, **SAID),
        lambda: desk.do(two, filed.reference, transfer.transfer, OTHER, **SAID),
    )
    assert sorted(answer is None for answer in answers) == [False, True]
    assert isinstance(next(answer for answer in answers if answer is not None), NotYours | NotAllowed)
    assert desk.open(desk.ready.first(OTHER), filed.reference).gaps == ()
