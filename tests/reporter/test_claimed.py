"""T12 (claim, mandate withdrawn): a report is taken over once; a proxy sees from then on what the official chose."""

import threading

import pytest

from weerbaar_meldpunt.actions import claims, mandate, reader, work
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar
from weerbaar_meldpunt.actions.filing import file_report, filed_before
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.store.audit import Tombstone
from weerbaar_meldpunt.store.cases import Case, CaseEpoch, CaseGrant, Claim, Reader
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.derive import new_id, new_key, random_bytes
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys, split
from weerbaar_meldpunt.vault.seal import Binding, seal_json

from .conftest import CHOICES, PROXY_REPORT, keys_in, opens


def refused(call, *args, **more):
    with pytest.raises(NotAllowed) as refusal:
        call(*args, **more)
    return refusal.value.reason


def test_before_it_is_taken_over_the_code_shows_the_whole_report_and_who_looks_along(desk, by_proxy):
    found = desk.look(by_proxy.claim_code)

    assert found.own.view.report["narrative"] == PROXY_REPORT["narrative"]
    assert (found.has_proxy, found.replaces, found.has_private) == (True, False, True)
    assert found.until == desk.clock.now + claims.LASTS
    assert found.own.view.messages == ()


def test_who_takes_over_reads_everything_that_was_written_before_and_after(desk, by_proxy):
    desk.member(by_proxy.reference, work.write_message, "Wij lezen mee.")

    mine = desk.redeem(by_proxy.claim_code, choice="nee")
    desk.member(by_proxy.reference, work.write_message, "Welkom.")

    own = desk.own(mine)
    assert own.role == "melder"
    assert [message.text for message in own.view.messages] == ["Wij lezen mee.", "Welkom."]
    assert own.view.report["narrative"] == PROXY_REPORT["narrative"]
    assert own.view.gaps == ()
    assert desk.act(mine, lambda held: held.private())["private"]["home_address"] == "Dorpsstraat 1, Ons Dorp"
    assert desk.opened(by_proxy.reference).gaps == ()
    assert desk.opened(by_proxy.reference).events[-2].action in ("overgenomen", "bericht_team", "geopend")


@pytest.mark.parametrize("choice", CHOICES)
def test_the_proxy_sees_from_then_on_what_the_official_chose(desk, by_proxy, choice):
    proxy = desk.keys(by_proxy.receipt_code)
    before, seed = desk.everything(), proxy.seed

    mine = desk.redeem(by_proxy.claim_code, choice=choice)
    desk.member(by_proxy.reference, work.write_message, "Alleen voor wie het mag lezen.")

    case_id = desk.own(mine).case_id
    after = desk.everything()
    opened = opens(keys_in(case_id, [seed], before, after), after)
    message = ("message", after.messages[0].id)
    assert (message in opened) == (choice in ("melding", "alles"))
    assert (("case_doc", "A") in opened) == (choice in ("melding", "alles"))
    if choice in ("melding", "alles"):
        assert desk.own(proxy).role == "gemachtigde"
        assert ("B" in desk.own(proxy).ring.keys) == (choice == "alles")
    else:
        with pytest.raises(NotYours):
            desk.own(proxy)
    with desk.instance.readings() as session:
        assert reader.standing(session, proxy) == {"nee": "overgenomen", "voortgang": "voortgang"}.get(choice, "lezer")
        if choice == "voortgang":
            assert [one.state for one in reader.progress_of(session, desk.instance, proxy)] == ["nieuw"]
        else:
            with pytest.raises(NotYours):
                reader.progress_of(session, desk.instance, proxy)


@pytest.mark.parametrize("choice", CHOICES)
def test_each_side_is_told_who_may_see_what(desk, by_proxy, choice):
    mine = desk.redeem(by_proxy.claim_code, choice=choice)

    own = desk.own(mine)
    with desk.instance.readings() as session:
        shown = mandate.looks_along(session, own.case_id, own.view.melding, key_id=mine.pair(own.case_id).public.key_id)

    assert [(one.role, one.sees, one.me) for one in shown] == [
        ("melder", "alles", True), *([("gemachtigde", choice, False)] if choice != "nee" else [])
    ]  # fmt: skip


