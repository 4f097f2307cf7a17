"""A team's key goes to the key that was compared, and only what may follow a pinned key is offered for pinning."""

from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from weerbaar_meldpunt.actions import teamkeys
from weerbaar_meldpunt.actions.instance import create_instance, open_instance
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.cli import main
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.keys import TeamKeys
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


def write(instance, keys, signature=None, holder=None):
    """As the program itself writes one: with a leaf in the trail, and given to a member."""
    with instance.sessions.begin() as session:
        ledger = Ledger(session, instance, now=NOON)
        ledger.add(
            TeamEpoch, kind="team", team=TEAM, epoch=keys.epoch, public_key=keys.pair.public.raw, signature=signature,
            made_at=NOON,
        )  # fmt: skip
        if holder is not None:
            teamkeys.grant(ledger, keys, holder.user_id, holder.person.pair.public, holder.user_id)
        ledger.close(bytes(16), "nieuwe_sleutel", keys.pair.public.key_id)


def offered(instance):
    with instance.readings() as session:
        return [(key.owner, key.epoch) for key in teamkeys.unpinned_keys(session, instance)]


def test_an_epoch_that_the_one_before_did_not_sign_is_not_offered(instance, people, founder):
    write(instance, PLANTED)

    assert offered(instance) == []


def test_an_epoch_signed_by_another_key_is_not_offered(instance, people, founder):
    public = PLANTED.pair.public
    write(instance, PLANTED, sign(PLANTED.sign_seed, epoch_statement("team", TEAM, 2, public.fingerprint)))

    assert offered(instance) == []


def test_an_epoch_that_the_pinned_one_signed_is_offered(instance, people, founder):
    write(instance, PLANTED, signed_by(founder))

    assert offered(instance) == [(TEAM, 2)]


def test_an_epoch_that_a_holder_signed_and_the_program_did_not_write_is_not_offered(instance, people, founder):
    plant(instance, PLANTED, signed_by(founder))

    assert offered(instance) == []


def signed_by(founder):
    statement = epoch_statement("team", TEAM, 2, PLANTED.pair.public.fingerprint)
    return sign(founder.person.teams[TEAM][-1].sign_seed, statement)


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


def test_a_signed_epoch_that_was_given_to_nobody_is_not_pinned(pin, instance, founder):
    write(instance, PLANTED, signed_by(founder))

    result = pin(instance.settings.instance, given="y\n")

    assert "nothing was pinned" in result.stderr
    assert instance.pins().sealing("team", TEAM).epoch == 1


def test_a_signed_epoch_is_pinned_after_a_yes_and_seals_from_then_on(pin, instance, founder):
    write(instance, PLANTED, signed_by(founder), holder=founder)

    pin(instance.settings.instance, given="y\n")

    assert open_instance(instance.settings).pins().sealing("team", TEAM).epoch == 2
