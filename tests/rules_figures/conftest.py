"""For the tests of the figures: months at random, with corrections, and years closed from them."""

import hashlib
import hmac
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS, FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import Block, blocks_of
from weerbaar_meldpunt.rules.figures import Year, close_month, following, new_year

Codes = tuple[str, ...]
Facts = dict[Codes, int]

# How unlike the codes of a dimension are: each code weighs this to the power of its place.
SKEWS = {"flat": 1.0, "skewed": 0.6, "extreme": 0.15}


def noise_of(key: bytes) -> Callable[[str], float]:
    return lambda text: int.from_bytes(hmac.new(key, text.encode(), hashlib.sha256).digest()[:8], "big") / 2**64


@dataclass
class Desk:
    """A desk at work: it validates reports, corrects some and takes some back, month after month."""

    rng: random.Random
    rate: float
    skew: str = "skewed"
    measure: str = "meldingen"
    held: list[Codes] = field(default_factory=list)

    def report(self) -> Codes:
        codes = {}
        for name in FACT_DIMENSIONS[self.measure]:
            known = DIMENSIONS[name]
            weights = [SKEWS[self.skew] ** place for place in range(len(known))]
            codes[name] = self.rng.choices(known, weights)[0]
        if self.measure == "meldingen" and codes["soort"] == "juridisch" and codes["rolgroep"] != "ambtelijk":
            codes["route"] = self.rng.choice(("juridisch", "beveiliging"))  # as the routing rules see to
        return tuple(codes.values())

    def month(self, *, withdrawn: float = 0.03, recoded: float = 0.08) -> Facts:
        facts: Facts = {}

        def add(codes: Codes, n: int) -> None:
            facts[codes] = facts.get(codes, 0) + n

        for _ in range(max(0, round(self.rng.gauss(self.rate, self.rate**0.5)))):
            self.held.append(self.report())
            add(self.held[-1], 1)
        for share, again in ((withdrawn, False), (recoded, True)):
            for _ in range(sum(self.rng.random() < share for _ in range(len(self.held)))):
                add(self.held.pop(self.rng.randrange(len(self.held))), -1)
                if again:
                    self.held.append(self.report())
                    add(self.held[-1], 1)
        return {codes: n for codes, n in facts.items() if n}


@pytest.fixture(scope="session")
def desk() -> Callable[..., Desk]:
    """`desk(seed, rate, skew)`: a desk whose months are the same for the same seed."""

    def made(seed: object, rate: float = 40, skew: str = "skewed", **more: str) -> Desk:
        return Desk(random.Random(repr(seed)), rate, skew, **more)

    return made


@dataclass
class Closed:
    """A closed month: what came in, the year before and after it."""

    month: str
    facts: Facts
    before: Year
    after: Year


def closed_months(
    months: list[tuple[str, Facts]], measure: str = "meldingen", key: bytes = b"k" * 32
) -> Iterator[Closed]:
    noise, year = noise_of(key), None
    for month, facts in months:
        number = int(month[:4])
        if year is None:
            year = new_year(measure, number)
        elif year.year != number:
            year = following(year)
        after = close_month(year, month, facts, noise)
        yield Closed(month, facts, year, after)
        year = after


@pytest.fixture(scope="session")
def close() -> Callable[..., list[Closed]]:
    """`close([(month, facts), …])`: every month closed in turn, over new year too."""
    return lambda *args, **more: list(closed_months(*args, **more))


@pytest.fixture(scope="session")
def noise() -> Callable[[str], float]:
    return noise_of(b"k" * 32)


@pytest.fixture(scope="session")
def a_year(desk: Callable[..., Desk], close: Callable[..., list[Closed]]) -> tuple[Year, list[Block]]:
    """A year of twelve editions and every table they print; for tests that do not change it."""
    at_work = desk("a year", 60)
    closed = close([(f"2026-{number:02}", at_work.month()) for number in range(1, 13)])
    return closed[-1].after, [block for one in closed for block in blocks_of(one.after, one.month)]
