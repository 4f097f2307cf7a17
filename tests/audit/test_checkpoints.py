"""Checkpoints: what is signed, who gets it, what the mail holds, and what it proves once it was kept outside."""

import base64
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import checkpoints, tombstones
from weerbaar_meldpunt.actions.checkpoints import Recipient, read_mail
from weerbaar_meldpunt.documents.mails import TOMBSTONES_IN_A_MAIL, checkpoint_mails, read_tombstones
from weerbaar_meldpunt.store.audit import Checkpoint as Row
from weerbaar_meldpunt.store.audit import Leaf, Tombstone
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.audit import read_anchor
from weerbaar_meldpunt.vault.derive import new_id, sha256
from weerbaar_meldpunt.vault.seal import Binding, open_json
from weerbaar_meldpunt.vault.wrap import verified


def outbox(instance):
    """Who is mailed, and what."""
    with instance.readings() as session:
        rows = session.scalars(select(Outbox)).all()
        return [open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1)) for row in rows]


def make(instance, now, **more):
    with instance.sessions.begin() as session:
        return checkpoints.make_checkpoint(session, instance, now=now, **more)


def test_a_checkpoint_is_six_lines_and_an_ed25519_signature_over_them(desk):
    desk.happens(1)
    size = desk.size()
    with desk.instance.readings() as session:
        stones = list(tombstones.entries(session))

    lines = desk.checkpoint().splitlines()

    with desk.instance.readings() as session:
        chain = session.get_one(Leaf, size).chain
    assert lines[:5] == [
        f"weerbaar-meldpunt/{desk.instance.id.hex()}", str(size), base64.b64encode(chain).decode(), str(len(stones)),
        base64.b64encode(hashes.tombstone_head(hashes.START, stones)[0]).decode(),
    ]  # fmt: skip
    assert lines[5] == f"{desk.now:%Y-%m-%dT%H:%M:%SZ}"
    key, signature = base64.b64decode(lines[6]), base64.b64decode(lines[7])
    assert verified(key, signature, ("\n".join(lines[:6]) + "\n").encode())
    assert key == hashes.checkpoint_key(desk.instance.server.checkpoint_seed)


def test_every_changed_byte_of_a_checkpoint_is_seen(desk):
    desk.happens(1)
    text = desk.checkpoint()

    for place in range(len(text)):
        changed = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
        try:
            anchor = read_anchor(changed)
        except ValueError:
            continue
        assert not anchor.signed or anchor.checkpoint.text == text[: len(anchor.checkpoint.text)], place


def test_it_is_made_once_a_day(desk):
    with desk.instance.readings() as session:
        assert checkpoints.is_due(session, now=desk.now)
    make(desk.instance, desk.now)

    with desk.instance.readings() as session:
        assert not checkpoints.is_due(session, now=desk.now + timedelta(hours=5))
        assert checkpoints.is_due(session, now=desk.now + timedelta(hours=13))  # past midnight in Amsterdam


def test_who_administers_and_who_audits_get_it_until_there_are_custodians(desk):
    beheerder, auditor = desk.ready.people.beheerder(), desk.ready.people.auditor()

    with desk.instance.readings() as session:
        found = checkpoints.staff_recipients(session, desk.instance, checkpoints.WATCH)

    assert sorted(one.address for one in found) == sorted([beheerder.login, auditor.login])


def test_the_mail_holds_the_checkpoint_and_the_new_tombstones_and_nothing_else(desk):
    keeper = Recipient(new_id(), "bewaarder@voorbeeld.test")
    first, second = new_id() * 2, new_id() * 2
    before = read_anchor(desk.checkpoint()).checkpoint.tombstones
    with desk.instance.sessions.begin() as session:
        session.add(Tombstone(day=date(2026, 11, 22), row_hash=first, set_no=None))
    make(desk.instance, desk.now, recipients=[keeper])
    with desk.instance.sessions.begin() as session:
        session.add(Tombstone(day=date(2026, 11, 23), row_hash=second, set_no=None))
        tombstones.bury_case(session, bytes(16), now=desk.now)
    row = make(desk.instance, desk.now, recipients=[keeper])

    mails = [mail for mail in outbox(desk.instance) if mail["to"] == keeper.address]
    bodies = {read_anchor(mail["body"]).checkpoint.tombstones - before: mail for mail in mails}
    anchor, stones = read_mail(bodies[3]["body"])
    assert sorted(bodies) == [1, 3]
    assert anchor.signed
    assert anchor.checkpoint.text == row.text
    assert {stone for _, stone in stones} == {second, hashes.case_tombstone(bytes(16))}
    assert read_mail(bodies[1]["body"])[1] == [(date(2026, 11, 22), first)]


