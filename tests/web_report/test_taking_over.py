"""The pages of the official and the proxy, without script: taking over, looking along, another code."""

import re

import pytest

from weerbaar_meldpunt.actions import work
from weerbaar_meldpunt.store.cases import Case, Reader

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]{2}")


@pytest.fixture
def griffier(visitor, code_on):
    """A griffier who just filed for a wethouder, with both codes in hand."""
    visitor.open("/melden/wie").send(
        {"reporter.relation": "griffier", "target.role": "wethouder"}, press="verder", has=("_page",)
    )
    visitor.open("/melden/verhaal").send({"narrative": "Zij zetten haar adres online."}, press="verder")
    visitor.open("/melden/adres").send({"private.home_address": "Dorpsstraat 1"}, press="verder")
    visitor.open("/melden/bereiken").send(
        {"contact.telephone": "0611112222", "contact.name": "Griffier Smit"}, press="nakijken", has=("_page",)
    )
    visitor.send(action="/melden/nakijken")
    visitor.code, visitor.claim = code_on(visitor), code_on(visitor, "claim")
    return visitor


@pytest.fixture
def proxy(griffier, visit):
    """The griffier, later, in another browser."""
    other = visit()
    other.open("/terug").send({"code": griffier.code})
    assert other.path == "/mijn-melding"
    return other


@pytest.fixture
def take_over(griffier, visit, code_on):
    """Take the report over with the claim code; answers the official's browser, with the code to come back."""

    def taken(choice="nee", via="/overnemen", **more):
        official = visit()
        official.open(via).send({"code": griffier.claim})
        official.send({"choice": choice, **more}, action="/overnemen/ja")
        official.code = code_on(official)
        return official

    return taken


@pytest.fixture
def member(visit, ready, sign_in):
    browser = visit()
    sign_in(browser.client, ready.second("ondersteuning"))
    return browser


def rows(ready, model):
    from sqlalchemy import select

    with ready.instance.readings() as session:
        return session.scalars(select(model)).all()


@pytest.mark.parametrize("via", ["/overnemen", "/terug"])
def test_with_the_code_one_reads_first_and_decides_then(griffier, visit, via):
    official = visit()

    official.open(via).send({"code": griffier.claim})

    assert official.heading == "Iemand heeft voor u gemeld."
    assert "Zij zetten haar adres online." in official.text
    assert "Mag Griffier Smit blijven meekijken?" in official.text
    assert "Dorpsstraat" not in official.text
    assert official.open("/mijn-melding").path == "/terug"  # nothing was opened by looking


def test_who_takes_over_gets_a_code_once_and_the_control_words(griffier, take_over, visit, ready):
    official = take_over("nee", **{"contact.telephone": "0699998888"})

    assert official.heading == "De melding is nu van u."
    assert "Controlewoorden" in official.text
    assert len(CODE.findall(re.sub("<[^>]+>", "", official.html))) == 1
    again = visit()
    again.open("/terug").send({"code": official.code})
    assert again.heading == "Uw melding"
    assert "0699998888" in again.open("/mijn-melding/gegevens").html
    assert "0611112222" in again.html  # what stood there stays readable
    assert griffier.claim not in official.html


def test_the_form_sent_twice_shows_the_same_code(griffier, visit, code_on, ready):
    official = visit()
    official.open("/overnemen").send({"code": griffier.claim})
    official.send({"choice": "alles"}, action="/overnemen/ja")
    first = code_on(official)

    official.post(*official.sent)

    assert code_on(official) == first
    assert sorted(row.role for row in rows(ready, Reader)) == ["gemachtigde", "melder"]


def test_without_a_choice_about_the_proxy_it_is_asked_again_with_everything_there(griffier, visit):
    official = visit()
    official.open("/overnemen").send({"code": griffier.claim})

    official.send({"contact.telephone": "0699998888", "choice": None}, action="/overnemen/ja")

    assert official.status == 422
    assert "Kies of degene die voor u meldde, mag meekijken." in official.text
    assert "0699998888" in official.html