def test_a_code_is_good_once(desk, by_proxy):
    desk.redeem(by_proxy.claim_code)

    assert refused(desk.redeem, by_proxy.claim_code) == "code_onbekend"
    assert refused(desk.look, by_proxy.claim_code) == "code_onbekend"
    assert desk.rows(Claim) == []
    assert {row.role for row in desk.rows(Reader)} == {"melder", "overgenomen"}


def test_a_code_is_good_for_thirty_days(desk, by_proxy):
    desk.clock.forward(days=30, seconds=-1)
    desk.look(by_proxy.claim_code)

    desk.clock.forward(seconds=1)

    assert refused(desk.redeem, by_proxy.claim_code) == "code_verlopen"


def test_what_gave_access_is_buried_and_the_claim_stands_in_no_leaf(desk, by_proxy):
    [claim] = desk.rows(Claim)
    stones = len(desk.rows(Tombstone))

    desk.redeem(by_proxy.claim_code, choice="nee")

    # claim, its reader, four grants of claim and proxy, the proxy's reader
    assert len(desk.rows(Tombstone)) - stones == 7
    from weerbaar_meldpunt.store.audit import LeafRow

    assert not [row for row in desk.rows(LeafRow) if row.table == "claim"]
    assert claim.lookup not in {row.row for row in desk.rows(LeafRow)}


def test_new_keys_of_report_and_address_are_made_and_those_of_the_notes_are_not(desk, by_proxy):
    desk.redeem(by_proxy.claim_code, choice="alles")

    assert {(row.compartment, row.epoch) for row in desk.rows(CaseEpoch)} == {("A", 1), ("B", 1)}


def test_the_proxy_is_not_called_any_more_and_their_number_stays_readable(desk, by_proxy):
    mine = desk.redeem(by_proxy.claim_code, choice="nee", contact={"telephone": "06 99998888"})

    melding = desk.own(mine).view.melding
    assert melding["report"]["contact"]["telephone"] == "06 99998888"
    assert melding["report"]["contact"]["name"] is None
    assert melding["history"][0]["before"]["telephone"] == "06 11112222"
    assert "wacht_op_toestemming" not in melding["marks"]
    assert "overgenomen" in melding["marks"]


def test_a_proxy_about_whom_nothing_is_chosen_keeps_the_report_waiting(desk, by_proxy):
    assert refused(desk.redeem, by_proxy.claim_code, choice="") == "meekijken_kiezen"
    assert desk.look(by_proxy.claim_code).has_proxy


def test_two_at_once_with_the_same_code_and_one_wins(desk, by_proxy):
    outcomes, start = [], threading.Barrier(2)

    def take():
        start.wait()
        try:
            outcomes.append(desk.redeem(by_proxy.claim_code, choice="alles"))
        except NotAllowed as refusal:
            outcomes.append(refusal.reason)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    won = [outcome for outcome in outcomes if isinstance(outcome, ReaderKeys)]
    assert len(won) == 1
    assert [outcome for outcome in outcomes if outcome not in won] == ["code_onbekend"]
    assert desk.own(won[0]).role == "melder"
    assert [row.role for row in desk.rows(Reader, role="melder")] == ["melder"]


def test_it_is_taken_over_into_an_account_under_its_next_number(desk, by_proxy, ready, file):
    from weerbaar_meldpunt.actions.account_files import next_reader

    account = ready.people.reporter()
    file({"incident": {"kinds": ["stalking"]}}, account=account.person)
    with ready.instance.readings() as session:
        keys = next_reader(session, ready.instance, account.person.bundle)

    desk.redeem(by_proxy.claim_code, choice="nee", keys=keys)

    with ready.instance.readings() as session:
        cases = reader.own_cases(session, ready.instance, account.person)
    assert {own.view.reference for own in cases} >= {by_proxy.reference}
    assert len(cases) == 2


# --- taking it back --------------------------------------------------------------------------------------------------


