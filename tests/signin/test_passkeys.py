"""A passkey signs what only this page asked, counts only when the owner's bundle holds it, and stops when copied."""

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import bundles
from weerbaar_meldpunt.actions.passkeys import fault_of, rp_id
from weerbaar_meldpunt.actions.tombstones import tombstone_of
from weerbaar_meldpunt.settings import Settings, SettingsFault, load_settings
from weerbaar_meldpunt.store.audit import Alarm, Leaf, Tombstone
from weerbaar_meldpunt.store.doors import Passkey
from weerbaar_meldpunt.store.people import Bundle
from weerbaar_meldpunt.vault.derive import sha256

from .conftest import options_of, token_of


@pytest.fixture
def member(people):
    return people.member("ondersteuning")


@pytest.fixture
def key(soft_key):
    return soft_key()


@pytest.fixture
def held(in_by, member, key, add_passkey):
    """A member who is signed in and made a passkey."""
    door = in_by(member)
    assert add_passkey(door, key).status_code == 303
    return door


def with_passkey(door, member, key, *, signs=None, **more):
    door.password(member.login, member.password)
    page = door.client.get("/inloggen/code")
    answer = (signs or key.get)(options_of(page), **more)
    return door.client.post("/inloggen/code", data={"csrf_token": token_of(page), "passkey": answer, "code": ""})


def alarms(instance):
    with instance.readings() as session:
        return {alarm.kind: alarm.about for alarm in session.scalars(select(Alarm))}


def test_a_passkey_is_a_second_factor_after_the_password(held, door, member, key):
    other = door()

    assert with_passkey(other, member, key).status_code == 303
    assert other.is_in()


def test_making_one_stands_in_the_trail_and_its_row_holds_a_hash_only(held, instance, member, key):
    with instance.readings() as session:
        assert session.scalars(select(Passkey.id_hash)).all() == [sha256(key.id)]
        assert "passkey_gemaakt" in session.scalars(select(Leaf.action).where(Leaf.actor == member.user_id)).all()


def test_a_passkey_without_the_check_of_its_owner_is_refused(in_by, member, soft_key, add_passkey):
    assert add_passkey(in_by(member), soft_key(verified=False)).status_code == 422


@pytest.mark.parametrize("wrong", [{"origin": "http://elders.test"}, {"rp": "elders.test"}])
def test_what_was_signed_for_another_page_lets_nobody_in(held, door, member, key, wrong):
    assert with_passkey(door(), member, key, **wrong).status_code == 401


@pytest.mark.parametrize("steps", [True, False])
def test_what_was_signed_once_lets_nobody_in_a_second_time(in_by, door, member, soft_key, add_passkey, steps):
    key, kept = soft_key(steps=steps), []
    add_passkey(in_by(member), key)

    def recorded(options):
        kept.append(key.get(options))
        return kept[0]

    assert with_passkey(door(), member, key, signs=recorded).status_code == 303
    assert with_passkey(door(), member, key, signs=lambda options: kept[0]).status_code == 401


def test_what_was_signed_for_a_try_that_failed_is_not_good_for_the_next(in_by, door, member, soft_key, add_passkey):
    """The page asks something else each time, in the same browser too."""
    key = soft_key(steps=False)
    add_passkey(in_by(member), key)
    one = door()
    one.password(member.login, member.password)
    page = one.client.get("/inloggen/code")
    kept = key.get(options_of(page))
    one.client.post("/inloggen/code", data={"csrf_token": token_of(page), "code": "000000"})

    assert one.client.post("/inloggen/code", data={"csrf_token": token_of(page), "passkey": kept}).status_code == 401


def test_a_key_of_another_under_the_same_id_is_refused(held, door, member, key, soft_key):
    thief = soft_key(id=key.id)

    assert with_passkey(door(), member, thief).status_code == 401


def test_an_assertion_without_the_check_of_its_owner_is_refused(held, door, member, key):
    key.verified = False

    assert with_passkey(door(), member, key).status_code == 401


@pytest.mark.parametrize(
    "rubbish", ["x", "{}", "[]", '{"id": 1}', '{"id": "AAAA"}', "[" * 50_000, "é" * 20_000, "null"]
)
def test_rubbish_is_a_wrong_factor_and_nothing_worse(held, door, member, rubbish):
    assert with_passkey(door(), member, None, signs=lambda options: rubbish).status_code == 401


def test_a_planted_row_is_refused_and_alarms(instance, door, member, in_by, soft_key, clock):
    """A writer of the database knows no ROOT: the bundle does not hold their key."""
    planted = soft_key()
    with instance.sessions.begin() as session:
        session.add(Passkey(id_hash=sha256(planted.id), user_id=member.user_id))
    thief = door()
    thief.password(member.login, member.password)
    page = thief.client.get("/inloggen/code")
    answer = planted.get({"challenge": "AAAA"})

    refused = thief.client.post("/inloggen/code", data={"csrf_token": token_of(page), "passkey": answer})

    # The page asked for no passkey at all: nothing was signed, so what is planted is noticed at the next sign-in.
    assert refused.status_code == 401
    in_by(member)
    assert alarms(instance) == {"passkey_onbekend": member.user_id.hex()}


