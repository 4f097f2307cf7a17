"""The moves of a track, as the vocabulary has them."""

from itertools import product

import pytest

from weerbaar_meldpunt.rules import moves
from weerbaar_meldpunt.rules.vocabulary import OUTCOMES, TEAMS, TRACK_STATES, URGENCIES

OPEN = ("nieuw", "in_behandeling", "wacht_op_melder", "wacht_op_derde")
WAITING = ("wacht_op_melder", "wacht_op_derde")

# from, to, who: the table of the vocabulary, written out once more by hand.
ALLOWED = {
    ("nieuw", "in_behandeling"): "team",
    ("in_behandeling", "wacht_op_melder"): "owner",
    ("in_behandeling", "wacht_op_derde"): "owner",
    ("wacht_op_melder", "wacht_op_melder"): "owner",
    ("wacht_op_melder", "wacht_op_derde"): "owner",
    ("wacht_op_derde", "wacht_op_melder"): "owner",
    ("wacht_op_derde", "wacht_op_derde"): "owner",
    ("wacht_op_melder", "in_behandeling"): "owner",
    ("wacht_op_derde", "in_behandeling"): "owner",
    ("in_behandeling", "afgerond"): "owner",
    ("wacht_op_melder", "afgerond"): "owner",
    ("wacht_op_derde", "afgerond"): "owner",
    ("afgerond", "in_behandeling"): "team",
}


@pytest.mark.parametrize(("state", "to"), list(product(TRACK_STATES, TRACK_STATES)))
def test_a_track_moves_as_the_vocabulary_says_and_no_other_way(state, to):
    def may(**who):
        people = {"is_owner": False, "is_coordinator": False, "is_team_member": False} | who
        return moves.may_move(state, to, **people)

    who = ALLOWED.get((state, to))

    assert may(is_owner=True) is (who is not None)
    assert may(is_coordinator=True) is (who is not None)
    assert may(is_team_member=True) is (who == "team")
    assert may() is False


def test_a_page_offers_every_other_state_that_can_be_reached():
    assert moves.moves_from("nieuw") == ("in_behandeling",)
    assert set(moves.moves_from("in_behandeling")) == {*WAITING, "afgerond"}
    assert set(moves.moves_from("wacht_op_melder")) == {"wacht_op_derde", "in_behandeling", "afgerond"}
    assert moves.moves_from("afgerond") == ("in_behandeling",)


def test_an_unknown_state_leads_nowhere():
    assert moves.moves_from("zoek") == ()
    assert not moves.may_move("nieuw", "zoek", is_owner=True, is_coordinator=True, is_team_member=True)


@pytest.mark.parametrize("team", TEAMS)
def test_a_second_person_confirms_no_incident_refused_measures_and_everything_acute(team):
    alone = {"geen_incident", "geen_aanspraak_alternatief", "advies_zonder_maatregelen"}

    for outcome, urgency in product(OUTCOMES[team], URGENCIES):
        expected = urgency == "acuut" or outcome in alone
        assert moves.needs_second_person(outcome=outcome, urgency=urgency) is expected, (outcome, urgency)


def test_waiting_has_an_end():
    assert 31 <= moves.longest_wait().days <= 366


def test_a_table_with_a_state_that_is_never_left_is_refused():
    from pydantic import ValidationError

    from weerbaar_meldpunt.rules.data import read_policy

    good = read_policy(moves.MovesFile, "moves.toml").model_dump()
    for missing in ("nieuw", "afgerond"):
        rows = tuple(row for row in good["move"] if missing not in row["come_from"])
        with pytest.raises(ValidationError, match="never be left"):
            moves.MovesFile.model_validate(good | {"move": rows})
