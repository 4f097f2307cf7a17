"""A custodian's own page: the code is seen once, typed from paper, and never kept."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import custodian_links
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.custody import Custodian
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.keys import custodian_key_pair
from weerbaar_meldpunt.vault.wrap import shown_fingerprint


@pytest.fixture
def token(instance, clock):
    with instance.sessions.begin() as session:
        return custodian_links.invite_custodian(
            session, instance, name="Tineke Bakker", mail="tineke@voorbeeld.test", now=clock.now
        )


def text_of(answer):
    return answer.get_data(as_text=True)


def hidden(answer, name):
    return re.search(rf'name="{name}" value="([^"]+)"', text_of(answer)).group(1)


def press(client, path, page, **fields):
    return client.post(path, data={"csrf_token": hidden(page, "csrf_token")} | fields)


def shown_code(answer):
    groups = re.search(r'id="code"[^>]*>(.*?)</p>', text_of(answer), re.DOTALL).group(1)
    return groups.replace("<wbr>", "")


def walk(client, token):
    """From the link to the page where the code is typed; answers the code and that page."""
    path = f"/bewaarder/{token}"
    page = press(client, f"{path}/code", client.get(path))
    retype = press(client, f"{path}/overtypen", page, fingerprint=hidden(page, "fingerprint"))
    return shown_code(page), retype


def custodian(instance):
    with instance.readings() as session:
        return session.scalars(select(Custodian)).one()


def test_the_code_is_shown_on_one_answer_and_only_its_public_key_is_kept(client, instance, token):
    code, retype = walk(client, token)

    assert code not in text_of(retype)
    done = press(
        client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code.lower()
    )

    assert done.status_code == 303
    row = custodian(instance)
    pair = custodian_key_pair(read_code(code), instance.id, row.id)
    assert row.public_key == pair.public.raw
    sheet = text_of(client.get(f"/bewaarder/{token}"))
    assert shown_fingerprint(pair.public.fingerprint) in sheet
    assert code not in sheet
    plain = read_code(code)
    for path in instance.settings.instance.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert plain not in content, path
            assert pair.seed not in content, path


def test_what_was_not_read_from_the_paper_is_refused_and_may_be_tried_again(client, instance, token):
    code, retype = walk(client, token)
    other = walk(client, token)[0]

    for typed in ("", "geen code", other, code[:-1] + ("0" if code[-1] != "0" else "1")):
        answer = press(
            client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=typed
        )
        assert answer.status_code == 422
        assert "Dit is niet de code" in text_of(answer)
    assert custodian(instance).public_key is None
    again = press(
        client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code
    )
    assert again.status_code == 303


def test_a_code_that_is_asked_for_again_is_another_one(client, token):
    assert walk(client, token)[0] != walk(client, token)[0]


def test_the_link_makes_one_key_and_no_second_one(client, app, instance, token):
    code, retype = walk(client, token)
    second = app.test_client()
    late_code, late = walk(second, token)
    press(client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code)
    kept = custodian(instance).public_key

    answer = press(
        second, f"/bewaarder/{token}/overtypen", late, fingerprint=hidden(late, "fingerprint"), again=late_code
    )

    assert answer.status_code == 303
    assert custodian(instance).public_key == kept
    assert press(second, f"/bewaarder/{token}/code", late).status_code == 303


def test_a_link_is_over_after_two_weeks_and_an_unknown_one_is_none(client, clock, token):
    assert client.get(f"/bewaarder/{token}").status_code == 200
    clock.forward(days=14, seconds=1)

    assert client.get(f"/bewaarder/{token}").status_code == 404
    for other in ("00" * 32, "geen-hex", ""):
        assert client.get(f"/bewaarder/{other}").status_code == 404
    assert timedelta(days=14) == custodian_links.LINK


def test_the_pages_give_no_session_and_no_account(client, instance, token):
    code, retype = walk(client, token)
    press(client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code)

    for path in ("/account", "/werk", "/mijn-meldingen"):
        assert client.get(path).status_code in (303, 404)


def test_a_look_at_the_link_changes_nothing(client, instance, token):
    before = custodian(instance)
    for _ in range(3):
        client.get(f"/bewaarder/{token}")

    after = custodian(instance)
    assert (after.state, after.public_key, after.token_hash) == (before.state, before.public_key, before.token_hash)


def test_the_trail_says_that_a_key_was_made(client, instance, token):
    code, retype = walk(client, token)
    press(client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code)

    with instance.readings() as session:
        actions = list(session.scalars(select(Leaf.action).where(Leaf.object == custodian(instance).id)))
    assert actions == ["bewaarder_uitgenodigd", "bewaarder_heeft_sleutel"]


def test_a_new_link_ends_the_first_and_forgets_a_key_that_nobody_pinned(client, instance, token, clock):
    code, retype = walk(client, token)
    press(client, f"/bewaarder/{token}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code)
    with instance.sessions.begin() as session:
        fresh = custodian_links.invite_again(session, instance, custodian(instance).id, now=clock.now)

    assert client.get(f"/bewaarder/{token}").status_code == 404
    assert "Laat mij mijn code zien" in text_of(client.get(f"/bewaarder/{fresh}"))
    assert custodian(instance).public_key is None


def test_there_are_three_custodians_and_no_fourth(instance, token, clock):
    for number in (2, 3):
        with instance.sessions.begin() as session:
            custodian_links.invite_custodian(session, instance, name=f"Bewaarder {number}", mail="", now=clock.now)

    with instance.sessions.begin() as session, pytest.raises(NotAllowed, match="drie_bewaarders"):
        custodian_links.invite_custodian(session, instance, name="Vier", mail="", now=clock.now)


def test_the_sheet_shows_the_key_of_the_three_only_to_who_is_one_of_them(ready, app, clock):
    """Somebody who follows a custodian holds no share of the key of before: its fingerprint is not for their sheet."""
    instance = ready.instance
    recovery = shown_fingerprint(instance.pins().sealing("recovery", instance.id.hex()).fingerprint)
    with instance.sessions.begin() as session:
        custodian_links.dismiss(session, instance, ready.custody.sheets[0].id, now=clock.now)
        fresh = custodian_links.invite_custodian(session, instance, name="Nieuw", mail="", now=clock.now)
    client = app.test_client()
    code, retype = walk(client, fresh)
    press(client, f"/bewaarder/{fresh}/overtypen", retype, fingerprint=hidden(retype, "fingerprint"), again=code)

    assert recovery not in text_of(client.get(f"/bewaarder/{fresh}"))
