"""Filing: once, to those who may read it, with a draft that knows it was sent, and a promise only with cover."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import reader
from weerbaar_meldpunt.actions.drafts import new_draft, open_draft, save_draft
from weerbaar_meldpunt.actions.errors import NotReady, NotYours, TooLarge
from weerbaar_meldpunt.actions.filing import FiledElsewhere, filed_before, on_duty, promised_contact
from weerbaar_meldpunt.store.cases import Attachment, Case, Reader
from weerbaar_meldpunt.store.people import Role, SessionRow, User
from weerbaar_meldpunt.store.tracks import Due, Duty, Track
from weerbaar_meldpunt.vault.derive import new_id

HIGH = {"incident": {"kinds": ["doxing"]}, "target": {"role": "raadslid"}}


def count(ready, model):
    with ready.instance.readings() as session:
        return len(session.scalars(select(model)).all())


def test_the_same_form_sent_twice_is_one_case_with_the_same_codes_and_words(ready, file):
    form = secrets.token_hex(32)

    first = file(HIGH, form=form)
    second = file({"incident": {"kinds": ["stalking"]}}, form=form)

    assert second.repeated
    assert not first.repeated
    assert (second.reference, second.receipt_code, second.words) == (first.reference, first.receipt_code, first.words)
    assert (count(ready, Case), count(ready, Reader)) == (1, 1)


def test_a_form_that_was_filed_tells_again_what_it_gave(ready, file):
    form = secrets.token_hex(32)
    proxy = HIGH | {"reporter": {"relation": "griffier", "consent": "ja"}}
    first = file(proxy, form=form)

    with ready.instance.readings() as session:
        again = filed_before(session, ready.instance, form=form)
        never = filed_before(session, ready.instance, form=secrets.token_hex(32))

    assert again is not None
    assert (again.receipt_code, again.claim_code, again.teams) == (first.receipt_code, first.claim_code, first.teams)
    assert never is None


def test_what_was_filed_under_an_account_is_not_told_to_who_is_not_signed_in_to_it(ready, file):
    form, other = secrets.token_hex(32), ready.people.reporter().person
    file(HIGH, form=form, account=ready.people.reporter().person)

    for account in (None, other):
        with ready.instance.readings() as session, pytest.raises(FiledElsewhere):
            filed_before(session, ready.instance, form=form, account=account)


def test_an_account_finds_all_its_cases_and_no_row_says_whose_they_are(ready, file):
    account = ready.people.reporter()
    for _ in range(3):
        file(HIGH, account=account.person)
    file(HIGH)

    with ready.instance.readings() as session:
        own = reader.own_cases(session, ready.instance, account.person)
        stored = [bytes(value) for row in session.execute(select(Reader.lookup, Reader.key_id)) for value in row]

    assert len(own) == 3
    assert account.user_id not in stored


def test_another_account_does_not_get_in_by_knowing_the_number_of_a_case(ready, file):
    filed = file(HIGH, account=ready.people.reporter().person)

    with ready.instance.readings() as session, pytest.raises(NotYours):
        reader.account_reader(session, ready.instance, ready.people.reporter().person, filed.reference)


def test_filing_with_an_account_writes_nothing_to_it_and_no_session(ready, file):
    account = ready.people.reporter()

    def rows():
        with ready.instance.readings() as session:
            return [
                [tuple(vars(row).get(column.key) for column in model.__table__.columns)
                 for row in session.scalars(select(model))]
                for model in (User, Role, SessionRow)
            ]  # fmt: skip

    before = rows()
    file(HIGH, account=account.person)

    assert rows() == before


def test_every_track_begins_with_a_due(ready, file):
    file({"incident": {"kinds": ["stalking"], "concrete_threat": True}, "target": {"role": "burgemeester"}})

    with ready.instance.readings() as session:
        tracks = session.scalars(select(Track)).all()
        dues = session.scalars(select(Due.track_id)).all()
    assert {track.team for track in tracks} == {"ondersteuning", "beveiliging"}
    assert all(track.due_at and track.id in dues for track in tracks)


def test_files_are_filed_with_the_case(ready, file, upload):
    filed = file(HIGH, files=[upload("een.png"), upload("twee.png")])

    with ready.instance.readings() as session:
        own = reader.own_case(session, ready.instance, filed.reader)
    assert sorted(attachment.name for attachment in own.view.attachments) == ["een.png", "twee.png"]


def test_more_than_a_case_may_hold_files_nothing(ready, file, upload, monkeypatch):
    monkeypatch.setattr("weerbaar_meldpunt.actions.filing.MAX_CASE", 150)

    with pytest.raises(TooLarge):
        file(HIGH, files=[upload(), upload()])

    assert (count(ready, Case), count(ready, Attachment)) == (0, 0)


def test_without_a_key_of_ondersteuning_nothing_is_taken(instance, clock):
    from weerbaar_meldpunt.actions.filing import file_report
    from weerbaar_meldpunt.rules.report import parse_report

    with instance.sessions.begin() as session, pytest.raises(NotReady):
        file_report(session, instance, parse_report({"format": 1}, now=clock.now), form="00" * 32, now=clock.now)


def test_whom_we_may_tell_stands_beside_the_report(ready, file):
    filed = file(HIGH, sharing={"met": ["politie"], "via": ""})

    with ready.instance.readings() as session:
        own = reader.own_case(session, ready.instance, filed.reader)
    assert own.view.melding["sharing"] == {"met": ["politie"], "via": ""}


def test_a_repr_of_what_was_filed_shows_no_code(file):
    filed = file(HIGH)

    assert filed.receipt_code not in repr(filed)
    assert filed.words[0] not in repr(filed)


# --- a promise only with cover ---------------------------------------------------------------------------------------


@pytest.fixture
def shift(ready, clock):
    def added(team, start, end):
        with ready.instance.sessions.begin() as session:
            session.add(
                Duty(
                    id=new_id(), team=team, starts_at=clock.now + timedelta(hours=start),
                    ends_at=clock.now + timedelta(hours=end), owner_id=ready.first(team).user_id, revision=1,
                    sealed=b"x",
                )
            )  # fmt: skip

    return added


@pytest.mark.parametrize(
    ("shifts", "covered"),
    [
        ([], False),
        ([("ondersteuning", -1, 5)], True),
        ([("ondersteuning", -1, 3)], False),
        ([("ondersteuning", -1, 2), ("ondersteuning", 2, 5)], True),
        ([("ondersteuning", -1, 2), ("ondersteuning", 2.5, 5)], False),
        ([("ondersteuning", 1, 5)], False),
        ([("ondersteuning", -1, 2), ("beveiliging", 2, 5)], False),
        ([("juridisch", -1, 9)], False),
    ],
    ids=["nobody", "one shift", "too short", "two that touch", "a gap", "not yet", "two teams", "another team"],
)
def test_cover_day_and_night_is_one_team_without_a_gap(ready, clock, shift, shifts, covered):
    for one in shifts:
        shift(*one)

    with ready.instance.readings() as session:
        teams = ("ondersteuning", "beveiliging")
        assert on_duty(session, teams, clock.now + timedelta(hours=4), now=clock.now) is covered


def test_what_waits_for_office_hours_needs_somebody_at_that_moment_only(ready, clock, shift):
    shift("ondersteuning", 20, 29)

    with ready.instance.readings() as session:
        covered = [
            hours
            for hours in (19, 28, 30)
            if on_duty(session, ("ondersteuning",), clock.now + timedelta(hours=hours), now=clock.now, nights=False)
        ]
    assert covered == [28]


def test_a_moment_that_has_passed_is_not_promised_any_more(ready, file, clock, shift):
    shift("ondersteuning", -1, 48)
    filed = file(HIGH)

    with ready.instance.readings() as session:
        promised = promised_contact(session, filed.answer, filed.teams, now=clock.now)
        later = promised_contact(session, filed.answer, filed.teams, now=clock.now + timedelta(hours=5))
    assert promised == clock.now + timedelta(hours=4)
    assert later is None


# --- the draft and the case go together ------------------------------------------------------------------------------


def test_a_draft_and_its_case_are_one_transaction(ready, file, clock):
    draft = new_draft(ready.instance)
    draft.answers["narrative"] = "Het verhaal."
    with ready.instance.sessions.begin() as session:
        save_draft(session, draft, now=clock.now)

    with pytest.raises(RuntimeError), ready.instance.sessions.begin() as session:
        from weerbaar_meldpunt.actions.drafts import mark_sent
        from weerbaar_meldpunt.actions.filing import file_report
        from weerbaar_meldpunt.rules.report import parse_report

        report = parse_report({"format": 1}, now=clock.now)
        file_report(session, ready.instance, report, form=draft.form_token, now=clock.now)
        mark_sent(session, draft, now=clock.now)
        raise RuntimeError("killed here")

    with ready.instance.readings() as session:
        standing = open_draft(session, draft.cookie, now=clock.now)
    assert standing is not None
    assert standing.answers == {"narrative": "Het verhaal."}
    assert not standing.sent
    assert count(ready, Case) == 0
