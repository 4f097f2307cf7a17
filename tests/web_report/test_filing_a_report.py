"""The report from the first words to the receipt, and back with the code."""


def test_after_one_page_a_report_can_be_sent(visitor, cases):
    visitor.open("/melden/soort").send({"incident.kinds": ["bedreiging_intimidatie"]}, press="nakijken")
    visitor.send(action="/melden/nakijken")

    assert visitor.heading == "Uw melding is binnen."
    assert len(cases) == 1
