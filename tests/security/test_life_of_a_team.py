"""T12, told as one life: a team is founded, forgets, is left, grows, gives a case away and gets it back, and is lost.

After each chapter every document that was ever filed still opens for those who may, and nothing opens for those who may
not: looked up with the keys somebody holds, without any page in between.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from tests.actions_work.conftest import Desk, desk
from tests.membership.conftest import Life
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import recovering, rewrap, transfer, work
from weerbaar_meldpunt.actions.errors import NotYours, Onleesbaar
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.cases import CaseGrant
from weerbaar_meldpunt.store.people import Role, TeamGrant
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, unwrap

__all__ = ["desk"]

OT, BVM = "ondersteuning", "beveiliging"
SAID = {"reason": "Zij weten hier meer van.", "words": "Uw melding ligt nu bij een ander team."}


@dataclass
class Chapters:
    """The people of the story, and the promise that is looked at after each chapter."""

    desk: Desk
    life: Life
    filed: dict[str, Any] = field(default_factory=dict)  # by its words, the report

    def file(self, words: str) -> Any:
        """Somebody reports; from now on this has to open for whoever may."""
        report = {
            "target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "narrative": words,
            "private": {"home_address": f"Dijk bij {words}"},
        }  # fmt: skip
        self.filed[words] = self.desk.file(report)
        return self.filed[words]

    def reads_all(self, *members: Any) -> None:
        """Every document ever filed opens for these, whole."""
        for member in members:
            for words, filed in self.filed.items():
                view = self.desk.open(member, filed.reference)
                assert (view.report["narrative"], view.gaps) == (words, ()), words

    def reads_nothing(self, *others: Any) -> None:
        """Nobody of these finds any of it."""
        for other in others:
            for words, filed in self.filed.items():
                with pytest.raises((NotYours, Onleesbaar, AssertionError)):
                    self.desk.open(other, filed.reference)
                    pytest.fail(f"opened: {words}")

    def reporters_read_their_own(self) -> None:
        """Whoever filed reads it back with the receipt code."""
        for words, filed in self.filed.items():
            own = self.desk.reporter(filed)
            assert (own.view.report["narrative"], own.view.gaps) == (words, ())

    def comes_back(self, account: Any) -> Any:
        """Somebody forgot password, factor and printed code: switched off, invited anew, a new key pair."""
        instance, life = self.desk.instance, self.life
        with instance.readings() as session:
            rows = session.scalars(select(Role).where(Role.user_id == account.user_id)).all()
        roles = frozenset((row.role, row.team) for row in rows)
        if not life.change(account, None, reason="Wachtwoord, app en code zijn weg."):
            self.confirm(account)
        with instance.sessions.begin() as session:
            token = accounts.invite(
                session, instance, login=account.login, name=f"Terug {account.login[:9]}", roles=roles, by=b"",
                now=life.now,
            )  # fmt: skip
        with instance.sessions.begin() as session:
            user = accounts.open_invitation(session, token, now=life.now)
            enrolment = accounts.enrol(session, instance, user, account.password, now=life.now)
        return life.ready.people._confirmed(account.login, enrolment)

    def confirm(self, account: Any) -> None:
        """A second beheerder agrees that somebody goes, where a team would be left with fewer than two."""
        from weerbaar_meldpunt.actions import leaving

        second = self.life.ready.people.beheerder()
        with self.desk.instance.sessions.begin() as session:
            leaving.confirm_change(session, self.desk.instance, second.person, account.user_id, now=self.life.now)

    def next_key(self, maker: Any, *colleagues: Any) -> None:
        """A member makes the next key after comparing, the console pins it, and every case is wrapped anew."""
        self.life.compare(maker, *colleagues)
        self.life.make_next(maker)
        self.life.pin()
        for member in (maker, *colleagues):
            self.life.arrive(member)
        with self.desk.instance.sessions.begin() as session:
            rewrap.rewrap_batch(session, self.desk.instance, maker.person, OT, now=self.life.now)
        with self.desk.instance.readings() as session:
            assert rewrap.wraps_left(session, self.desk.instance, OT) == 0


def grants_that_open(instance: Any, pairs: list[KeyPair], **about: Any) -> list[str]:
    """What these key pairs unwrap of all wraps that stand in a database, whoever they are said to be for."""
    found = []
    with instance.readings() as session:
        rows = session.scalars(select(CaseGrant)).all()
        members = session.scalars(select(TeamGrant)).all()
    for pair in pairs:
        for row in rows:
            with suppress(Onleesbaar):
                unwrap(pair, row.wrapped, Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor))
                found.append(f"{row.case_id.hex()} {row.compartment}{row.epoch}")
        for held in members:
            with suppress(Onleesbaar):
                unwrap(pair, held.wrapped, Grant("team_grant", held.team, None, held.epoch, held.grantor))
                found.append(f"team {held.team}/{held.epoch}")
    return found


def test_the_life_of_a_team(desk, tmp_path):
    story = Chapters(desk, Life(desk.ready, desk.ready.people.now))
    instance, life = desk.instance, story.life
    elsewhere = desk.ready.first(BVM)

    # Three founded it.
    anna, bas = desk.ready.members[OT]
    chris = life.third()
    story.file("eerste melding")
    story.reads_all(anna, bas, chris)
    story.reads_nothing(elsewhere)

    # One forgets everything, and comes back through a colleague.
    forgot = bas.person
    bas = story.comes_back(bas)
    assert bas.person.teams == {}
    story.reads_nothing(bas)
    desk.ready.people.admit(chris, bas, OT)  # who compares is not who approves
    story.reads_all(anna, bas, chris)
    assert grants_that_open(instance, [forgot.pair]) == []  # the keys of before are no way in any more

    # One leaves with an old copy of everything: the folder of that day, and every key held on it.
    shutil.copytree(instance.settings.instance, tmp_path / "copy")
    kept = [chris.person.pair, *(keys.pair for keys in chris.person.teams[OT])]
    life.change(chris, None)
    story.next_key(anna, bas)
    story.file("melding na het vertrek")
    story.reads_all(anna, bas)
    copy = open_instance(load_settings(tmp_path / "copy"))
    assert any("A0" in opened for opened in grants_that_open(copy, kept))  # what could be opened before stays known
    copy.engine.dispose()
    assert grants_that_open(instance, kept) == []

    # One is new.
    dana = life.ready.people.member(OT)
    story.reads_nothing(dana)
    desk.ready.people.admit(bas, dana, OT)
    story.reads_all(anna, bas, dana)

    # A case moves to another team and back.
    moved = story.filed["eerste melding"]
    desk.do(anna, moved.reference, work.take)
    desk.do(anna, moved.reference, transfer.transfer, BVM, **SAID)
    with pytest.raises(NotYours):
        desk.open(dana, moved.reference, team=OT)
    view = desk.open(elsewhere, moved.reference)
    assert (view.report["narrative"], view.gaps) == ("eerste melding", ())
    desk.do(elsewhere, moved.reference, work.add_note, "Bij ons bekeken.")
    desk.do(elsewhere, moved.reference, work.take)
    held_elsewhere = [keys.pair for keys in elsewhere.person.teams[BVM]]
    desk.do(elsewhere, moved.reference, transfer.transfer, OT, **SAID)
    assert grants_that_open(instance, held_elsewhere) == []
    with pytest.raises(NotYours):
        desk.open(elsewhere, moved.reference, team=BVM)
    back = desk.open(dana, moved.reference)
    assert [note.text for note in back.notes] == ["Bij ons bekeken."]
    story.reads_all(anna, bas, dana)
    story.reporters_read_their_own()

    # All forget everything, and the custodians bring them back.
    lost = [member.person for member in (anna, bas, dana)]
    anna, bas, dana = (story.comes_back(member) for member in (anna, bas, dana))
    story.reads_nothing(anna, bas, dana)
    story.reporters_read_their_own()  # the reporter does not depend on the team
    with instance.readings() as session:
        circle = recovering.circle_of(session, instance)
    one_alone = {sheet.id: sheet.code for sheet in desk.ready.custody.sheets[:1]}
    with pytest.raises(recovering.RecoveryRefused):
        recovering.open_recovery(circle, one_alone)
    two = recovering.open_recovery(circle, {sheet.id: sheet.code for sheet in desk.ready.custody.sheets[1:]})
    with instance.readings() as session:
        found = next(ring for ring in recovering.find_rings(session, instance, two) if ring.group == OT)
    compared = {member.user_id: member.person.pair.public.fingerprint for member in (anna, bas, dana)}
    with instance.sessions.begin() as session:
        key = recovering.restore_group(session, instance, found, compared, now=life.now)
    instance.write_pins(instance.pins().with_sealing(key))
    with instance.sessions.begin() as session:
        recovering.finish(session, instance, [OT], now=life.now)
    for member in (anna, bas, dana):
        desk.ready.people.adopt(member)
    story.file("melding na het herstel")

    story.reads_all(anna, bas, dana)
    story.reporters_read_their_own()
    story.reads_nothing(elsewhere)
    assert grants_that_open(instance, [*kept, *(person.pair for person in lost)]) == []
