"""Keys of custodians and of the house: every label, salt and length as docs/security.md gives them."""

import pytest

from tests.vault import byhand
from weerbaar_meldpunt.vault.codes import code_from
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import PAIRS, custodian_key_pair, house_key_pair, pair_key
from weerbaar_meldpunt.vault.seal import Binding, open_key, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, unwrap, wrap

INSTANCE, CUSTODIAN = b"i" * 16, b"c" * 16
CODE = code_from(b"\xa5" * 17)
FIRST, SECOND, SEED = b"1" * 32, b"2" * 32, b"s" * 32


def test_a_custodians_pair_hangs_from_the_code_and_the_desk():
    pair = custodian_key_pair(CODE, INSTANCE, CUSTODIAN)

    assert pair.seed == byhand.hkdf(CODE, "custodian", salt=INSTANCE)
    assert pair.public.raw == byhand.public(pair.seed)
    assert pair.public.fingerprint == byhand.fingerprint("custodian", CUSTODIAN, 0, pair.public.raw)
    assert custodian_key_pair(CODE, b"j" * 16, CUSTODIAN).seed != pair.seed
    assert custodian_key_pair(CODE, INSTANCE, b"d" * 16).public.fingerprint != pair.public.fingerprint


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_key_takes_both_halves_in_their_order(pair):
    key = pair_key(pair, FIRST, SECOND)

    assert key.secret == byhand.hkdf(FIRST + SECOND, f"recovery/{pair}")
    assert pair_key(pair, SECOND, FIRST).secret != key.secret
    assert len({pair_key(one, FIRST, SECOND).secret for one in PAIRS}) == 3


def test_there_are_three_pairs_and_a_half_is_a_whole_key():
    assert PAIRS == ("12", "13", "23")
    for pair, lower, higher in (("21", FIRST, SECOND), ("11", FIRST, SECOND), ("12", b"", SECOND), ("12", FIRST, b"x")):
        with pytest.raises(ValueError, match=pair):
            pair_key(pair, lower, higher)


@pytest.mark.parametrize("kind", ["recovery", "backup"])
def test_a_key_of_the_house_is_the_desks_own_and_counts_from_one(kind):
    pair = house_key_pair(SEED, kind, INSTANCE, 3)

    assert pair.public.raw == byhand.public(SEED)
    assert pair.public.fingerprint == byhand.fingerprint(kind, INSTANCE, 3, pair.public.raw)


def test_no_other_key_is_a_key_of_the_house():
    for kind in ("team", "custodian", "user"):
        with pytest.raises(ValueError, match=kind):
            house_key_pair(SEED, kind, INSTANCE, 1)


def test_the_seed_opens_for_its_own_pair_and_epoch_only():
    sealed = seal_key(pair_key("12", FIRST, SECOND), SEED, Binding("recovery", None, "12", 1))

    assert open_key(pair_key("12", FIRST, SECOND), sealed, Binding("recovery", None, "12", 1)) == SEED
    for key, pair, epoch in (("13", "12", 1), ("12", "13", 1), ("12", "12", 2)):
        with pytest.raises(Onleesbaar):
            open_key(pair_key(key, FIRST, SECOND), sealed, Binding("recovery", None, pair, epoch))


def test_a_half_is_for_one_custodian_one_pair_and_one_epoch():
    mine, other = (custodian_key_pair(CODE, INSTANCE, one) for one in (CUSTODIAN, b"d" * 16))
    wrapped = wrap(mine.public, FIRST, Grant("custodian", "12", None, 1))

    assert unwrap(mine, wrapped, Grant("custodian", "12", None, 1)) == FIRST
    for pair, grant in (
        (other, Grant("custodian", "12", None, 1)),
        (mine, Grant("custodian", "13", None, 1)),
        (mine, Grant("custodian", "12", None, 2)),
        (mine, Grant("entry", "12", None, 1)),
    ):
        with pytest.raises(Onleesbaar):
            unwrap(pair, wrapped, grant)
