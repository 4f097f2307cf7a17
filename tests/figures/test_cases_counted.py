"""From a real case to a number: what workers do with a case is what the close of the month finds, and no more."""

from datetime import UTC, datetime

import pytest

from tests import conftest as house
from weerbaar_meldpunt.actions import closing, editions, figures, work
from weerbaar_meldpunt.actions.demonstration_custody import make_custody
from weerbaar_meldpunt.actions.figure_facts import audited_rows, open_facts

NOW = house.NOON
FACTS = {
    "role": "wethouder", "organisation": "GM0363", "kinds": ["bedreiging_intimidatie"], "channels": ["email"],
    "routes": ["ondersteuning"], "aangifte": "nee", "gender": "vrouw",
}  # fmt: skip


@pytest.fixture
def worker(people):
    """A coordinator of the support team, with a colleague and custodians, so that reports can be filed."""
    make_custody(people.instance, now=NOW)
    first, second = people.member("ondersteuning", coordinator=True), people.member("ondersteuning")
    people.found(first, "ondersteuning")
    people.admit(first, second, "ondersteuning")
    return first.person


@pytest.fixture
def a_case(instance, worker):
    """File a report and answer its reference."""
    from weerbaar_meldpunt.actions.filing import file_report
    from weerbaar_meldpunt.rules.report import parse_report

    def filed():
        document = {
            "format": 1, "target": {"role": "wethouder", "organisation": "GM0363"},
            "incident": {"kinds": ["verbale_agressie"], "channels": ["email"]},
        }  # fmt: skip
        report = parse_report(document, now=NOW, allow_triage=True)
        with instance.sessions.begin() as session:
            return file_report(session, instance, report, now=NOW, form=house.secrets.token_hex(32)).reference

    return filed


@pytest.fixture
def does(instance, worker):
    """Do one act on a case."""

    def done(reference, act, *args, **more):
        with instance.sessions.begin() as session:
            act(work.hold(session, instance, worker, reference, now=NOW), *args, **more)

    return done


def facts_and_leaves(desk):
    with desk.instance.sessions.begin() as session:
        opened = open_facts(session, desk.one.statistics, "2026-11")
        return opened, audited_rows(session, "2026-11")


def test_everything_workers_do_with_a_case_is_counted_as_it_is_audited(desk, a_case, does):
    validated, corrected, closed, reopened, none = (a_case() for _ in range(5))
    for reference in (validated, corrected, closed, reopened, none):
        does(reference, work.take)
        does(reference, closing.validate_facts, FACTS)
    does(corrected, closing.validate_facts, FACTS)  # the same again: nothing new to count
    does(corrected, closing.validate_facts, FACTS | {"aangifte": "ja"})
    does(closed, closing.close, "geholpen", done="", not_done="")
    does(reopened, closing.close, "geholpen", done="", not_done="")
    does(reopened, closing.reopen, "het begon weer")
    does(none, closing.close, "dubbel", done="", not_done="")

    opened, audited = facts_and_leaves(desk)

    assert opened.rows == audited
    assert sum(opened.counts["meldingen"].values()) == 4
    assert {codes[5] for codes, n in opened.counts["meldingen"].items() if n > 0} == {"ja", "nee"}
    assert opened.counts["afgehandeld"] == {("d0_1",): 2}


def test_the_month_of_those_cases_is_closed_and_published(desk, a_case, does):
    for _ in range(5):
        reference = a_case()
        does(reference, work.take)
        does(reference, closing.validate_facts, FACTS)

    desk.all("2026-11")

    with desk.instance.sessions() as session:
        assert figures.next_period(session) == "2026-12"
        [edition] = editions.published_editions(session, desk.instance)
    assert edition.block("T1", "2026-11").value(provincie="NH") == 5
    assert datetime(2026, 12, 1, tzinfo=UTC) > NOW
