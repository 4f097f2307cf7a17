"""The page of a case."""


def test_a_case_opens(member, threat):
    page = member.get(f"/zaak/{threat.reference}")

    assert page.status == 200
    assert "Bel de melder" in page.text