def test_a_former_proxy_with_every_old_copy_opens_nothing_written_after_the_withdrawal(desk, by_proxy):
    proxy = desk.keys(by_proxy.receipt_code)
    mine = desk.redeem(by_proxy.claim_code, choice="alles")
    desk.member(by_proxy.reference, work.write_message, "Dit mag de griffier nog lezen.")
    copies = [desk.everything()]

    desk.change(mine, "nee")
    desk.member(by_proxy.reference, work.write_message, "Dit niet meer.")
    with desk.instance.sessions.begin() as session:
        reader.reply(session, desk.instance, reader.own_case(session, desk.instance, mine), "Dank.", now=desk.clock.now)

    case_id = desk.own(mine).case_id
    after = desk.everything()
    keys = keys_in(case_id, [proxy.seed], *copies, after)
    old = {row.id for row in copies[0].messages}
    assert {place for kind, place in opens(keys, after) if kind == "message"} == old
    assert ("case_doc", "A") not in opens(keys, after)
    # And the official, with the same copies, opens all of it.
    assert len(desk.own(mine).view.messages) == 3
    assert all(message.text for message in desk.own(mine).view.messages)


@pytest.mark.parametrize(
    ("first", "then", "allowed"),
    [
        ("alles", "melding", True), ("alles", "voortgang", True), ("alles", "nee", True),
        ("melding", "voortgang", True), ("voortgang", "nee", True), ("voortgang", "alles", False),
        ("melding", "alles", False), ("nee", "voortgang", False),
        ("alles", "alles", False),
    ],
)  # fmt: skip
def test_looking_along_is_only_ever_made_less(desk, by_proxy, first, then, allowed):
    proxy, mine = desk.keys(by_proxy.receipt_code), desk.redeem(by_proxy.claim_code, choice=first)

    if not allowed:
        assert refused(desk.change, mine, then) == "meekijken_niet_ruimer"
        return
    desk.change(mine, then)

    with desk.instance.readings() as session:
        standing = reader.standing(session, proxy)
    assert standing == {"nee": "overgenomen", "voortgang": "voortgang"}.get(then, "lezer")
    assert desk.own(mine).view.gaps == ()
    assert desk.opened(by_proxy.reference).gaps == ()


def test_the_address_is_taken_back_by_itself(desk, by_proxy):
    proxy, mine = desk.keys(by_proxy.receipt_code), desk.redeem(by_proxy.claim_code, choice="alles")
    copy = desk.everything()

    desk.change(mine, "melding")
    from weerbaar_meldpunt.actions import corrections

    desk.act(mine, corrections.correct_private, {"home_address": "Nieuwe weg 2", "family": "", "movements": ""})

    keys = keys_in(desk.own(mine).case_id, [proxy.seed], copy, desk.everything())
    assert opens(keys, desk.everything()) == {("case_doc", "A")}
    assert desk.act(mine, lambda held: held.private())["private"]["home_address"] == "Nieuwe weg 2"


@pytest.mark.parametrize("choice", ["alles", "melding", "voortgang"])
def test_a_proxy_lays_it_down(desk, by_proxy, choice):
    proxy, mine = desk.keys(by_proxy.receipt_code), desk.redeem(by_proxy.claim_code, choice=choice)

    desk.lay_down(proxy)

    with desk.instance.readings() as session:
        assert reader.standing(session, proxy) == "overgenomen"
    assert desk.own(mine).view.gaps == ()
    assert [one.role for one in desk.rows(Reader, role="gemachtigde")] == []


def test_a_proxy_changes_nothing_for_the_official(desk, by_proxy):
    proxy = desk.keys(by_proxy.receipt_code)
    desk.redeem(by_proxy.claim_code, choice="alles")

    for act in (lambda held: mandate.change(held, "nee"), mandate.cancel_claim):
        assert refused(desk.act, proxy, act) == "niet_van_u"


# --- new codes -------------------------------------------------------------------------------------------------------


def test_the_proxy_makes_a_new_code_and_the_old_one_opens_nothing(desk, by_proxy, token):
    form = token()

    fresh = desk.act(desk.keys(by_proxy.receipt_code), claims.new_claim, form)

    assert fresh != by_proxy.claim_code
    assert refused(desk.look, by_proxy.claim_code) == "code_onbekend"
    assert desk.look(fresh).own.view.reference == by_proxy.reference
    assert desk.act(desk.keys(by_proxy.receipt_code), claims.new_claim, form) == fresh  # sent twice
    assert desk.own(desk.redeem(fresh)).role == "melder"