def test_a_planted_row_beside_a_real_one_alarms_when_it_is_used(held, instance, door, member, soft_key):
    planted = soft_key()
    with instance.sessions.begin() as session:
        session.add(Passkey(id_hash=sha256(planted.id), user_id=member.user_id))

    assert with_passkey(door(), member, planted).status_code == 401
    assert alarms(instance) == {"passkey_onbekend": member.user_id.hex()}


def test_a_row_that_was_deleted_takes_the_passkey_away(held, instance, door, member, key):
    with instance.sessions.begin() as session:
        session.delete(session.scalars(select(Passkey)).one())

    assert with_passkey(door(), member, key).status_code == 401


def test_a_counter_that_goes_back_stops_the_passkey_and_alarms(held, instance, door, member, key):
    with_passkey(door(), member, key)
    key.count = 1

    assert with_passkey(door(), member, key).status_code == 401
    key.count = 900
    thief = door()
    thief.password(member.login, member.password)

    assert "data-options" not in thief.client.get("/inloggen/code").get_data(as_text=True)
    assert alarms(instance) == {"passkey_dubbel": member.user_id.hex()}
    assert "teller liep terug" in held.client.get("/account/passkeys").get_data(as_text=True)


def test_keys_that_keep_no_counter_go_on_working(in_by, door, member, soft_key, add_passkey):
    key = soft_key(steps=False)
    add_passkey(in_by(member), key)

    assert with_passkey(door(), member, key).status_code == 303
    assert with_passkey(door(), member, key).status_code == 303


def test_an_alarm_about_a_reporters_passkey_does_not_name_the_account(instance, in_by, people, soft_key):
    reporter, planted = people.reporter(), soft_key()
    with instance.sessions.begin() as session:
        session.add(Passkey(id_hash=sha256(planted.id), user_id=reporter.user_id))

    in_by(reporter)

    assert reporter.user_id.hex() not in alarms(instance)["passkey_onbekend"]


def test_one_that_is_removed_lets_nobody_in_and_is_buried_with_the_bundle(held, instance, door, member, key):
    with instance.readings() as session:
        before = [
            tombstone_of(session.scalars(select(Passkey)).one()),
            tombstone_of(session.get(Bundle, member.user_id)),
        ]
    wanted = sha256(key.id).hex()

    asked = held.post("/account/passkeys/weg", of="/account/passkeys", passkey_id=wanted)
    assert "Deze passkey weghalen?" in asked.get_data(as_text=True)
    held.post("/account/passkeys/weg", of="/account/passkeys", passkey_id=wanted, sure="ja")

    thief = door()
    thief.password(member.login, member.password)
    page = thief.client.get("/inloggen/code")
    assert "data-options" not in page.get_data(as_text=True)
    with instance.readings() as session:
        assert session.scalars(select(Passkey)).all() == []
        assert set(before) <= set(session.scalars(select(Tombstone.row_hash)))


def test_a_passkey_of_one_account_is_none_of_another(held, door, member, people, key, in_by, add_passkey, soft_key):
    other = people.member("ondersteuning")
    add_passkey(in_by(other), soft_key())

    assert with_passkey(door(), other, key).status_code == 401
    assert add_passkey(in_by(other), key).status_code == 422, "one passkey belongs to one account"


def test_password_and_passkey_on_one_page(held, door, member, key):
    other = door()
    other.post("/inloggen/passkey", of="/inloggen")
    page = other.client.get("/inloggen/met-passkey")
    data = {"csrf_token": token_of(page), "login": member.login, "password": member.password}

    answer = other.client.post("/inloggen/met-passkey", data={**data, "passkey": key.get(options_of(page))})

    assert answer.status_code == 303
    assert other.is_in()


def test_on_that_page_a_wrong_password_and_a_wrong_passkey_look_alike(held, door, member, key, soft_key):
    def tried(password, passkey, login=member.login):
        other = door()
        other.post("/inloggen/passkey", of="/inloggen")
        page = other.client.get("/inloggen/met-passkey")
        answer = other.client.post(
            "/inloggen/met-passkey",
            data={
                "csrf_token": token_of(page),
                "login": login,
                "password": password,
                "passkey": passkey(options_of(page)),
            },
        )
        assert not other.is_in()
        text = re.sub(r'(data-options|value)="[^"]{30,}"', "", answer.get_data(as_text=True))
        return answer.status_code, text.replace(login, "")

    one = tried("heel iets anders dan dat", key.get)

    assert one[0] == 401
    assert one == tried(member.password, soft_key().get)
    assert one == tried(member.password, soft_key(id=key.id).get)
    assert one == tried("heel iets anders dan dat", key.get, login="niemand@voorbeeld.test")