@pytest.mark.parametrize(
    ("choice", "heading", "reads"),
    [
        ("nee", "De melding is overgenomen.", False),
        ("voortgang", "De melding waarmee u meekijkt", False),
        ("melding", "Uw melding", True),
        ("alles", "Uw melding", True),
    ],
)
def test_the_proxy_comes_back_to_what_they_may_see(griffier, take_over, visit, choice, heading, reads):
    take_over(choice)
    proxy = visit()

    proxy.open("/terug").send({"code": griffier.code})

    assert proxy.heading == heading
    assert ("Zij zetten haar adres online." in proxy.text) == reads
    for page in ("wie-keek", "gegevens", "toestemming", "mail", "intrekken", "meenemen", "meekijken"):
        assert (proxy.open(f"/mijn-melding/{page}").status == 200) == reads, page
    assert (proxy.open("/mijn-melding/gegevens/adres").status == 200) == (choice == "alles")
    if reads:
        assert "Dorpsstraat" not in proxy.open("/mijn-melding").text


def test_a_session_of_the_proxy_that_was_open_sees_nothing_more(proxy, take_over):
    assert "Zij zetten haar adres online." in proxy.text

    take_over("nee")

    assert proxy.open("/mijn-melding").heading == "De melding is overgenomen."
    assert proxy.open("/mijn-melding/gegevens").status == 404


def test_the_official_sees_who_looks_along_and_makes_it_less(griffier, take_over, visit):
    official = take_over("alles")
    official.send({"code": official.code}, action="/terug")
    official.open("/mijn-melding/meekijken")
    assert "Wie voor u meldde, ziet: de melding, de berichten, de bestanden, het adres" in official.text

    official.send({"choice": "voortgang"})

    assert "Wie voor u meldde, ziet: alleen hoe ver de teams zijn, niet wat er staat." in official.text
    official.send({"choice": "nee"})
    assert "Verder kijkt er niemand mee." in official.text
    assert "Minder laten zien" not in official.text


def test_the_proxy_is_told_what_they_see_and_lays_it_down_after_a_question(griffier, take_over, visit):
    take_over("alles")
    proxy = visit()
    proxy.open("/terug").send({"code": griffier.code})
    assert "U ziet: de melding, de berichten" in proxy.open("/mijn-melding/meekijken").text
    assert "Degene om wie het gaat, ziet alles." in proxy.text

    proxy.open("/mijn-melding/meekijken/stoppen").send(action="/mijn-melding/meekijken/stoppen")

    assert proxy.heading == "De melding is overgenomen."


def test_a_code_that_is_used_or_too_old_is_told_in_plain_words(griffier, take_over, visit, clock):
    other = visit()
    take_over("nee")
    other.open("/overnemen").send({"code": griffier.claim})
    assert other.status == 422
    assert "Is de code al gebruikt" in other.text
    assert "bel" in other.text.lower()


def test_a_code_that_is_too_old_is_told_so(griffier, visit, clock):
    clock.forward(days=31)
    other = visit()

    other.open("/terug").send({"code": griffier.claim})

    assert other.status == 422
    assert "Deze code was 30 dagen geldig, en dat is voorbij." in other.text


def test_the_proxy_makes_another_code_and_takes_it_back(griffier, proxy, visit, code_on):
    proxy.open("/mijn-melding/meekijken").send(action="/mijn-melding/meekijken/code")
    fresh = code_on(proxy, "claim")
    assert fresh != griffier.claim
    old = visit()
    assert old.open("/overnemen").send({"code": griffier.claim}).status == 422
    assert old.open("/overnemen").send({"code": fresh}).status == 200

    proxy.open("/mijn-melding/meekijken").send(action="/mijn-melding/meekijken/code-weg")

    assert old.open("/overnemen").send({"code": fresh}).status == 422