def test_once_taken_over_the_proxy_makes_no_code_any_more(desk, by_proxy, token):
    desk.redeem(by_proxy.claim_code, choice="alles")

    assert refused(desk.act, desk.keys(by_proxy.receipt_code), claims.new_claim, token()) == "al_overgenomen"


def test_a_code_that_is_taken_back_opens_nothing(desk, by_proxy):
    desk.act(desk.keys(by_proxy.receipt_code), mandate.cancel_claim)

    assert refused(desk.redeem, by_proxy.claim_code) == "code_onbekend"


def test_a_member_gives_a_code_to_somebody_they_know_and_the_lost_one_stops(desk, file, token):
    filed = file({"incident": {"kinds": ["stalking"]}, "private": {"home_address": "Kade 3"}})
    lost = desk.keys(filed.receipt_code)

    code = desk.member(
        filed.reference, claims.new_claim_by_team, token(), reason="Ontvangst kwijt.", identity="Paspoort gezien."
    )
    assert desk.own(lost).view.events[-1].action == "overdrachtscode"  # whoever has the old one is told
    found = desk.look(code)
    mine = desk.redeem(code)

    assert (found.has_proxy, found.replaces, found.has_private) == (False, True, True)
    assert desk.act(mine, lambda held: held.private())["private"]["home_address"] == "Kade 3"
    with pytest.raises(NotYours):
        desk.own(lost)
    with desk.instance.readings() as session:
        assert reader.enter(session, desk.instance, filed.receipt_code, now=desk.clock.now) is None


def test_a_code_by_the_team_asks_a_reason_and_how_the_person_was_known(desk, file, token):
    filed = file({})

    for reason, identity in (("", "Gezien."), ("Kwijt.", " ")):
        assert (
            refused(desk.member, filed.reference, claims.new_claim_by_team, token(), reason=reason, identity=identity)
            == "reden_nodig"
        )


def test_a_team_without_the_key_of_the_address_passes_on_the_report_only(desk, file, token):
    filed = file({"legal": {"kind": "slapp"}, "private": {"home_address": "Kade 3"}})
    team = filed.teams[-1]
    assert team == "juridisch"

    code = desk.member(
        filed.reference, claims.new_claim_by_team, token(), reason="Kwijt.", identity="Gezien.", team=team
    )

    assert desk.look(code).has_private is False


def test_a_report_by_telephone_has_no_reader_until_it_is_taken_over(desk, file):
    filed = file({"intake": "telefoon", "narrative": "Aan de lijn verteld."})

    assert filed.receipt_code is None
    assert [row.role for row in desk.rows(Reader)] == ["claim"]
    mine = desk.redeem(filed.claim_code)
    assert desk.own(mine).view.report["narrative"] == "Aan de lijn verteld."


def test_the_same_telephone_report_sent_twice_tells_the_same_code(desk, ready):
    form, now = random_bytes(32).hex(), desk.clock.now
    report = parse_report({"format": 1, "intake": "telefoon"}, now=now)
    for _ in range(2):
        with ready.instance.sessions.begin() as session:
            filed = file_report(session, ready.instance, report, form=form, now=now)

    assert filed.repeated
    assert filed.receipt_code is None
    assert desk.look(filed.claim_code).own.view.reference == filed.reference


def test_a_form_that_is_shown_again_shows_no_code_that_was_used(desk, file):
    form = random_bytes(32).hex()
    filed = file(PROXY_REPORT, form=form)
    desk.redeem(filed.claim_code, choice="alles")

    with desk.instance.readings() as session:
        assert filed_before(session, desk.instance, form=form).claim_code is None


# --- what a writer of the database tries -----------------------------------------------------------------------------


