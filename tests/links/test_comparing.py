"""Comparing marks of cases: only after the FG's decision, under the LINK key, and of another team only its name."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from weerbaar_meldpunt.actions import epochs, linking, linking_decision, linkkeys, work
from weerbaar_meldpunt.actions.erasing import Word, erase_case
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.rules.marks import read_mark
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.audit import Alarm, Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.links import LinkEntry, LinkFold, LinkGrant
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

HANDLE = read_mark("@boze_burger")
PHONE = read_mark("06-12345678")
LEGAL = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "legal": {"kind": "smaad_laster", "side": "tegen_mij"},
    "incident": {"offender": "inwoner_bekend"},
    "request": {"legal_support": True, "support": False},
}
THREAT = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["bedreiging_intimidatie"]},
    "offender_known_as": ["@Boze_Burger", "06 12345678"],
}


@pytest.fixture
def auditor(desk):
    return desk.ready.people.auditor()


@pytest.fixture
def allowed(desk, auditor):
    """The FG decided that cases may be compared, for half a year."""
    day = desk.now.date()
    with desk.instance.sessions.begin() as session:
        return linking_decision.decide(
            session, desk.instance, auditor.person, purpose="Herhaling door dezelfde persoon herkennen.",
            ground=linking_decision.LINKING_GROUNDS[0], starts_on=day, review_on=day + timedelta(days=90),
            until=day + timedelta(days=180), now=desk.now,
        ).id  # fmt: skip


def pin(desk, key):
    desk.instance.write_pins(desk.instance.pins().with_sealing(key))
    for members in desk.ready.members.values():
        for member in members:
            desk.ready.people.adopt(member)


@pytest.fixture
def ready_to_link(desk, allowed):
    """The LINK key is made, pinned and compared by everybody."""
    first = desk.ready.first("ondersteuning")
    with desk.instance.sessions.begin() as session:
        key = linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)
    pin(desk, key)
    return key


def entries(desk):
    with desk.instance.readings() as session:
        return list(session.scalars(select(LinkEntry)))


def member(desk, team="ondersteuning"):
    return desk.ready.second(team)


def keep(desk, filed, *marks, team="ondersteuning"):
    return desk.do(member(desk, team), filed.reference, linking.keep_marks, marks, team=team)


def compare(desk, filed, *marks, team="ondersteuning"):
    return desk.do(member(desk, team), filed.reference, linking.compare, marks, team=team)


# --- off -----------------------------------------------------------------------------------------------------------


def test_without_a_decision_no_key_is_made_and_nothing_compared(desk):
    filed, first = desk.file(THREAT), desk.ready.first("ondersteuning")
    with pytest.raises(NotAllowed, match="koppelen_uit"), desk.instance.sessions.begin() as session:
        linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)
    with pytest.raises(NotAllowed, match="koppelen_uit"):
        compare(desk, filed, HANDLE)


def test_only_a_coordinator_makes_the_key_and_once(desk, allowed):
    for who, reason in ((member(desk), "alleen_coordinator"), (desk.ready.first("juridisch"), None)):
        try:
            with desk.instance.sessions.begin() as session:
                linkkeys.make_link_key(session, desk.instance, who.person, who.root, now=desk.now)
        except NotAllowed as refusal:
            assert refusal.reason == reason
        else:
            assert reason is None
    first = desk.ready.first("ondersteuning")
    with pytest.raises(NotAllowed, match="koppelsleutel_bestaat"), desk.instance.sessions.begin() as session:
        linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)


def test_until_it_is_pinned_the_key_is_not_used(desk, allowed):
    filed, first = desk.file(THREAT), desk.ready.first("ondersteuning")
    with desk.instance.sessions.begin() as session:
        linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)

    with pytest.raises(NotAllowed, match="geen_koppelsleutel"):
        keep(desk, filed, HANDLE)


def test_when_the_decision_ends_nothing_is_compared_any_more(desk, allowed, auditor, ready_to_link):
    filed = desk.file(THREAT)
    keep(desk, filed, HANDLE)
    with desk.instance.sessions.begin() as session:
        linking_decision.end(session, desk.instance, auditor.person, allowed, now=desk.now)

    with pytest.raises(NotAllowed, match="koppelen_uit"):
        compare(desk, filed, HANDLE)


# --- comparing -----------------------------------------------------------------------------------------------------


def test_two_cases_of_one_team_with_the_same_mark_find_each_other(desk, ready_to_link):
    one, two, third = desk.file(THREAT), desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE)
    keep(desk, third, PHONE)

    hits = compare(desk, two, HANDLE)

    with desk.instance.readings() as session:
        ids = {row.reference: row.id for row in session.scalars(select(Case))}
    assert hits.case_ids == {ids[one.reference]}
    assert hits.teams == ()


def test_of_a_case_of_another_team_one_learns_that_team_and_no_more(desk, ready_to_link):
    one, two = desk.file(THREAT), desk.file(LEGAL)
    assert "juridisch" in two.teams
    assert "ondersteuning" not in two.teams
    keep(desk, one, HANDLE)

    hits = compare(desk, two, HANDLE, team="juridisch")

    assert hits.case_ids == frozenset()
    assert hits.teams == ("ondersteuning",)
    assert vars(hits).keys() == {"case_ids", "teams", "left"}


def test_a_case_does_not_find_itself(desk, ready_to_link):
    one = desk.file(THREAT)
    keep(desk, one, HANDLE)

    assert compare(desk, one, HANDLE).case_ids == frozenset()


def test_what_can_be_compared_is_what_the_report_says_of_the_offender_and_of_links(desk):
    filed = desk.file(THREAT | {"links": [{"url": "https://x.com/iemand?s=20"}], "narrative": "Bel 0687654321."})
    view = desk.open(member(desk), filed.reference)

    assert {mark.token for _text, mark in linking.candidates(view.melding)} == {
        "account:boze_burger", "telefoon:+31612345678", "adres:x.com/iemand?s=20",
    }  # fmt: skip


def test_keeping_and_comparing_stand_in_the_trail_and_not_the_mark(desk, ready_to_link):
    one = desk.file(THREAT)
    keep(desk, one, HANDLE)
    compare(desk, one, PHONE)

    view = desk.open(member(desk), one.reference)
    noted = [event for event in view.events if event.action.startswith("kenmerk_")]
    assert [event.action for event in noted] == ["kenmerk_bewaard", "kenmerk_vergeleken"]
    assert all(set(event.document) == {"team", "text", "count"} and event.document["text"] == "" for event in noted)
    shown = desk.reporter(one).view.events
    assert not any(event.action.startswith("kenmerk_") for event in shown)


def test_no_mark_and_no_hash_of_one_stands_open(desk, ready_to_link, tmp_path):
    from weerbaar_meldpunt.store.engine import truncate_wal
    from weerbaar_meldpunt.vault.derive import sha256

    keep(desk, desk.file(THREAT), HANDLE)
    truncate_wal(desk.instance.engine)

    digest = sha256(HANDLE.token.encode())
    for path in desk.instance.settings.instance.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert digest not in content
            assert digest.hex().encode() not in content
            assert b"boze_burger" not in content


# --- terms ---------------------------------------------------------------------------------------------------------


def test_a_mark_is_kept_a_year_and_longer_only_when_it_comes_again(desk, ready_to_link):
    one, two = desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE, PHONE)
    assert {row.expires for row in entries(desk)} == {"2027-11"}

    desk.later(days=100)
    keep(desk, two, HANDLE)

    assert sorted(row.expires for row in entries(desk)) == ["2027-11", "2028-03", "2028-03"]


def test_after_its_month_the_clock_lets_it_go(desk, ready_to_link):
    keep(desk, desk.file(THREAT), HANDLE)

    def expire(moment):
        with desk.instance.sessions.begin() as session:
            return linking.expire(session, desk.instance, now=moment)

    assert expire(desk.now.replace(year=2027, month=11, day=29)) == 0
    assert expire(desk.now.replace(year=2027, month=12, day=2)) == 1
    assert entries(desk) == []
    with desk.instance.readings() as session:
        assert session.scalars(select(LinkFold)).all() == []
        assert verify(session, desk.instance).wrong == 0


def test_a_clock_that_may_not_delete_keeps_it(desk, ready_to_link):
    from weerbaar_meldpunt.jobs.clock import Clock

    keep(desk, desk.file(THREAT), HANDLE)
    clock = Clock(desk.instance, moment=lambda: desk.now, wall=lambda: desk.now, running=lambda: 0.0)
    clock.keep_terms()
    desk.later(days=800)
    clock.keep_terms()

    assert len(entries(desk)) == 1


def test_a_case_that_was_no_incident_keeps_no_marks(desk, ready_to_link):
    from weerbaar_meldpunt.actions import closing

    filed = desk.file(THREAT)
    keep(desk, filed, HANDLE)
    desk.finish(member(desk), filed.reference, "geen_incident")
    desk.do(desk.ready.first("ondersteuning"), filed.reference, closing.confirm_close)

    assert entries(desk) == []
    with pytest.raises(NotAllowed, match="geen_kenmerk"):
        keep(desk, filed, HANDLE)


def test_an_erased_case_takes_its_marks_along(desk, ready_to_link):
    one, two = desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE)
    keep(desk, two, HANDLE)
    with desk.instance.sessions.begin() as session:
        which = session.scalars(select(Case.id).where(Case.reference == one.reference)).one()
        erase_case(session, desk.instance, which, Word("termijn"), now=desk.now)

    assert len(entries(desk)) == 1
    assert compare(desk, desk.file(THREAT), HANDLE).case_ids
    with desk.instance.readings() as session:
        assert verify(session, desk.instance).wrong == 0


def test_a_team_can_let_them_go(desk, ready_to_link):
    filed = desk.file(THREAT)
    keep(desk, filed, HANDLE, PHONE)

    assert desk.do(member(desk), filed.reference, linking.drop_marks) == 2
    assert entries(desk) == []


# --- attacks -------------------------------------------------------------------------------------------------------


def test_a_planted_entry_is_no_hit(desk, ready_to_link):
    """Whoever writes the database seals a guess to the LINK key, to learn from a hit what others look for."""
    from weerbaar_meldpunt.vault.derive import new_id, new_key, sha256
    from weerbaar_meldpunt.vault.seal import Binding, SealKey, seal_json
    from weerbaar_meldpunt.vault.wrap import wrap

    victim, other = desk.file(THREAT), desk.file(THREAT)
    entry, secret = new_id(), new_key()
    with desk.instance.sessions.begin() as session:
        which = session.scalars(select(Case.id).where(Case.reference == victim.reference)).one()
        session.add(
            LinkEntry(
                id=entry, case_id=which, expires="2027-11", recipient=ready_to_link.key_id,
                sealed=seal_json(
                    SealKey(secret), {"token": sha256(HANDLE.token.encode()).hex(), "team": "ondersteuning"},
                    Binding("link", None, entry, 0),
                ),
                wrapped=wrap(ready_to_link, secret, Grant("entry", entry)),
            )
        )  # fmt: skip

    assert compare(desk, other, HANDLE).case_ids == frozenset()


def test_an_entry_that_was_moved_to_another_case_is_no_hit(desk, ready_to_link):
    one, victim, third = desk.file(THREAT), desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE)
    with desk.instance.sessions.begin() as session:
        which = session.scalars(select(Case.id).where(Case.reference == victim.reference)).one()
        session.execute(update(LinkEntry).values(case_id=which))

    assert compare(desk, third, HANDLE).case_ids == frozenset()


def test_a_link_secret_that_was_planted_for_a_team_is_not_believed(desk, ready_to_link):
    from weerbaar_meldpunt.vault.wrap import wrap

    planted = TeamKeys("", 1, b"p" * 32, "link")
    with desk.instance.sessions.begin() as session:
        team = desk.instance.sealing_keys(session, "team", ("ondersteuning",))["ondersteuning"]
        row = session.get(LinkGrant, (1, team.key_id))
        row.wrapped = wrap(team, planted.secret, Grant("link_grant", "link", None, 1, row.grantor))

    with pytest.raises(NotAllowed, match="geen_koppelsleutel"):
        keep(desk, desk.file(THREAT), HANDLE)


def test_without_the_key_a_database_tells_nothing_of_a_mark(desk, ready_to_link):
    keep(desk, desk.file(THREAT), HANDLE)
    [entry] = entries(desk)
    for members in desk.ready.members.values():
        pair = members[0].person.pair
        with pytest.raises(Onleesbaar):
            unwrap(pair, entry.wrapped, Grant("entry", entry.id))


# --- a new key of a team -------------------------------------------------------------------------------------------


def test_a_new_key_of_a_team_brings_a_new_link_key_that_a_leaver_does_not_get(desk, ready_to_link):
    one = desk.file(THREAT)
    keep(desk, one, HANDLE)
    first, leaver = desk.ready.first("ondersteuning"), member(desk)
    old = {keys.epoch: keys for keys in leaver.person.teams["ondersteuning"]}
    with desk.instance.sessions.begin() as session:
        team_key = epochs.new_epoch(
            session, desk.instance, first.person, first.root, "ondersteuning", without=(leaver.user_id,), now=desk.now
        )  # fmt: skip
    with desk.instance.readings() as session:
        row = session.get(TeamEpoch, ("link", "", 2))
        from weerbaar_meldpunt.vault.wrap import PublicKey

        link_key = PublicKey("link", "", 2, row.public_key)
        recipients = set(session.scalars(select(LinkGrant.recipient).where(LinkGrant.epoch == 2)))
        living = set(session.scalars(select(LinkGrant.recipient).where(LinkGrant.epoch == 1)))
    assert len(recipients) == len(TEAMS)
    assert team_key.key_id in recipients & living
    assert not recipients & {keys.pair.public.key_id for keys in old.values()}

    pins = desk.instance.pins().with_sealing(team_key).with_sealing(link_key)
    desk.instance.write_pins(pins)
    desk.ready.people.adopt(first)
    two = desk.file(THREAT)
    assert desk.do(first, two.reference, linking.keep_marks, [HANDLE]) == 1
    hits = desk.do(first, two.reference, linking.compare, [HANDLE])
    assert len(hits.case_ids) == 1  # the older entry, under the LINK key before, is found still
    newest = [row for row in entries(desk) if row.recipient == link_key.key_id]
    assert len(newest) == 1
    for keys in old.values():  # all that the leaver can unwrap with what they took along
        with desk.instance.readings() as session:
            for grant in session.scalars(select(LinkGrant).where(LinkGrant.recipient == keys.pair.public.key_id)):
                secret = unwrap(keys.pair, grant.wrapped, Grant("link_grant", "link", None, grant.epoch, grant.grantor))
                theirs = TeamKeys("", grant.epoch, secret, "link")
                assert grant.epoch == 1
                with pytest.raises(Onleesbaar):
                    unwrap(theirs.pair, newest[0].wrapped, Grant("entry", newest[0].id))


def test_a_new_team_key_by_somebody_without_the_link_key_is_an_alarm(desk, ready_to_link):
    first = desk.ready.first("ondersteuning")
    held = [keys.pair.public.key_id for keys in first.person.teams["ondersteuning"]]
    with desk.instance.sessions.begin() as session:
        session.execute(delete(LinkGrant).where(LinkGrant.recipient.in_(held)))

    with desk.instance.sessions.begin() as session:
        epochs.new_epoch(session, desk.instance, first.person, first.root, "ondersteuning", now=desk.now)

    with desk.instance.readings() as session:
        assert session.get(TeamEpoch, ("link", "", 2)) is None
        standing = session.scalars(select(Alarm.kind).where(Alarm.ended_at.is_(None))).all()
    assert "koppelsleutel_niet_vernieuwd" in standing


def test_a_next_link_key_that_was_never_pinned_gives_way(desk, ready_to_link):
    first = desk.ready.first("ondersteuning")

    def renew(**more):
        with desk.instance.sessions.begin() as session:
            return epochs.new_epoch(
                session, desk.instance, first.person, first.root, "ondersteuning", now=desk.now, **more
            )

    made = renew()
    renew(replaces=made.fingerprint)

    with desk.instance.readings() as session:
        assert session.scalars(select(TeamEpoch.epoch).where(TeamEpoch.kind == "link")).all() == [1, 2]
        assert verify(session, desk.instance).wrong == 0


def test_comparing_costs_no_public_key_operation_once_entries_are_folded(desk, ready_to_link, monkeypatch):
    one, two = desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE, PHONE)
    calls = []
    monkeypatch.setattr(linking, "unwrap", lambda *args: calls.append(args))

    assert len(compare(desk, two, PHONE).case_ids) == 1
    assert calls == []


def test_the_first_who_meets_an_entry_folds_it(desk, ready_to_link):
    one, two = desk.file(THREAT), desk.file(THREAT)
    keep(desk, one, HANDLE)
    with desk.instance.sessions.begin() as session:
        session.query(LinkFold).delete()

    assert len(compare(desk, two, HANDLE).case_ids) == 1
    with desk.instance.readings() as session:
        assert len(session.scalars(select(LinkFold)).all()) == 1
        assert session.scalars(select(Leaf.action).where(Leaf.action == "kenmerk_vergeleken")).all()


def test_a_comparison_needs_marks(desk, ready_to_link):
    filed = desk.file(THREAT)
    with pytest.raises(NotAllowed, match="geen_kenmerk"):
        compare(desk, filed)
    desk.do(member(desk), filed.reference, work.take)