def test_kept_mails_prove_the_tombstones_that_they_hold(desk):
    """From the head of the mail before and the tombstones of this one follows the head of this one."""
    before = read_anchor(desk.checkpoint()).checkpoint.tombstone_head
    texts = []
    for number in range(3):
        with desk.instance.sessions.begin() as session:
            for place in range(number + 1):
                session.add(Tombstone(day=date(2026, 11, 23), row_hash=sha256(bytes([number, place])), set_no=None))
        make(desk.instance, desk.now, recipients=[Recipient(bytes([number]) * 16, "b@voorbeeld.test")])
        texts = sorted(
            (mail["body"] for mail in outbox(desk.instance) if mail["to"] == "b@voorbeeld.test"),
            key=lambda body: read_anchor(body).checkpoint.tombstones,
        )

    head = before
    for text in texts:
        anchor, stones = read_mail(text)
        head, count = hashes.tombstone_head(head, stones)
        assert head == anchor.checkpoint.tombstone_head
        assert count == len(stones)


def test_a_very_long_list_goes_in_parts_that_a_mail_can_hold(desk):
    count = 2 * TOMBSTONES_IN_A_MAIL + 1
    stones = [(date(2026, 11, 23), sha256(number.to_bytes(4, "big"))) for number in range(count)]

    mails = list(checkpoint_mails(desk.checkpoint(), stones, count))

    assert [mail.subject[-13:] for mail in mails] == ["deel 1 van 3", "deel 2 van 3", "deel 3 van 3"] or len(mails) == 3
    assert [stone for mail in mails for stone in read_tombstones(mail.body)] == stones
    assert all(len(mail.body) < 500_000 for mail in mails)


@pytest.mark.parametrize("quoted", ["> {}", ">> {}", "   {}  ", "{}\n"], ids=["quoted", "twice", "indented", "spaced"])
def test_an_anchor_is_found_in_a_mail_that_was_forwarded_or_copied(desk, quoted):
    desk.happens(1)
    text = "\n".join(quoted.format(line) for line in ["Hoi, dit is hem:", *desk.checkpoint().splitlines(), "Groet"])

    assert read_anchor(text).signed
    assert desk.verify(text).wrong == 0


def test_an_anchor_without_its_signature_is_compared_all_the_same_and_said_to_be_unsigned(desk):
    desk.happens(1)
    text = "\n".join(desk.checkpoint().splitlines()[:6])

    verdict = desk.verify(text)

    assert verdict.wrong == 0
    assert verdict.anchor.endswith("unsigned")


def test_an_anchor_that_somebody_wrote_themselves_is_not_taken_for_one(desk):
    desk.happens(1)
    ours = read_anchor(desk.checkpoint()).checkpoint
    forged = replace(ours, chain=sha256(b"x"))
    signed = hashes.mailed(forged, bytes(32), hashes.sign_checkpoint(bytes(32), forged))
    copied = signed.splitlines()[:6] + desk.checkpoint().splitlines()[6:]

    assert desk.verify(signed).kinds == {"anchor_of_another": 1, "rewritten_since": 1}
    assert desk.verify("\n".join(copied)).kinds == {"anchor_not_signed": 1, "rewritten_since": 1}


@pytest.mark.parametrize(
    "text", ["", "weerbaar-meldpunt/00", "geen ijkpunt", "weerbaar-meldpunt/" + "00" * 16 + "\n1\n"]
)
def test_a_text_without_a_checkpoint_is_refused(desk, text):
    with pytest.raises(ValueError, match=r"checkpoint|not enough"):
        desk.verify(text)


def test_the_hash_of_a_checkpoint_tells_no_size(desk):
    row = make(desk.instance, desk.now)

    assert len(checkpoints.hash_of(row)) == 32
    with desk.instance.readings() as session:
        stored = session.get_one(Row, 1)
        assert checkpoints.hash_of(stored) == checkpoints.hash_of(row)


# --- tombstones ----------------------------------------------------------------------------------------------------


def test_what_is_buried_is_listed_whatever_the_day(desk):
    case_id, other = new_id(), new_id()
    with desk.instance.sessions.begin() as session:
        tombstones.bury_case(session, case_id, now=desk.now)
        tombstones.bury_case(session, case_id, now=desk.now + timedelta(days=3))

    with desk.instance.readings() as session:
        assert tombstones.erased(session, [case_id, other]) == {case_id}
        assert tombstones.listed(session, [hashes.case_tombstone(case_id), bytes(32)]) == {
            hashes.case_tombstone(case_id)
        }


def test_tombstones_of_a_day_stand_in_the_order_of_their_hashes(desk):
    stones = [new_id() * 2 for _ in range(20)]
    with desk.instance.sessions.begin() as session:
        for stone in stones:
            session.add(Tombstone(day=date(2020, 11, 23), row_hash=stone, set_no=None))
            session.flush()

    with desk.instance.readings() as session:
        assert [stone for _, stone in tombstones.entries(session)][:20] == sorted(stones)


def test_tombstones_from_outside_are_taken_in_once(desk):
    stones = [(date(2026, 11, 20), new_id() * 2) for _ in range(1200)]

    with desk.instance.sessions.begin() as session:
        assert tombstones.bring(session, stones) == 1200
        assert tombstones.bring(session, stones) == 0
    make(desk.instance, desk.now)
    with desk.instance.sessions.begin() as session:
        assert tombstones.bring(session, stones) == 0
    assert desk.verify().wrong == 0