def test_who_is_signed_in_takes_over_into_the_account(griffier, visit, ready, sign_in):
    account, official = ready.people.reporter(), visit()
    sign_in(official.client, account)

    official.open("/overnemen").send({"code": griffier.claim})
    official.send({"choice": "nee", "where": "account"}, action="/overnemen/ja")

    assert "U vindt de melding onder Mijn meldingen." in official.text
    assert not CODE.search(re.sub("<[^>]+>", "", official.html))
    reference = rows(ready, Case)[0].reference
    assert official.open(f"/mijn-meldingen/{reference}").heading == "Uw melding"


def test_a_proxy_with_an_account_sees_the_progress_or_that_it_was_taken_over(
    visitor, visit, ready, sign_in, code_on
):  # fmt: skip
    sign_in(visitor.client, ready.people.reporter())
    visitor.open("/melden/wie").send({"reporter.relation": "griffier"}, press="nakijken", has=("_page",))
    visitor.send(action="/melden/nakijken")
    claim = code_on(visitor, "claim")
    official = visit()
    official.open("/overnemen").send({"code": claim})
    official.send({"choice": "voortgang"}, action="/overnemen/ja")

    visitor.open("/mijn-meldingen")

    assert "U ziet alleen hoe ver de teams zijn." in visitor.text
    assert "Ondersteuningsteam Weerbaar Bestuur: Nog niet opgepakt" in visitor.text
    visitor.send(action="/mijn-meldingen/niet-volgen")
    assert "Een melding die u voor iemand deed, is overgenomen." in visitor.text


def test_the_official_and_the_proxy_know_who_of_them_wrote(griffier, take_over, visit, member, ready):
    proxy = visit()
    proxy.open("/terug").send({"code": griffier.code})
    proxy.send({"text": "Ik belde haar."}, action="/mijn-melding")
    assert re.search(r"U · .{0,60} Ik belde haar\.", proxy.text)
    official = take_over("alles")
    official.send({"code": official.code}, action="/terug")
    assert re.search(r"Wie voor u meldde · .{0,60} Ik belde haar\.", official.text)
    official.send({"text": "Dank je wel."}, action="/mijn-melding")

    assert re.search(r"Degene om wie het gaat · .{0,60} Dank je wel\.", proxy.open("/mijn-melding").text)
    member.open(f"/zaak/{rows(ready, Case)[0].reference}")
    assert re.search(r"Wie voor de melder meldde · .{0,60} Ik belde haar\.", member.text)
    assert re.search(r"De melder · .{0,60} Dank je wel\.", member.text)


def test_a_case_of_an_old_secret_is_rekeyed_when_the_account_opens_it(visitor, ready, sign_in):
    from weerbaar_meldpunt.actions.account_files import account_readers, rotate_files
    from weerbaar_meldpunt.actions.bundles import open_bundle, seal_bundle
    from weerbaar_meldpunt.store.people import Bundle

    account = ready.people.reporter()
    sign_in(visitor.client, account)
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    with ready.instance.sessions.begin() as session:
        row = session.get_one(Bundle, account.user_id)
        bundle = rotate_files(open_bundle(account.root, row))
        row.sealed, row.revision = (
            seal_bundle(account.root, account.user_id, row.revision + 1, bundle), row.revision + 1
        )  # fmt: skip

    visitor.open("/mijn-meldingen")
    visitor.open(f"/mijn-meldingen/{rows(ready, Case)[0].reference}")

    assert visitor.heading == "Uw melding"
    with ready.instance.readings() as session:
        found = account_readers(session, ready.instance, account.person.bundle)
    assert [(one.current, one.case_id is not None) for one in found] == [(True, True), (False, False)]


# --- another code ----------------------------------------------------------------------------------------------------


