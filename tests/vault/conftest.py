"""The vault is tested at its real cost, with everything it seals to made from fixed bytes."""

import pytest

from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import SealKey
from weerbaar_meldpunt.vault.wrap import KeyPair


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Nothing is cheapened here; elsewhere a fixture of this name makes passwords cost little."""


@pytest.fixture(scope="session")
def key() -> SealKey:
    return SealKey(b"k" * 32)


@pytest.fixture(scope="session")
def team() -> KeyPair:
    """The pair of a team."""
    return TeamKeys("juridisch", 1, b"t" * 32).pair