def test_a_planted_claim_opens_nothing(desk, by_proxy):
    case_id, seed, code = desk.rows(Case)[0].id, new_key(), FormKeys(random_bytes(32)).code("claim")
    lookup, key = split(code, desk.instance.id, "claim")
    planted = ReaderKeys(new_id(), seed)
    with desk.instance.sessions.begin() as session:
        sealed = seal_json(key, {"seed": seed.hex(), "case": case_id.hex()}, Binding("claim", None, lookup, 0))
        session.add(Claim(lookup=lookup, sealed=sealed, expires_at=desk.clock.now + claims.LASTS))
        key_id = planted.pair(case_id).public.key_id
        session.add(Reader(lookup=planted.lookup, case_id=case_id, key_id=key_id, role="claim"))
    from weerbaar_meldpunt.vault.codes import shown_code

    with pytest.raises(NotYours):
        desk.redeem(shown_code(code))


def test_a_reader_who_is_put_in_with_a_copied_key_is_refused(desk, by_proxy):
    """Somebody has a case key of the first epoch (a former proxy) and writes it to a reader of their own."""
    from weerbaar_meldpunt.actions.casekeys import grant_to_reader
    from weerbaar_meldpunt.actions.ledger import Ledger

    own = desk.own(desk.keys(by_proxy.receipt_code))
    planted = ReaderKeys(new_id(), new_key())
    with desk.instance.sessions.begin() as session:
        ledger = Ledger(session, desk.instance, now=desk.clock.now)
        key_id = grant_to_reader(ledger, own.ring, planted, ("A", "B")).key_id
        for model, rows in ledger._new.items():
            for values in rows:
                session.add(model(**values))
        session.add(Reader(lookup=planted.lookup, case_id=own.case_id, key_id=key_id, role="melder"))

    with pytest.raises((NotYours, Onleesbaar)):
        desk.act(planted, lambda held: held.melding)
    with pytest.raises(NotYours):
        desk.own(planted)
    # And nothing is ever wrapped to it: the list is the report's own.
    mine = desk.redeem(by_proxy.claim_code, choice="nee")
    assert not [row for row in desk.rows(CaseGrant, recipient=key_id) if row.epoch]
    assert desk.own(mine).role == "melder"


def test_progress_is_shown_to_nobody_whom_the_trail_does_not_know(desk, by_proxy):
    case_id, planted = desk.rows(Case)[0].id, ReaderKeys(new_id(), new_key())
    with desk.instance.sessions.begin() as session:
        key_id = planted.pair(case_id).public.key_id
        session.add(Reader(lookup=planted.lookup, case_id=case_id, key_id=key_id, role="voortgang"))

    with desk.instance.readings() as session, pytest.raises(NotYours):
        reader.progress_of(session, desk.instance, planted)


def test_a_row_that_calls_a_proxy_the_official_gives_nothing(desk, by_proxy):
    proxy = desk.keys(by_proxy.receipt_code)
    desk.redeem(by_proxy.claim_code, choice="alles")
    with desk.instance.sessions.begin() as session:
        session.get_one(Reader, proxy.lookup).role = "melder"

    assert desk.own(proxy).role == "gemachtigde"
    assert refused(desk.act, proxy, mandate.change, "nee") == "niet_van_u"


def test_a_code_is_read_as_people_type_it(desk, by_proxy):
    typed = by_proxy.claim_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert read_code(typed) == read_code(by_proxy.claim_code)
    assert desk.look(typed).has_proxy


def test_a_reader_whose_row_a_restore_emptied_gets_no_later_key(desk, by_proxy):
    proxy = desk.keys(by_proxy.receipt_code)
    mine = desk.redeem(by_proxy.claim_code, choice="alles")
    with desk.instance.sessions.begin() as session:  # as a restore does with a mandate that was withdrawn since
        row = session.get(Reader, proxy.lookup)
        row.case_id = row.key_id = None

    desk.act(mine, mandate.change, "melding")
    desk.member(by_proxy.reference, work.write_message, "Na het terugzetten.")

    own, copy = desk.own(mine), desk.everything()
    assert [message.text for message in own.view.messages] == ["Na het terugzetten."]
    message = ("message", copy.messages[0].id)
    assert message not in opens(keys_in(own.case_id, [proxy.seed], copy), copy)
    assert message in opens(keys_in(own.case_id, [mine.seed], copy), copy)
