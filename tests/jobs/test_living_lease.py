"""A mail in the hands of a living clock is nobody else's, also to one that read the time before it had to wait."""

from datetime import timedelta

from weerbaar_meldpunt.actions import outbox
from weerbaar_meldpunt.store.tracks import Outbox


def test_a_lease_taken_while_another_clock_waited_for_the_database_is_not_taken_for_a_wrong_clocks(instance, clock):
    with instance.sessions.begin() as session:
        session.add(
            Outbox(
                id=b"o" * 16,
                message_id="<een@voorbeeld.test>",
                source=b"s" * 16,
                recipient_id=b"r" * 16,
                not_before=clock.now,
                attempts=0,
                fence=0,
                sealed=b"",
            )
        )
    later = clock.now + timedelta(seconds=3)
    with instance.sessions.begin() as session:
        held = outbox.claim_letters(session, instance, b"a" * 16, wall=later)

    with instance.sessions.begin() as session:
        stolen = outbox.claim_letters(session, instance, b"b" * 16, wall=clock.now)

    assert len(held) == 1
    assert stolen == []
