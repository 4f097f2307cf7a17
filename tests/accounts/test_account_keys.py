"""A team's key goes to the key that was compared, and only what may follow a pinned key is offered for pinning."""

from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from weerbaar_meldpunt.actions import teamkeys
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.instance import create_instance, open_instance
from weerbaar_meldpunt.cli import main
from weerbaar_meldpunt.store.people import TeamEpoch, User
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.wrap import epoch_statement, sign

TEAM = "ondersteuning"
NOON = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
PLANTED = TeamKeys(TEAM, 2, b"\x09" * 32)


@pytest.fixture
def founder(people: Any) -> Any:
    first = people.member(TEAM)
    people.found(first, TEAM)
    return first


def plant(instance, keys, signature=None):
    with instance.sessions.begin() as session:
        session.add(
            TeamEpoch(
                kind="team", team=TEAM, epoch=keys.epoch, public_key=keys.pair.public.raw, signature=signature,
                made_at=NOON,
            )
        )  # fmt: skip


def offered(instance):
    with instance.readings() as session:
        return [(key.owner, key.epoch) for key in teamkeys.unpinned_keys(session, instance)]


def replace_key(instance, user_id, pair):
    with instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == user_id).values(public_key=pair.public.raw))


def test_a_key_that_was_swapped_after_the_comparison_gets_nothing(instance, people, founder):
    new = people.member(TEAM)
    compared = new.person.pair.public.fingerprint
    replace_key(instance, new.user_id, user_key_pair(b"\x07" * 32, new.user_id, 1))

    with pytest.raises(NotAllowed, match="sleutel_veranderd"), instance.sessions.begin() as session:
        teamkeys.admit(session, instance, founder.person, new.user_id, TEAM, fingerprint=compared, now=people.now)

    assert new.person.grants == ()


def test_an_epoch_that_the_one_before_did_not_sign_is_not_offered(instance, people, founder):
    plant(instance, PLANTED)

    assert offered(instance) == []


def test_an_epoch_signed_by_another_key_is_not_offered(instance, people, founder):
    public = PLANTED.pair.public
    plant(instance, PLANTED, sign(PLANTED.sign_seed, epoch_statement("team", TEAM, 2, public.fingerprint)))

    assert offered(instance) == []


def test_an_epoch_that_the_pinned_one_signed_is_offered(instance, people, founder):
    before = founder.person.teams[TEAM][-1]
    statement = epoch_statement("team", TEAM, 2, PLANTED.pair.public.fingerprint)

    plant(instance, PLANTED, sign(before.sign_seed, statement))

    assert offered(instance) == [(TEAM, 2)]


def test_a_first_key_that_took_the_place_of_a_pinned_one_is_not_offered(instance, people, founder):
    with instance.sessions.begin() as session:
        session.execute(update(TeamEpoch).values(public_key=TeamKeys(TEAM, 1, b"\x09" * 32).pair.public.raw))

    assert offered(instance) == []


def test_a_row_that_is_no_key_stops_nobody_from_pinning(instance, people, founder):
    other = people.member("juridisch")
    with instance.sessions.begin() as session:
        teamkeys.found_team(session, instance, other.person, other.root, "juridisch", now=people.now)
        session.add(TeamEpoch(kind="team", team="beveiliging", epoch=1, public_key=b"x", made_at=people.now))

    assert offered(instance) == [("juridisch", 1)]


@pytest.fixture
def pin(monkeypatch):
    """Call `meldpunt vault pin` on an instance."""

    def called(where, *words, given=None):
        monkeypatch.setenv("MELDPUNT_INSTANCE", str(where))
        result = CliRunner().invoke(main, ["vault", "pin", *words], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return called


def test_a_real_instance_pins_nothing_without_a_person_who_compared(pin, tmp_path):
    real = create_instance(tmp_path / "real", now=NOON, demonstration=False)
    real.engine.dispose()

    result = pin(real.settings.instance, "--yes")

    assert result.exit_code == 2
    assert "demonstration only" in result.stderr


def test_the_console_does_not_ask_about_a_planted_epoch(pin, instance, founder):
    plant(instance, PLANTED)

    result = pin(instance.settings.instance, given="y\n")

    assert "epoch 2" not in result.stdout
    assert instance.pins().sealing("team", TEAM).epoch == 1


def test_a_signed_epoch_is_pinned_after_a_yes_and_seals_from_then_on(pin, instance, founder):
    statement = epoch_statement("team", TEAM, 2, PLANTED.pair.public.fingerprint)
    plant(instance, PLANTED, sign(founder.person.teams[TEAM][-1].sign_seed, statement))

    pin(instance.settings.instance, given="y\n")

    assert open_instance(instance.settings).pins().sealing("team", TEAM).epoch == 2
