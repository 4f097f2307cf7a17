"""What is thrown away once its time is over, and what never is."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import drafts, evidence, people, sessions, sweeping
from weerbaar_meldpunt.actions.drafts import new_draft, save_draft
from weerbaar_meldpunt.store.cases import Case, Claim, Draft
from weerbaar_meldpunt.store.people import Invitation, SessionRow
from weerbaar_meldpunt.vault.derive import new_id

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def room_enough(monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 0)


def upload(instance, *, age=timedelta()):
    file = evidence.open_upload(instance)
    file.write(b"bewijs")
    done = file.finish("bewijs.txt", now=NOW)
    touch(instance, done.blob_id.hex(), age=age)
    return done


def touch(instance, name, *, age):
    moment = (NOW - age).timestamp()
    os.utime(instance.blobs / name, (moment, moment))


def sweep(instance, now=NOW):
    with instance.readings() as session:
        return sweeping.sweep_blobs(session, instance, wall=now)


def names(instance):
    return sorted(path.name for path in instance.blobs.iterdir())


def test_rows_go_when_their_time_is_over_and_not_before(instance):
    with instance.sessions.begin() as session:
        sessions.create_session(session, sessions.start_content("reader", now=NOW, lookup=new_id(), seed=bytes(32)))
        save_draft(session, new_draft(instance), now=NOW)
        people.invite(
            session, instance, login="a@voorbeeld.test", name="A", roles=frozenset({("auditor", "")}), by=b"", now=NOW
        )
        session.add(Claim(lookup=new_id(), sealed=b"x", expires_at=NOW + 30 * DAY))

    def left(now):
        with instance.sessions.begin() as session:
            sweeping.sweep_rows(session, now=now)
        with instance.readings() as session:
            return [
                model.__tablename__
                for model in (SessionRow, Invitation, Draft, Claim)
                if session.scalars(select(model)).all()
            ]

    assert left(NOW + timedelta(hours=1, minutes=59)) == ["session", "invitation", "draft", "claim"]
    assert left(NOW + timedelta(hours=23)) == ["invitation", "draft", "claim"]
    assert left(NOW + timedelta(hours=25)) == ["draft", "claim"]
    assert left(NOW + 14 * DAY + timedelta(seconds=1)) == ["claim"]
    assert left(NOW + 30 * DAY + timedelta(seconds=1)) == []


def test_an_upload_that_was_cut_off_goes_after_a_day(instance):
    for name, age in (("ab" * 16 + ".part", DAY + timedelta(minutes=1)), ("cd" * 16 + ".part", timedelta(hours=23))):
        (instance.blobs / name).write_bytes(b"half")
        touch(instance, name, age=age)

    assert sweep(instance) == sweeping.Swept(unfinished=1, orphaned=0)
    assert names(instance) == ["cd" * 16 + ".part"]


def test_a_file_that_no_draft_can_hold_any_more_goes(instance):
    old = upload(instance, age=15 * DAY + timedelta(minutes=1))
    young = upload(instance, age=15 * DAY - timedelta(minutes=1))

    assert sweep(instance) == sweeping.Swept(unfinished=0, orphaned=1)
    assert names(instance) == [young.blob_id.hex()]
    assert old.blob_id.hex() not in names(instance)


def test_the_evidence_of_a_case_never_goes(ready, file):
    held = upload(ready.instance)
    file({"incident": {"kinds": ["bedreiging_intimidatie"]}}, files=[held])
    touch(ready.instance, held.blob_id.hex(), age=4000 * DAY)

    assert sweep(ready.instance).orphaned == 0
    assert names(ready.instance) == [held.blob_id.hex()]
    with ready.instance.readings() as session:
        assert session.scalars(select(Case)).all()


def test_a_draft_that_is_saved_again_keeps_its_files(instance):
    draft = new_draft(instance)
    draft.files = [upload(instance, age=28 * DAY)]
    with instance.sessions.begin() as session:
        save_draft(session, draft, now=NOW - 13 * DAY)
    sweeping.keep_files(instance, [file.blob_id for file in draft.files])
    touch(instance, draft.files[0].blob_id.hex(), age=13 * DAY)  # when it was saved

    assert sweep(instance).orphaned == 0
    with instance.readings() as session:
        assert drafts.open_draft(session, draft.cookie, now=NOW) is not None


def test_keeping_a_file_is_to_touch_it(instance):
    file = upload(instance, age=100 * DAY)
    before = (instance.blobs / file.blob_id.hex()).stat().st_mtime

    sweeping.keep_files(instance, [file.blob_id, new_id()])  # one that is gone is no fault

    assert (instance.blobs / file.blob_id.hex()).stat().st_mtime > before
    assert len(names(instance)) == 1


def test_what_is_not_ours_stays(instance):
    for name in ("README", "AB" * 16, "ab" * 15, "ab" * 17, "ab" * 16 + ".txt"):
        (instance.blobs / name).write_bytes(b"x")
        touch(instance, name, age=1000 * DAY)
    before = names(instance)

    sweep(instance)

    assert names(instance) == before


def test_many_orphans_go_in_one_sweep(instance):
    for _ in range(1100):
        name = new_id().hex()
        (instance.blobs / name).write_bytes(b"")
        touch(instance, name, age=20 * DAY)

    assert sweep(instance).orphaned == 1100
    assert names(instance) == []