def test_a_passkey_confirms_too(held, clock, key):
    clock.forward(minutes=6)
    page = held.client.get("/account/passkeys", follow_redirects=True)
    assert "Bevestig dat u het bent" in page.get_data(as_text=True)

    answer = held.client.post(
        "/bevestigen",
        data={"csrf_token": token_of(page), "passkey": key.get(options_of(page)), "next": "/account/passkeys"},
    )

    assert answer.location == "/account/passkeys"
    assert held.client.get("/account/passkeys").status_code == 200


# --- required of a role --------------------------------------------------------------------------------------------


@pytest.fixture
def required(instance):
    instance.settings = replace(instance.settings, passkey_required=frozenset({"behandelaar"}))


def test_a_member_without_the_passkey_of_their_role_can_make_one_and_nothing_else(
    app, required, in_by, member, key, add_passkey
):
    door = in_by(member)
    open_to_them = {"passkeys.show", "passkeys.add", "stepup.ask", "stepup.confirm", "signin.out", "account.stay"}

    for rule in app.url_map.iter_rules():
        if rule.endpoint in open_to_them or rule.endpoint.split(".")[0] in ("home", "help", "static"):
            continue
        values = {name: "meldingen" if name == "measure" else "x" for name in rule.arguments}
        path = rule.build(values, append_unknown=False)[1]
        for method in rule.methods & {"GET", "POST"}:
            token = token_of(door.client.get("/account/passkeys"))
            answer = door.client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
            assert answer.location == "/account/passkeys", (path, method, answer.status_code)

    assert add_passkey(door, key).status_code == 303
    assert door.is_in()


def test_where_it_is_required_a_code_of_the_app_lets_nobody_in_any_more(required, held, door, member, clock, key):
    other = door()
    clock.forward(seconds=31)
    other.password(member.login, member.password)

    assert other.factor(member.code(clock.now)).status_code == 401
    assert with_passkey(door(), member, key).status_code == 303


def test_where_it_is_required_a_printed_code_helps_once(required, held, door, member, clock):
    codes = re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", held.post("/account/codes").get_data(as_text=True))
    one, two = door(), door()
    one.password(member.login, member.password)
    two.password(member.login, member.password)

    assert one.factor(codes[0]).status_code == 303
    assert two.factor(codes[0]).status_code == 401


def test_others_are_not_asked_for_one(required, in_by, people):
    assert in_by(people.beheerder()).is_in()
    assert in_by(people.reporter()).is_in()


def test_the_setting_names_roles_of_staff_only(tmp_path):
    (tmp_path / "meldpunt.toml").write_text('passkey_required = ["behandelaar", "coordinator"]\n')
    assert load_settings(tmp_path).passkey_required == {"behandelaar", "coordinator"}
    (tmp_path / "meldpunt.toml").write_text('passkey_required = ["melder"]\n')
    with pytest.raises(SettingsFault, match="passkey_required"):
        load_settings(tmp_path)
    (tmp_path / "meldpunt.toml").write_text('passkey_required = "behandelaar"\n')
    with pytest.raises(SettingsFault, match="passkey_required"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("address", "name", "fault"),
    [
        ("https://meldpunt.voorbeeld.test", "meldpunt.voorbeeld.test", ""),
        ("http://localhost:8012", "localhost", ""),
        ("http://127.0.0.1:8000", None, "address of numbers"),
        ("https://[::1]:8000", None, "address of numbers"),
        ("http://meldpunt.voorbeeld.test", "meldpunt.voorbeeld.test", "not https"),
    ],
)
def test_passkeys_are_bound_to_the_name_of_the_website(tmp_path, address, name, fault):
    settings = Settings(tmp_path, base_url=address)

    assert rp_id(settings) == name
    assert fault in fault_of(settings) and bool(fault) == bool(fault_of(settings))


def test_on_an_address_of_numbers_nobody_is_offered_one(instance, in_by, member):
    instance.settings = replace(instance.settings, base_url="http://127.0.0.1:8000")
    page = in_by(member).client.get("/account/passkeys").get_data(as_text=True)

    assert "data-options" not in page
    assert "kan geen passkey worden gemaakt" in page


def test_the_bundle_is_where_ids_and_keys_stand(held, instance, member, key):
    with instance.readings() as session:
        row = session.get(Bundle, member.user_id)
        bundle = bundles.open_bundle(member.root, row)

    assert bundle["passkeys"][0]["id"] == key.id.hex()
    assert key.id not in row.sealed
    assert json.dumps(bundle)
