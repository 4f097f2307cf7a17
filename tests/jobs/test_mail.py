"""The outbox and the mail sender: fixed texts only, sealed while they wait, at least once with one Message-ID."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest

from weerbaar_meldpunt.actions import outbox
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.documents import mails
from weerbaar_meldpunt.jobs.mail import MailRun, send_waiting
from weerbaar_meldpunt.settings import Smtp
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.keys import ServerKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
REMINDER = (
    "Er staat iets voor u klaar. Ga zelf naar de website en log in."
    " Deze mail bevat met opzet geen link naar een zaak."
)  # fmt: skip


@pytest.fixture
def put(instance):
    """Put mails in the outbox; answers their ids."""

    def put_mails(*addresses: str, text: mails.Text | None = None, wall: datetime = NOW) -> list[bytes]:
        rows = [
            outbox.mail_row(
                instance, text or mails.reminder(), source=new_id(), recipient_id=new_id(), address=address, wall=wall
            )
            for address in addresses
        ]
        with instance.sessions.begin() as session:
            session.add_all([Outbox(**row) for row in rows])
        return [row["id"] for row in rows]

    return put_mails


@pytest.fixture
def sends(instance, mail_server):
    """The instance knows the mail server; a run of the sender at a moment."""
    instance.settings = dataclasses.replace(instance.settings, smtp=mail_server.settings)

    def run(now: datetime = NOW, clock: bytes = b"A" * 16) -> MailRun:
        return send_waiting(instance, clock, wall=lambda: now)

    return run


def rows(instance):
    with instance.readings() as session:
        return list(session.query(Outbox))


def fixed_part(raw: bytes) -> bytes:
    """A message without what names it, its receiver and its moment, and without the filling."""
    return re.sub(rb"(?m)^(Message-ID|To|Date): .*\r\n", b"", raw).rstrip(b"\r\n ").removesuffix(b"=20")


# --- what a mail says ----------------------------------------------------------------------------------------------


def test_a_reminder_says_that_something_waits_and_nothing_else():
    assert mails.reminder() == mails.Text("Er staat iets voor u klaar", REMINDER)


def test_an_alarm_says_the_local_time_and_a_number():
    text = mails.alarm(confirm_before=datetime(2026, 7, 1, 22, 3, tzinfo=UTC), number="06 12345678")

    assert text.body == "Er staat iets met spoed klaar. Log in en bevestig vóór 00:03. Lukt dat niet? Bel 06 12345678."


def test_what_arrives_is_the_fixed_text_byte_for_byte(put, sends, mail_server):
    put("een@voorbeeld.test", "tweede.persoon@gemeente.voorbeeld.test")

    sends()

    first, second = (raw for _, raw in mail_server.box.raw)
    assert fixed_part(first) == fixed_part(second)
    assert fixed_part(first).decode("ascii").split("\r\n") == [
        "From: meldpunt@localhost",
        "Subject: Er staat iets voor u klaar",
        "Auto-Submitted: auto-generated",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "MIME-Version: 1.0",
        "",
        REMINDER,
    ]
    assert [message.get_content().strip() for message in mail_server.box.messages] == [REMINDER, REMINDER]


def test_every_mail_is_of_the_same_size_whatever_it_is_and_whoever_gets_it(put, sends, mail_server, instance):
    alarm = mails.alarm(confirm_before=NOW, number="06 12345678")
    put("a@b.nl", "ab@b.nl", "iemand.met.een.lange.naam@organisatie.gemeente.voorbeeld.test")
    put("a@b.nl", text=alarm)
    put("ab@b.nl", text=mails.alarm(confirm_before=NOW, number="070 1234567"))
    assert len({len(row.sealed) for row in rows(instance)}) == 1

    sends()

    assert {len(raw) for _, raw in mail_server.box.raw} == {mails.SIZE}
    assert len(mail_server.box.raw) == 5


@pytest.mark.parametrize(
    "login",
    [
        "jansen", "jansen@", "@voorbeeld.test", "a b@voorbeeld.test", "a@b@c", "a@b.nl\r\nBcc: x@voorbeeld.test",
        "<a@b.nl>", '"a"@b.nl', "jánsen@voorbeeld.test", "a@-", "",
    ],
)  # fmt: skip
def test_a_login_that_could_break_a_header_is_no_address(login):
    assert mails.mail_address(login) is None


def test_an_address_is_taken_as_it_is():
    assert mails.mail_address(" Jan.de-Vries+x@post.voorbeeld.test ") == "Jan.de-Vries+x@post.voorbeeld.test"


# --- while it waits ------------------------------------------------------------------------------------------------


def test_a_waiting_mail_is_unreadable_without_the_server_key(put, instance):
    [row_id] = put("geheim@voorbeeld.test")

    [row] = rows(instance)
    with pytest.raises(Onleesbaar):
        open_json(ServerKeys(new_key()).seal, row.sealed, Binding("outbox", None, row_id, 1))

    instance.engine.dispose()
    stored = b"".join(path.read_bytes() for path in instance.settings.instance.glob("meldpunt.sqlite*"))
    assert row.message_id.encode() in stored
    for secret in ("geheim@voorbeeld.test", "Er staat iets"):
        assert secret.encode() not in stored
        assert secret.encode("utf-16-le") not in stored


def test_a_row_that_was_moved_to_another_id_does_not_open(put, instance, sends, mail_server):
    first, second = put("een@voorbeeld.test", "twee@voorbeeld.test")
    with instance.sessions.begin() as session:
        one, other = session.get_one(Outbox, first), session.get_one(Outbox, second)
        one.sealed, other.sealed = other.sealed, one.sealed

    run = sends()

    assert (run.sent, run.unreadable) == (0, 2)
    assert mail_server.box.raw == []
    assert len(rows(instance)) == 2  # kept, and counted


def test_a_message_id_is_of_our_domain_and_never_twice_the_same(put, instance):
    put(*["een@voorbeeld.test"] * 50)

    ids = {row.message_id for row in rows(instance)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"<[0-9a-f]{32}@localhost>", text) for text in ids)


def test_one_step_mails_a_person_once(instance):
    from sqlalchemy.exc import IntegrityError

    source, person = new_id(), new_id()
    rows = [
        outbox.mail_row(
            instance, mails.reminder(), source=source, recipient_id=person, address="a@b.nl", wall=NOW
        )
        for _ in range(2)
    ]  # fmt: skip

    with pytest.raises(IntegrityError), instance.sessions.begin() as session:
        session.add_all([Outbox(**row) for row in rows])


# --- sending -------------------------------------------------------------------------------------------------------


def test_a_mail_that_was_sent_is_gone(put, sends, mail_server, instance):
    put("een@voorbeeld.test")

    assert sends().sent == 1
    assert sends() == MailRun()

    assert [recipient for recipient, _ in mail_server.box.raw] == ["een@voorbeeld.test"]
    assert rows(instance) == []


def test_a_mail_that_is_refused_is_tried_again_after_a_rest_that_grows(put, sends, mail_server, instance):
    put("een@voorbeeld.test")
    mail_server.box.on_data = lambda count: "451 not now"

    assert sends(NOW).refused == 1
    assert sends(NOW + timedelta(seconds=9)) == MailRun()
    assert sends(NOW + timedelta(seconds=10)).refused == 1
    assert sends(NOW + timedelta(seconds=29)) == MailRun()

    mail_server.box.on_data = lambda count: None
    assert sends(NOW + timedelta(seconds=30)).sent == 1
    assert rows(instance) == []


def test_a_mail_refused_for_good_is_kept_and_holds_no_other_up(put, sends, mail_server, instance):
    put("weg@voorbeeld.test", wall=NOW - timedelta(seconds=1))
    put("een@voorbeeld.test")
    mail_server.box.on_data = lambda count: None if mail_server.box.raw or asked.pop() else "550 nobody here"
    asked = [True, False]

    run = sends()

    assert (run.sent, run.refused) == (1, 1)
    assert [row.attempts for row in rows(instance)] == [1]


def test_the_rest_never_grows_beyond_an_hour(put, sends, mail_server, instance):
    [row_id] = put("een@voorbeeld.test")
    with instance.sessions.begin() as session:
        session.get_one(Outbox, row_id).attempts = 500
    mail_server.box.on_data = lambda count: "451 not now"

    sends(NOW)

    assert rows(instance)[0].not_before == NOW + timedelta(hours=1)


def test_without_a_mail_server_mails_wait_and_the_run_says_so(put, instance):
    put("een@voorbeeld.test")

    run = send_waiting(instance, b"A" * 16, wall=lambda: NOW)

    assert run == MailRun(trouble="no_server")
    assert [(row.attempts, row.fence) for row in rows(instance)] == [(0, 0)]


def test_a_mail_server_that_is_down_costs_no_mail_its_turn(put, sends, mail_server, nobody_listens, instance):
    put("een@voorbeeld.test")
    instance.settings = dataclasses.replace(instance.settings, smtp=Smtp("127.0.0.1", nobody_listens))

    assert sends() == MailRun(trouble="unreachable")
    assert [(row.attempts, row.fence, row.not_before) for row in rows(instance)] == [(0, 0, NOW)]

    instance.settings = dataclasses.replace(instance.settings, smtp=mail_server.settings)
    assert sends().sent == 1


def test_a_mail_server_that_breaks_off_leaves_the_rest_for_the_next_run(put, sends, mail_server, instance):
    put(*[f"p{number}@voorbeeld.test" for number in range(5)])
    mail_server.box.on_data = lambda count: "421 closing" if count == 3 else None

    first = sends(NOW)
    mail_server.box.on_data = lambda count: None
    second = sends(NOW + timedelta(minutes=1))

    assert first == MailRun(sent=2, trouble="unreachable")
    assert second == MailRun(sent=3)
    assert len(set(mail_server.box.ids)) == 5


def test_a_password_never_goes_over_the_line_in_clear(put, instance):
    put("een@voorbeeld.test")
    smtp = Smtp("mail.voorbeeld.test", 25, user="meldpunt", password="geheim")
    instance.settings = dataclasses.replace(instance.settings, smtp=smtp)

    assert send_waiting(instance, b"A" * 16, wall=lambda: NOW).trouble == "password_in_clear"


def test_a_server_without_tls_gets_nothing_when_tls_is_asked(put, instance, mail_server):
    put("een@voorbeeld.test")
    smtp = dataclasses.replace(mail_server.settings, tls=True)
    instance.settings = dataclasses.replace(instance.settings, smtp=smtp)

    assert send_waiting(instance, b"A" * 16, wall=lambda: NOW).trouble == "unreachable"
    assert mail_server.box.raw == []
    assert len(rows(instance)) == 1


def test_we_introduce_ourselves_by_the_domain_of_our_address(put, sends, mail_server, instance):
    seen = []

    async def handle_ehlo(server, session, envelope, hostname, responses):
        seen.append(hostname)
        session.host_name = hostname
        return responses

    mail_server.box.handle_EHLO = handle_ehlo
    put("een@voorbeeld.test")
    instance.settings = dataclasses.replace(instance.settings, mail_from="post@meldpunt.voorbeeld.test")

    sends()

    assert seen == ["meldpunt.voorbeeld.test"]


# --- lease and fence -----------------------------------------------------------------------------------------------


def claim(instance, clock, wall):
    with instance.sessions.begin() as session:
        return outbox.claim_letters(session, instance, clock, wall=wall)


def test_two_senders_never_have_the_same_mail_in_hand(put, instance):
    put(*[f"p{number}@voorbeeld.test" for number in range(15)])

    one, other = claim(instance, b"A" * 16, NOW), claim(instance, b"B" * 16, NOW)

    assert (len(one), len(other)) == (10, 5)
    assert not {letter.id for letter in one} & {letter.id for letter in other}


def test_a_mail_of_a_sender_that_died_is_sent_by_another_with_the_same_message_id(put, sends, mail_server, instance):
    put("een@voorbeeld.test")
    [before] = rows(instance)
    claim(instance, b"B" * 16, NOW)

    assert sends(NOW + outbox.LEASE - timedelta(seconds=1)) == MailRun()
    assert sends(NOW + outbox.LEASE).sent == 1
    assert mail_server.box.ids == [before.message_id]


def test_a_repeat_is_the_same_message_byte_for_byte(put, instance):
    put("een@voorbeeld.test")

    [first] = claim(instance, b"A" * 16, NOW)
    [again] = claim(instance, b"B" * 16, NOW + outbox.LEASE)

    assert first.message == again.message
    assert again.fence == first.fence + 1


def test_a_slow_sender_deletes_nothing_that_another_took_over(put, instance):
    put("een@voorbeeld.test")
    [slow] = claim(instance, b"A" * 16, NOW)
    [quick] = claim(instance, b"B" * 16, NOW + outbox.LEASE)

    with instance.sessions.begin() as session:
        assert not outbox.delivered(session, slow, b"A" * 16)
        outbox.put_back(session, slow, b"A" * 16, wall=NOW, failed=True)
    assert [(row.clock, row.attempts) for row in rows(instance)] == [(b"B" * 16, 0)]

    with instance.sessions.begin() as session:
        assert outbox.delivered(session, quick, b"B" * 16)
    assert rows(instance) == []


def test_a_sender_that_is_told_to_stop_gives_back_what_it_has_in_hand(put, instance, mail_server):
    put(*[f"p{number}@voorbeeld.test" for number in range(5)])
    instance.settings = dataclasses.replace(instance.settings, smtp=mail_server.settings)

    run = send_waiting(instance, b"A" * 16, wall=lambda: NOW, stopping=lambda: len(mail_server.box.raw) >= 2)

    assert run.sent == 2
    assert [(row.lease_until, row.attempts) for row in rows(instance)] == [(None, 0)] * 3


def test_a_mail_put_off_by_a_clock_that_was_far_ahead_is_not_waited_for(put, sends, instance):
    put("een@voorbeeld.test", wall=NOW + timedelta(days=400))

    assert sends(NOW).sent == 1