def test_a_new_code_makes_the_old_one_and_its_sessions_worthless(griffier, proxy, visit, code_on):
    thief = visit()
    thief.open("/terug").send({"code": griffier.code})
    assert thief.heading == "Uw melding"

    proxy.open("/mijn-melding/nieuwe-code").send(action="/mijn-melding/nieuwe-code")
    fresh = code_on(proxy)

    assert proxy.open("/mijn-melding").heading == "Uw melding"
    assert thief.open("/mijn-melding").status == 410
    assert thief.open("/terug").send({"code": griffier.code}).status == 422
    assert "vervangen" not in thief.text  # whoever has the old code does not learn that there is another
    assert visit().open("/terug").send({"code": fresh}).heading == "Uw melding"


def test_a_report_of_a_receipt_comes_under_an_account_and_leaves_it_again(
    griffier, visit, ready, sign_in, code_on
):  # fmt: skip
    owner = visit()
    sign_in(owner.client, ready.people.reporter())

    owner.open("/mijn-meldingen/opnemen").send({"code": griffier.code})

    reference = rows(ready, Case)[0].reference
    assert owner.path == f"/mijn-meldingen/{reference}"
    assert visit().open("/terug").send({"code": griffier.code}).status == 422
    owner.open(f"/mijn-meldingen/{reference}/nieuwe-code")
    assert "niet meer onder Mijn meldingen" in owner.text  # said before it is done
    owner.send(action=f"/mijn-meldingen/{reference}/nieuwe-code")
    fresh = code_on(owner)
    assert owner.open(f"/mijn-meldingen/{reference}").status == 404
    assert visit().open("/terug").send({"code": fresh}).heading == "Uw melding"


# --- what a member does ----------------------------------------------------------------------------------------------


def test_a_member_gives_a_code_after_a_reason_and_a_word_of_how_they_know_the_person(
    griffier, member, ready, visit, code_on
):  # fmt: skip
    page = f"/zaak/{rows(ready, Case)[0].reference}/melder"
    member.open(page).send(
        {"reason": "Code kwijt.", "identity": "Paspoort gezien."}, action=f"{page}/code?team=ondersteuning"
    )
    assert "Weet u zeker wie dit is?" in member.text

    member.send(
        {"reason": "Code kwijt.", "identity": "Paspoort gezien.", "sure": "ja"},
        action=f"{page}/code?team=ondersteuning",
    )

    code = code_on(member, "claim")
    official = visit()
    assert official.open("/overnemen").send({"code": code}).heading == "Iemand heeft voor u gemeld."


def test_what_was_passed_on_without_consent_asks_why_and_the_reporter_reads_it(griffier, proxy, member, ready):
    page = f"/zaak/{rows(ready, Case)[0].reference}/melder"
    act = f"{page}/doorgegeven?team=ondersteuning"
    member.open(page).send({"to_whom": "politie", "passed": "Plaats en tijd."}, action=act)
    assert "De melder gaf hier geen toestemming voor." in member.text

    member.send({"to_whom": "politie", "passed": "Plaats en tijd.", "why": "Er was direct gevaar."}, action=act)

    assert "Plaats en tijd." in proxy.open("/mijn-melding/toestemming").text


def test_the_team_sees_that_the_report_was_taken_over(griffier, take_over, member, ready, clock):
    clock.forward(minutes=1)
    take_over("nee")

    member.open(f"/zaak/{rows(ready, Case)[0].reference}")

    assert "Overgenomen door degene om wie het gaat" in member.text
    assert "Overgenomen door wie het gaat" in member.text
    assert "Griffier Smit" not in member.text  # is not called any more


def test_messages_of_the_team_reach_the_new_owner_and_not_the_former_proxy(
    griffier, take_over, visit, ready, clock
):  # fmt: skip
    official = take_over("nee")
    clock.forward(minutes=5)
    with ready.instance.sessions.begin() as session:
        held = work.hold(
            session, ready.instance, ready.second("ondersteuning").person, rows(ready, Case)[0].reference, now=clock.now
        )
        work.write_message(held, "Alleen voor u.")

    official.send({"code": official.code}, action="/terug")
    assert "Alleen voor u." in official.text
    proxy = visit()
    proxy.open("/terug").send({"code": griffier.code})
    assert "Alleen voor u." not in proxy.text
