"""Without the consent of the official every step to others waits, and the mark says so."""

import itertools

import pytest

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.facts import consent_missing

OTHERS = [relation for relation in codes.RELATIONS if relation != "zelf"]


@pytest.mark.parametrize(
    ("relation", "consent"),
    [
        *itertools.product(codes.RELATIONS, ["nee", "nog_te_vragen"]),
        *((relation, "nvt") for relation in OTHERS),
    ],
)
def test_consent_that_is_refused_not_asked_or_not_said_on_behalf_of_another_waits(decided, rule_of, relation, consent):
    answer = decided(reporter={"relation": relation, "consent": consent}, incident={"kinds": ["fysiek"]})

    assert answer.marks == ("wacht_op_toestemming",)
    assert "C1" in [reason.rule for reason in answer.reasons]


@pytest.mark.parametrize(
    ("relation", "consent"), [*itertools.product(codes.RELATIONS, ["ja", "mondeling"]), ("zelf", "nvt")]
)
def test_consent_that_was_given_waits_for_nothing(decided, relation, consent):
    assert decided(reporter={"relation": relation, "consent": consent}, incident={"kinds": ["fysiek"]}).marks == ()


def test_who_says_nothing_reports_for_themselves(read):
    assert not consent_missing(read())


def test_consent_changes_nothing_but_the_mark(decided):
    parts = {"incident": {"kinds": ["omkoping"], "weapon": True}, "legal": {"act_before": "2026-11-24"}}

    with_consent = decided(**parts, reporter={"relation": "griffier", "consent": "ja"}).as_document()
    without = decided(**parts, reporter={"relation": "griffier", "consent": "nee"}).as_document()

    assert without.pop("marks") == ["wacht_op_toestemming"] and with_consent.pop("marks") == []
    without["reasons"] = [reason for reason in without["reasons"] if reason["rule"] != "C1"]
    assert without == with_consent
