"""The chase: every step noted once, the right people told, at the right hour, and no case forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import chase
from weerbaar_meldpunt.actions.people import DISABLED
from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Due, DueClaim, DueStep, Outbox, Track
from weerbaar_meldpunt.vault.audit import row_hash
from weerbaar_meldpunt.vault.derive import new_id


@pytest.fixture
def desk(engine, request, desk_of):
    """The desk on SQLite, and on PostgreSQL where its server is installed."""
    return desk_of(request.getfixturevalue("instance" if engine == "sqlite" else "emptied"))


LADDER = ["herinnerd", "achterwacht", "coordinator", "heel_team"]


@pytest.fixture
def noon(at):
    """A Monday."""
    return at("2026-11-23T12:00")


# --- once ----------------------------------------------------------------------------------------------------------


def test_a_step_is_noted_once_however_often_the_clock_strikes(desk, noon):
    owner = desk.member()
    track = desk.track(("opvolging", noon), now=noon - timedelta(days=14), owner=owner)

    for minutes in (0, 0, 1, 10, 300):
        desk.strike(noon + timedelta(minutes=minutes))

    assert desk.steps(track) == [("herinnerd", noon)]
    assert desk.told() == [desk.address(owner)]


def test_before_its_moment_nothing_is_said(desk, noon):
    desk.track(("opvolging", noon), now=noon - timedelta(days=14), owner=desk.member())

    desk.strike(noon - timedelta(seconds=1))

    assert desk.steps() == []
    assert desk.count(Outbox) == 0


def test_the_database_itself_refuses_to_note_a_step_twice(desk, noon):
    from sqlalchemy.exc import IntegrityError

    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    desk.strike(noon)

    with pytest.raises(IntegrityError), desk.instance.sessions.begin() as session:
        session.add(DueStep(id=new_id(), due_id=desk.due(track).id, step="herinnerd", at=noon))


def test_the_whole_ladder_is_climbed_each_step_when_its_time_comes(desk, noon, at):
    owner, backup, coordinator, other = (
        desk.member(), desk.member(), desk.member(coordinator=True), desk.member(),
    )  # fmt: skip
    desk.on_duty(owner, backup, now=noon)
    track = desk.track(("opvolging", noon), now=noon, owner=owner)
    told = []

    for moment in (noon, at("2026-11-24T12:00"), at("2026-11-25T12:00"), at("2026-11-26T12:00")):
        desk.strike(moment - timedelta(seconds=1))
        assert len(desk.steps(track)) == len(told)
        desk.strike(moment)
        told.append(desk.told())

    assert [step for step, _ in desk.steps(track)] == LADDER
    everybody = sorted(desk.address(person) for person in (owner, backup, coordinator, other))
    assert told == [[desk.address(owner)], [desk.address(backup)], [desk.address(coordinator)], everybody]


# --- whom ----------------------------------------------------------------------------------------------------------


def test_without_an_owner_whoever_is_on_duty_is_reminded(desk, noon):
    on_duty, backup = desk.member(), desk.member()
    desk.member(coordinator=True)
    desk.on_duty(on_duty, backup, now=noon)
    desk.track(("opvolging", noon), now=noon)

    desk.strike(noon)

    assert desk.told() == [desk.address(on_duty)]


def test_without_owner_and_duty_the_coordinators_are_reminded(desk, noon):
    desk.member()
    coordinators = [desk.member(coordinator=True), desk.member(coordinator=True)]
    desk.track(("opvolging", noon), now=noon)

    desk.strike(noon)

    assert desk.told() == sorted(map(desk.address, coordinators))


def test_without_owner_duty_and_coordinator_all_of_the_team_is_reminded(desk, noon):
    members = [desk.member(), desk.member()]
    desk.member("juridisch")
    desk.track(("opvolging", noon), now=noon)

    desk.strike(noon)

    assert desk.told() == sorted(map(desk.address, members))


@pytest.mark.parametrize("gone", ["switched off", "in another team"])
def test_an_owner_who_is_gone_is_nobody(desk, noon, gone):
    owner, coordinator = desk.member(), desk.member(coordinator=True)
    desk.track(("opvolging", noon), now=noon, owner=owner)
    if gone == "switched off":
        desk.change(User, owner, state=DISABLED)
    else:
        with desk.instance.sessions.begin() as session:
            session.delete(session.get_one(Role, (owner, "behandelaar", "ondersteuning")))

    desk.strike(noon)

    assert desk.told() == [desk.address(coordinator)]


def test_without_an_achterwacht_the_coordinator_is_next(desk, noon, at):
    owner, coordinator = desk.member(), desk.member(coordinator=True)
    track = desk.track(("opvolging", noon), now=noon, owner=owner)
    desk.strike(noon)
    desk.told()

    desk.strike(at("2026-11-24T12:00"))

    assert desk.due(track).step == "achterwacht"
    assert desk.told() == [desk.address(coordinator)]


def test_a_team_of_which_nobody_is_left_is_seen_to_by_the_coordinators_of_ondersteuning(desk, noon):
    coordinator = desk.member(coordinator=True)
    desk.member()
    desk.track(("opvolging", noon), now=noon, team="juridisch")

    desk.strike(noon)

    assert desk.told() == [desk.address(coordinator)]


def test_a_step_of_which_nobody_would_hear_is_not_taken_but_tried_again(desk, noon, at):
    track = desk.track(("opvolging", noon), now=noon)

    taken = desk.strike(noon)

    assert taken.nobody == {"ondersteuning"}
    assert desk.steps(track) == []
    assert desk.due(track).next_at == at("2026-11-24T12:00")

    late = desk.member()
    desk.strike(at("2026-11-24T12:00"))

    assert desk.told() == [desk.address(late)]


def test_a_login_that_is_no_mail_address_gets_no_mail_and_is_counted_without_its_name(desk, noon):
    owner = desk.member(login="jansen")
    track = desk.track(("opvolging", noon), now=noon, owner=owner)

    taken = desk.strike(noon)

    assert desk.told() == []
    assert taken.without_address == 1
    assert desk.due(track).step == "herinnerd"
    assert "jansen" not in repr(taken)


def test_a_step_mails_a_person_once_also_who_is_coordinator_and_member(desk, noon, at):
    both = desk.member(coordinator=True)
    track = desk.track(("opvolging", noon), now=noon)
    desk.change(Due, desk.due(track).id, step="coordinator")

    desk.strike(noon)

    assert desk.steps(track) == [("heel_team", noon)]
    assert desk.told() == [desk.address(both)]


# --- the night, holidays, a clock that was down --------------------------------------------------------------------


def test_a_due_outside_office_hours_is_chased_at_the_next_opening(desk, at):
    closing = at("2026-12-24T17:00")
    track = desk.track(("opvolging", closing), now=at("2026-12-10T12:00"), owner=desk.member())

    for moment in ("2026-12-24T17:00", "2026-12-25T10:00", "2026-12-27T12:00", "2026-12-28T08:59"):
        desk.strike(at(moment))
    assert desk.steps(track) == []

    desk.strike(at("2026-12-28T09:00"))
    assert desk.steps(track) == [("herinnerd", at("2026-12-28T09:00"))]


def test_a_clock_that_comes_up_in_the_night_wakes_nobody_for_what_it_missed_by_day(desk, at):
    track = desk.track(("opvolging", at("2026-11-23T12:00")), now=at("2026-11-10T12:00"), owner=desk.member())

    desk.strike(at("2026-11-24T03:00"))
    assert desk.steps(track) == []
    assert desk.due(track).next_at == at("2026-11-24T09:00")

    desk.strike(at("2026-11-24T09:00"))
    assert desk.steps(track) == [("herinnerd", at("2026-11-24T09:00"))]


def test_an_acute_case_is_chased_at_night(desk, at):
    night = at("2026-11-28T03:00")
    track = desk.track(("eerste_contact", night + timedelta(minutes=30)), urgency="acuut", now=night)
    desk.on_duty(desk.member(), desk.member(), now=night)
    desk.member(coordinator=True)

    for minutes in range(16):
        desk.strike(night + timedelta(minutes=minutes))

    assert desk.steps(track) == [(step, night + timedelta(minutes=5 * place)) for place, step in enumerate(LADDER)]


def test_after_a_long_silence_one_step_is_taken_and_not_all_at_once(desk, noon, at):
    track = desk.track(("opvolging", at("2026-11-02T12:00")), now=at("2026-11-01T12:00"), owner=desk.member())

    desk.strike(noon)

    assert desk.steps(track) == [("herinnerd", noon)]


# --- closed, done, taken -------------------------------------------------------------------------------------------


def test_what_somebody_did_meanwhile_is_not_chased(desk, noon):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    with desk.instance.sessions.begin() as session:
        claims = chase.claim_dues(session, desk.clock, now=noon, wall=noon)
    desk.change(Due, desk.due(track).id, step="gedaan", ended_at=noon, next_at=None)

    with desk.instance.sessions.begin() as session:
        taken = chase.take_steps(session, desk.instance, claims, desk.clock, now=noon, wall=noon)

    assert (taken.seen, taken.steps) == (0, 0)
    assert desk.due(track).step == "gedaan"
    assert desk.count(Outbox) == 0


def test_a_closed_track_is_not_chased(desk, noon):
    track = desk.track(
        ("opvolging", noon), now=noon, owner=desk.member(), state="afgerond", outcome="geholpen", closed_at=noon
    )

    desk.strike(noon)

    assert desk.steps(track) == []
    assert (desk.due(track).step, desk.due(track).ended_at) == ("vervallen", noon)
    assert desk.count(Outbox) == 0


@pytest.mark.parametrize("kind", ["nazorg_72u", "nazorg_2w", "nazorg_6w", "enquete"])
def test_aftercare_and_survey_are_chased_after_the_closing(desk, noon, kind):
    owner = desk.member()
    desk.track((kind, noon), now=noon, owner=owner, state="afgerond", outcome="geholpen", closed_at=noon)

    desk.strike(noon)

    assert desk.told() == [desk.address(owner)]


def test_whoever_withdrew_is_not_sought_for_aftercare(desk, noon):
    track = desk.track(
        ("nazorg_2w", noon), now=noon, owner=desk.member(), state="afgerond", outcome="ingetrokken", closed_at=noon
    )

    desk.strike(noon)

    assert desk.due(track).step == "vervallen"
    assert desk.told() == []


def test_a_waiting_track_is_chased_when_the_waiting_is_over(desk, noon):
    owner = desk.member()
    desk.track(("wacht_op_derde", noon), now=noon, owner=owner, state="wacht_op_derde")

    desk.strike(noon)

    assert desk.told() == [desk.address(owner)]


def test_when_all_were_told_and_nobody_did_anything_the_chase_begins_again(desk, noon, at):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    desk.change(Due, desk.due(track).id, step="coordinator")

    desk.strike(noon)

    first, second = desk.dues(track)
    assert (first.step, first.next_at) == ("heel_team", None)
    assert (second.kind, second.step, second.next_at) == ("opvolging", "gepland", at("2026-11-25T12:00"))
    with desk.instance.readings() as session:
        assert session.get_one(Track, track).due_at == noon  # what is late stays what the queue shows


def test_an_open_track_always_has_a_moment_at_which_a_clock_looks(desk, noon):
    tracks = [
        desk.track(("opvolging", noon), ("poging", noon), urgency=urgency, now=noon, owner=owner)
        for urgency in ("acuut", "hoog", "midden", "laag")
        for owner in (None, desk.member())
    ]

    now = noon
    for _ in range(60):  # from look to look: some three weeks
        desk.strike(now)
        looks = [[due.next_at for due in desk.dues(track) if due.ended_at is None] for track in tracks]
        nearest = [min((look for look in held if look is not None), default=None) for held in looks]
        assert None not in nearest, "a track fell silent"
        assert max(nearest) < now + timedelta(days=8)
        now = min(nearest)


def test_a_closed_track_whose_aftercare_nobody_did_is_not_opened_by_the_clock(desk, noon):
    track = desk.track(
        ("nazorg_6w", noon), now=noon, owner=desk.member(), state="afgerond", outcome="geholpen", closed_at=noon
    )
    desk.change(Due, desk.due(track).id, step="coordinator")

    desk.strike(noon)

    assert desk.due(track).step == "heel_team"
    with desk.instance.readings() as session:
        assert session.get_one(Track, track).state == "afgerond"


# --- alarms --------------------------------------------------------------------------------------------------------


def acute(desk, now, **more):
    return desk.track(("eerste_contact", now + timedelta(minutes=30)), urgency="acuut", now=now, **more)


def test_an_alarm_names_the_time_and_the_achterwacht(desk, at):
    night = at("2026-11-28T03:00")
    desk.on_duty(desk.member(), desk.member(), now=night)
    acute(desk, night)

    desk.strike(night)

    [letter] = desk.letters()
    assert letter.subject == "Er staat iets met spoed klaar"
    assert letter.body == (
        "Er staat iets met spoed klaar. Log in en bevestig vóór 03:05. Lukt dat niet? Bel 06 22222222."
    )


def test_the_achterwacht_is_not_told_to_call_the_achterwacht(desk, noon):
    owner, backup = desk.member(), desk.member()
    desk.on_duty(owner, backup, now=noon)
    acute(desk, noon)
    desk.strike(noon)
    desk.told()

    desk.strike(noon + timedelta(minutes=5))

    [letter] = desk.letters()
    assert letter.to == desk.address(backup)
    assert "06 22222222" not in letter.body
    assert desk.instance.settings.telephone["ot"] in letter.body


def test_whoever_takes_the_track_confirms_the_alarm_and_nobody_else_is_woken(desk, noon):
    owner, backup = desk.member(), desk.member()
    desk.on_duty(owner, backup, now=noon)
    track = acute(desk, noon)
    desk.strike(noon)
    desk.told()

    desk.change(Track, track, owner_id=owner)
    for minutes in range(1, 30):
        desk.strike(noon + timedelta(minutes=minutes))
    assert desk.told() == []

    desk.strike(noon + timedelta(minutes=30))  # the promise of half an hour was not kept
    assert desk.told() == [desk.address(backup)]


def test_alarms_of_one_team_within_five_minutes_are_one(desk, noon):
    on_duty = desk.member()
    desk.on_duty(on_duty, now=noon)
    tracks = [acute(desk, noon), acute(desk, noon), acute(desk, noon + timedelta(minutes=4))]

    desk.strike(noon)
    desk.strike(noon + timedelta(minutes=4))

    assert desk.told() == [desk.address(on_duty)]
    assert [desk.due(track).step for track in tracks] == ["herinnerd"] * 3


def test_an_alarm_after_five_minutes_is_one_of_its_own(desk, noon):
    on_duty, backup = desk.member(), desk.member()
    desk.on_duty(on_duty, backup, now=noon)
    acute(desk, noon)
    desk.strike(noon)
    acute(desk, noon + timedelta(minutes=5))

    desk.strike(noon + timedelta(minutes=5))

    assert desk.told() == sorted([desk.address(on_duty), desk.address(on_duty), desk.address(backup)])


def test_an_alarm_that_was_confirmed_silences_no_other(desk, noon):
    on_duty = desk.member()
    desk.on_duty(on_duty, now=noon)
    first = acute(desk, noon)
    desk.strike(noon)
    desk.told()
    desk.change(Track, first, owner_id=on_duty)

    acute(desk, noon + timedelta(minutes=2))
    desk.strike(noon + timedelta(minutes=2))

    assert desk.told() == [desk.address(on_duty)]


def test_alarms_of_two_teams_are_two(desk, noon):
    people = [desk.member(), desk.member("beveiliging")]
    acute(desk, noon)
    acute(desk, noon, team="beveiliging")

    desk.strike(noon)

    assert desk.told() == sorted(map(desk.address, people))


def test_a_pressing_report_is_told_when_it_comes_in_not_when_it_is_late(desk, at):
    night = at("2026-11-28T03:00")
    on_duty = desk.member()
    desk.on_duty(on_duty, now=night)
    desk.track(("eerste_contact", night + timedelta(hours=4)), urgency="hoog", now=night)

    desk.strike(night)

    [letter] = desk.letters()
    assert (letter.to, letter.subject) == (desk.address(on_duty), "Er staat iets voor u klaar")


# --- the trail -----------------------------------------------------------------------------------------------------


def test_every_due_that_changes_is_covered_by_a_leaf_as_it_is_now(desk, noon):
    tracks = desk.tracks(5, ("opvolging", noon), now=noon, owner=desk.member())

    desk.strike(noon)

    with desk.instance.readings() as session:
        [leaf] = session.scalars(select(Leaf).where(Leaf.action == "herinnerd"))
        covered = {row.row: row.row_hash for row in session.scalars(select(LeafRow).where(LeafRow.seq == leaf.seq))}
    expected = {}
    for track in tracks:
        due = desk.due(track)
        expected[due.id] = row_hash("due", {c.key: getattr(due, c.key) for c in Due.__table__.columns})
    assert covered == expected
    assert leaf.actor == b""


def test_a_new_round_is_covered_with_its_track(desk, noon):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    desk.change(Due, desk.due(track).id, step="coordinator")

    desk.strike(noon)

    with desk.instance.readings() as session:
        tables = sorted(session.scalars(select(LeafRow.table).join(Leaf).where(Leaf.action == "herinnerd")))
    assert tables == ["due", "due", "track"]


def test_a_look_that_changes_nothing_leaves_no_leaf(desk, noon):
    desk.track(("opvolging", noon + timedelta(days=1)), now=noon, owner=desk.member())

    desk.strike(noon)

    assert desk.count(Leaf) == 1  # that of the filing


# --- lease and fence -----------------------------------------------------------------------------------------------


def claim(desk, clock, now):
    with desk.instance.sessions.begin() as session:
        return chase.claim_dues(session, clock, now=now, wall=now)


def finish(desk, clock, claims, now):
    with desk.instance.sessions.begin() as session:
        return chase.take_steps(session, desk.instance, claims, clock, now=now, wall=now)


def test_two_clocks_never_have_the_same_due_in_hand(desk, noon):
    desk.tracks(30, ("opvolging", noon), now=noon, owner=desk.member())
    first, second = new_id(), new_id()

    with desk.instance.sessions.begin() as session:
        one = chase.claim_dues(session, first, now=noon, wall=noon, limit=20)
    other = claim(desk, second, noon)

    assert (len(one), len(other)) == (20, 10)
    assert not one.keys() & other.keys()
    assert claim(desk, second, noon) == {}


def test_a_slow_clock_finds_its_fence_gone_and_writes_nothing(desk, noon):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    slow, quick = new_id(), new_id()
    old = claim(desk, slow, noon)
    later = noon + chase.LEASE

    new = claim(desk, quick, later)
    taken = finish(desk, quick, new, later)
    late = finish(desk, slow, old, later)

    assert new.keys() == old.keys()
    assert (taken.steps, late.steps, late.refused) == (1, 0, 1)
    assert desk.steps(track) == [("herinnerd", later)]
    assert desk.count(Outbox) == 1


def test_a_slow_clock_that_claimed_again_meanwhile_cannot_finish_its_old_claim(desk, noon):
    desk.track(("opvolging", noon), now=noon, owner=desk.member())
    clock = new_id()
    old = claim(desk, clock, noon)
    new = claim(desk, clock, noon + chase.LEASE)

    late = finish(desk, clock, old, noon + chase.LEASE)

    assert late.refused == 1
    assert finish(desk, clock, new, noon + chase.LEASE).steps == 1


def test_while_the_lease_runs_nobody_takes_over(desk, noon):
    desk.track(("opvolging", noon), now=noon, owner=desk.member())
    claim(desk, new_id(), noon)

    assert claim(desk, new_id(), noon + chase.LEASE - timedelta(seconds=1)) == {}
    assert len(claim(desk, new_id(), noon + chase.LEASE)) == 1


def test_a_lease_of_a_clock_that_was_far_ahead_holds_nothing_up(desk, noon):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    claim(desk, new_id(), noon)
    desk.change(DueClaim, desk.due(track).id, lease_until=noon + timedelta(days=400))

    assert len(claim(desk, new_id(), noon)) == 1


def test_a_claim_is_no_change_of_the_due(desk, noon):
    track = desk.track(("opvolging", noon), now=noon, owner=desk.member())
    before = {c.key: getattr(desk.due(track), c.key) for c in Due.__table__.columns}

    claim(desk, new_id(), noon)

    assert {c.key: getattr(desk.due(track), c.key) for c in Due.__table__.columns} == before
    assert desk.count(Leaf) == 1  # that of the filing


def test_what_became_due_last_is_claimed_first(desk, noon):
    desk.tracks(3, ("opvolging", noon - timedelta(days=3)), now=noon - timedelta(days=9), owner=desk.member())
    fresh = acute(desk, noon)

    with desk.instance.sessions.begin() as session:
        [first] = chase.claim_dues(session, new_id(), now=noon, wall=noon, limit=1)

    assert first == desk.due(fresh).id


def test_acute_dues_can_be_claimed_before_all_others(desk, noon):
    desk.tracks(3, ("opvolging", noon), now=noon, owner=desk.member())
    old = desk.track(("opvolging", noon - timedelta(days=2)), urgency="acuut", now=noon - timedelta(days=3))

    with desk.instance.sessions.begin() as session:
        found = chase.claim_dues(session, new_id(), now=noon, wall=noon, urgent=True)

    assert list(found) == [desk.due(old).id]


# --- what it costs -------------------------------------------------------------------------------------------------


@pytest.fixture
def statements(desk):
    from sqlalchemy import event

    seen: list[str] = []

    def note(_connection, _cursor, statement, *_more):
        seen.append(statement)

    event.listen(desk.instance.engine, "before_cursor_execute", note)
    yield seen
    event.remove(desk.instance.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("count", [10, 100])
def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(desk, noon, statements, count):
    desk.tracks(count, ("opvolging", noon), now=noon, owner=desk.member())
    statements.clear()

    claims = claim(desk, desk.clock, noon)
    finish(desk, desk.clock, claims, noon)

    assert len(claims) == count
    counted = [text for text in statements if not text.startswith("BEGIN") and "advisory" not in text]
    assert len(counted) == 16


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_clock_finds_what_is_due_by_an_index(desk, noon, statements):
    desk.tracks(5, ("opvolging", noon), now=noon, owner=desk.member())
    statements.clear()
    claim(desk, desk.clock, noon)
    with desk.instance.readings() as session:
        chase.anything_due(session, now=noon)
    looks = [statement for statement in statements if statement.lstrip().startswith("SELECT") and "due" in statement]

    with desk.instance.readings() as session:
        for look in looks:
            plan = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + look, (0,) * look.count("?")).all()
            assert not [row for row in plan if row[3].startswith("SCAN")], plan
    assert len(looks) == 3
