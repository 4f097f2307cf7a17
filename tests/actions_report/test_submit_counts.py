"""What filing costs: the same few statements, one durable commit and as many wraps as there are recipients, always."""

import re

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.store.cases import Case

# By kind of report: the document, and its wraps. A team gets one for each of its compartments, a reader two, and a key
# pair is made for each reader. What cannot wait stands on the emergency list too: one a team and one for RECOVERY.
FORMS = {
    "one that can wait": (
        {"incident": {"kinds": ["verbale_agressie"]}, "target": {"role": "raadslid"}, "preventive": True},
        3 + 2,
        1,
    ),
    "one team": ({"incident": {"kinds": ["doxing"]}, "target": {"role": "raadslid"}}, 3 + 2 + (1 + 1), 1),
    "three teams, by a proxy": (
        {
            "incident": {"kinds": ["stalking"], "concrete_threat": True},
            "target": {"role": "burgemeester", "organisation": "GM0363"},
            "legal": {"kind": "kort_geding"},
            "reporter": {"relation": "griffier", "consent": "ja"},
        },
        3 + 3 + 2 + 2 + 2 + (3 + 1),
        2,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_filing_takes_at_most_sixteen_statements_and_one_wrap_a_recipient_and_compartment(
    ready, file, counting, upload, form
):  # fmt: skip
    document, wraps, pairs = FORMS[form]
    file(document)

    with counting() as counts:
        file(document, files=[upload(), upload()])

    assert len(counts.statements) <= 16, counts.statements
    assert counts.commits == 1
    assert counts.wraps == wraps
    assert counts.pairs == pairs


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_filing_costs_the_same_at_ten_and_at_a_thousand_cases(ready, file, counting, many, clock, form):
    document, _, _ = FORMS[form]
    found = []
    for number in (10, 990):
        many(number, document, clock.now)
        with counting() as counts:
            file(document)
        found.append((counts.statements, counts.commits, counts.wraps, counts.pairs))

    assert [len(statements) for statements, *_ in found] == [len(found[0][0])] * 2
    assert found[0][1:] == found[1][1:]
    with ready.instance.readings() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1002


def test_no_statement_of_filing_walks_through_a_table_that_grows(ready, file, counting):
    document, _, _ = FORMS["three teams, by a proxy"]
    file(document)
    with counting() as counts:
        file(document)

    with ready.instance.engine.connect() as connection:
        for statement in counts.statements:
            if not statement.startswith("SELECT"):
                continue
            plain = re.sub(r"\?", "NULL", statement)
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {plain}")]
            scans = {line for line in plan if line.startswith("SCAN") and "USING" not in line}
            # The trail is entered at its newest leaf and left there: ordered by its key, one row.
            newest = {"SCAN audit"} if "ORDER BY audit.seq DESC" in plain and "LIMIT" in plain else set()
            others = {line for line in scans - newest if line != "SCAN CONSTANT ROW" and "anon" not in line}
            assert not others, (statement, plan)
            assert not any("TEMP B-TREE" in line for line in plan), (statement, plan)
