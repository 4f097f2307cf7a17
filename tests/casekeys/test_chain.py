"""The chain of a case's keys by itself: a later key is believed by the seal under the one before, and nothing else."""

from typing import Any

import pytest

from weerbaar_meldpunt.actions.casekeys import epoch_binding, open_for_reader, open_for_team
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.store.cases import CaseEpoch, CaseGrant, Fold
from weerbaar_meldpunt.vault.derive import sha256
from weerbaar_meldpunt.vault.keys import ReaderKeys, TeamKeys
from weerbaar_meldpunt.vault.seal import SealKey, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, wrap

CASE, OTHER = b"c" * 16, b"d" * 16
TEAM = TeamKeys("ondersteuning", 1, b"t" * 32)
READER = ReaderKeys(b"l" * 16, b"r" * 32)
KEYS = [bytes([number]) * 32 for number in range(4)]


class Trail:
    """A trail that vouches for every row but those of some tables, and tells of no newer keys than are said."""

    def __init__(self, *, but: tuple[Any, ...] = (), epochs: dict[bytes, dict[str, int]] | None = None) -> None:
        self.but, self.epochs = but, epochs or {}

    def agrees(self, row: Any) -> bool:
        return not isinstance(row, self.but)


def grant(epoch: int, secret: bytes, to: PublicKey, *, case: bytes = CASE, mac: bytes | None = None) -> CaseGrant:
    what = Grant("case_grant", case, "A", epoch)
    return CaseGrant(
        case_id=case, compartment="A", epoch=epoch, recipient=to.key_id, grantor=None, wrapped=wrap(to, secret, what),
        reader_mac=mac,
    )  # fmt: skip


def seal(epoch: int, under: bytes, named: bytes, *, case: bytes = CASE, bound: Any = None) -> CaseEpoch:
    binding = bound or epoch_binding(case, "A", epoch)
    sealed = seal_key(SealKey(under), sha256(named), binding)
    return CaseEpoch(case_id=CASE, compartment="A", epoch=epoch, sealed=sealed)


def team(grants: Any, epochs: Any, trail: Any = None, folds: Any = ()) -> Any:
    return open_for_team(CASE, (TEAM,), grants, folds, epochs, trail or Trail())[0]


def reader(grants: Any, epochs: Any, trail: Any = None) -> Any:
    return open_for_reader(CASE, READER, grants, epochs, trail or Trail())


def both(epochs: Any, trail: Any = None, *, second: bytes = KEYS[1]) -> list[Any]:
    """The ring of a team and of a reader who hold the first key and `second`."""
    pair = READER.pair(CASE).public
    mac = READER.mac(CASE, "A", KEYS[0])
    return [
        team([grant(0, KEYS[0], TEAM.pair.public), grant(1, second, TEAM.pair.public)], epochs, trail),
        reader([grant(0, KEYS[0], pair, mac=mac), grant(1, second, pair)], epochs, trail),
    ]


def test_a_key_that_the_one_before_it_names_is_used() -> None:
    for ring in both([seal(1, KEYS[0], KEYS[1])]):
        assert ring.epochs == {"A": 1}
        assert ring.newest("A").secret == KEYS[1]
        assert ring.refused == frozenset()


@pytest.mark.parametrize(
    "epochs",
    [
        pytest.param([], id="no seal"),
        pytest.param([seal(1, KEYS[0], KEYS[2])], id="a seal that names another key"),
        pytest.param([seal(1, KEYS[3], KEYS[1])], id="a seal under another key"),
        pytest.param([seal(1, KEYS[0], KEYS[1], case=OTHER)], id="a seal of another case"),
        pytest.param([seal(1, KEYS[0], KEYS[1], bound=epoch_binding(CASE, "A", 2))], id="a seal of another epoch"),
        pytest.param(
            [seal(1, KEYS[0], KEYS[1], bound=epoch_binding(CASE, "N", 1))], id="a seal of another compartment"
        ),
        pytest.param([seal(2, KEYS[0], KEYS[1])], id="a seal in another place"),
    ],
)
def test_a_key_that_is_not_named_is_left_out_and_said(epochs: list[CaseEpoch]) -> None:
    for ring in both(epochs):
        assert ring.epochs == {"A": 0}
        assert "case_epoch" in ring.refused


def test_a_seal_that_the_trail_does_not_know_names_nothing() -> None:
    """Who left knows the first key, and can seal under it."""
    for ring in both([seal(1, KEYS[0], KEYS[1])], Trail(but=(CaseEpoch,))):
        assert ring.epochs == {"A": 0}


def test_a_later_key_that_the_trail_does_not_know_is_left_out_for_a_reader_too() -> None:
    pair = READER.pair(CASE).public
    grants = [grant(0, KEYS[0], pair, mac=READER.mac(CASE, "A", KEYS[0])), grant(1, KEYS[1], pair)]
    ring = reader(grants, [seal(1, KEYS[0], KEYS[1])], Trail(but=(CaseGrant,)))
    assert (ring.epochs, ring.refused) == ({"A": 0}, {"case_grant"})


def test_a_readers_first_key_without_the_mac_is_refused_even_when_the_trail_vouches_for_it() -> None:
    pair = READER.pair(CASE).public
    for mac in (None, b"", bytes(32), READER.mac(CASE, "B", KEYS[0]), READER.mac(OTHER, "A", KEYS[0])):
        with pytest.raises(Onleesbaar):
            reader([grant(0, KEYS[0], pair, mac=mac)], [])


def test_after_a_gap_in_the_chain_nothing_is_believed() -> None:
    epochs = [seal(1, KEYS[0], KEYS[1]), seal(2, KEYS[1], KEYS[2])]
    to = TEAM.pair.public
    ring = team([grant(0, KEYS[0], to), grant(2, KEYS[2], to)], epochs)
    assert ring.epochs == {"A": 0}
    assert "A" not in team([grant(1, KEYS[1], to), grant(2, KEYS[2], to)], epochs).keys


def test_where_the_trail_knows_of_a_newer_key_nothing_new_is_sealed_and_the_old_still_opens() -> None:
    ring = team([grant(0, KEYS[0], TEAM.pair.public)], [], Trail(epochs={CASE: {"A": 1}}))
    assert ring.keys["A"][0].secret == KEYS[0]
    assert ring.behind == {"A"}
    with pytest.raises(Onleesbaar):
        ring.newest("A")
    assert not ring.is_newest("A", ring.keys["A"][0].header)


def test_a_cached_key_counts_no_more_than_its_grant_and_its_seal() -> None:
    from weerbaar_meldpunt.actions.casekeys import fold_values

    folds = [Fold(**fold_values(TEAM, CASE, "A", epoch, KEYS[epoch])) for epoch in (0, 1)]
    to = TEAM.pair.public
    grants = [grant(0, KEYS[0], to), grant(1, KEYS[1], to)]
    assert team(grants, [seal(1, KEYS[0], KEYS[1])], folds=folds).epochs == {"A": 1}
    assert team(grants, [], folds=folds).epochs == {"A": 0}
    assert team([], [seal(1, KEYS[0], KEYS[1])], folds=folds).keys == {}
