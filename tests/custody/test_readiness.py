"""Which teams may get cases: a pinned key, two members who hold it, and custodians who could bring it back."""

import pytest
from sqlalchemy import delete, update

from weerbaar_meldpunt.actions import custody_check
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions.errors import NotReady
from weerbaar_meldpunt.actions.instance import readiness, team_states
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.custody import RecoveryGrant
from weerbaar_meldpunt.store.people import TeamGrant, User

BOTH = {"target": {"role": "burgemeester", "organisation": "GM0363"}, "legal": {"kind": "kort_geding"},
        "incident": {"kinds": ["doxing"]}}  # fmt: skip


def without(ready, team, what):
    with ready.instance.sessions.begin() as session:
        if what == "recovery":
            session.execute(delete(RecoveryGrant).where(RecoveryGrant.team == team))
        elif what == "grant":
            session.execute(
                delete(TeamGrant).where(TeamGrant.team == team, TeamGrant.member_id == ready.second(team).user_id)
            )
        else:
            session.execute(update(User).where(User.id == ready.second(team).user_id).values(state=accounts.DISABLED))


def marks(ready, filed):
    from weerbaar_meldpunt.actions import opening

    coordinator = ready.first("ondersteuning")
    with ready.instance.sessions.begin() as session:
        seen = opening.note_opening(
            session, ready.instance, coordinator.person, filed.reference, now=ready.people.now, team="ondersteuning"
        )
    with ready.instance.readings() as session:
        return opening.open_case(session, ready.instance, coordinator.person, seen).marks


def test_a_desk_that_is_complete_is_ready(ready):
    with ready.instance.readings() as session:
        assert readiness(session, ready.instance, TEAMS) == dict.fromkeys(TEAMS, True)
        assert custody_check.not_yet(session, ready.instance) == ""
        assert [found for found in custody_check.findings(session, ready.instance) if not found[1]] == []


@pytest.mark.parametrize("what", ["recovery", "grant", "member"])
def test_a_team_that_could_lose_its_cases_gets_none_and_ondersteuning_is_told(ready, file, what, alarms, clock):
    before = file(BOTH)
    assert "juridisch" in before.teams
    without(ready, "juridisch", what)

    filed = file(BOTH)

    assert "juridisch" not in filed.teams
    assert "ondersteuning" in filed.teams
    assert "team_niet_gereed_juridisch" in marks(ready, filed)
    with ready.instance.sessions.begin() as session:
        custody_check.watch(session, ready.instance, now=clock.now)
        wrong = [what for what, fine, _ in custody_check.findings(session, ready.instance) if not fine]
    assert wrong == ["readiness of juridisch"]
    assert ("team_niet_gereed", "juridisch") in alarms()


@pytest.mark.parametrize("what", ["recovery", "grant", "member"])
def test_as_long_as_a_new_desk_is_not_complete_nobody_files(ready, file, client, what):
    without(ready, "ondersteuning", what)

    with pytest.raises(NotReady):
        file(BOTH)
    page = client.get("/melden/soort")
    assert page.status_code == 503
    assert "Melden op deze website kan nog niet" in page.get_data(as_text=True)


def test_a_desk_in_use_sends_nobody_away_because_a_colleague_left(ready, file, client):
    file(BOTH)
    without(ready, "ondersteuning", "member")

    filed = file(BOTH)

    assert "ondersteuning" in filed.teams
    assert client.get("/melden/soort").status_code == 200
    with ready.instance.readings() as session:
        assert not team_states(session, ready.instance, ("ondersteuning",))["ondersteuning"].ready
        assert "readiness of ondersteuning" in {
            what for what, fine, _ in custody_check.findings(session, ready.instance) if not fine
        }


@pytest.mark.parametrize("what", ["recovery"])
def test_but_never_to_a_key_that_nobody_could_bring_back(ready, file, what):
    file(BOTH)
    without(ready, "ondersteuning", what)

    with pytest.raises(NotReady):
        file(BOTH)


def test_what_readiness_costs_does_not_grow(ready, file):
    from sqlalchemy import event

    statements = []

    def executed(_connection, _cursor, statement, *_):
        statements.append(statement)

    with ready.instance.readings() as session:
        readiness(session, ready.instance, TEAMS)
        event.listen(ready.instance.engine, "before_cursor_execute", executed)
        readiness(session, ready.instance, TEAMS)
        event.remove(ready.instance.engine, "before_cursor_execute", executed)
    assert len([one for one in statements if one.startswith("SELECT")]) == 1
