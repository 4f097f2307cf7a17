"""From which state of a track to which other one may go, and who may do it: one table, and the rules of closing."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from . import vocabulary as codes
from .data import Data, PolicyFile, read_policy
from .teams import outcomes_for
from .values import OneOf

__all__ = [
    "CLOSED", "NEW", "TRANSFERRED", "longest_wait", "may_move", "moves_from", "needs_second_person", "outcomes_for",
]  # fmt: skip

NEW: Final = "nieuw"
CLOSED: Final = "afgerond"
# How a track ended of which another team has the case now. No outcome that anybody chooses: handing over sets it.
TRANSFERRED: Final = "overgedragen"

State = Annotated[str, OneOf(codes.TRACK_STATES)]
_OUTCOMES: Final = tuple(dict.fromkeys(outcome for outcomes in codes.OUTCOMES.values() for outcome in outcomes))


class Move(Data):
    """One allowed move."""

    come_from: tuple[State, ...]
    to: State
    who: Literal["team", "owner"]


class SecondPerson(Data):
    """Which closings wait for a second person."""

    urgencies: tuple[Annotated[str, OneOf(codes.URGENCIES)], ...]
    outcomes: tuple[Annotated[str, OneOf(_OUTCOMES)], ...]


class MovesFile(PolicyFile):
    """All moves, and the rules of waiting and closing."""

    longest_wait_days: int
    second_person: SecondPerson
    move: tuple[Move, ...]

    @model_validator(mode="after")
    def _leads_everywhere_and_back(self) -> Self:
        left = {state for move in self.move for state in move.come_from}
        reached = {move.to for move in self.move} | {codes.TRACK_STATES[0]}
        if left != set(codes.TRACK_STATES) or reached != set(codes.TRACK_STATES):
            raise ValueError("a state that cannot be reached, or never be left")
        return self


@cache
def _file() -> MovesFile:
    return read_policy(MovesFile, "moves.toml")


def may_move(state: str, to: str, *, is_owner: bool, is_coordinator: bool, is_team_member: bool) -> bool:
    """Whether this person may take a track from a state to another."""
    for move in _file().move:
        if state in move.come_from and to == move.to:
            return is_owner or is_coordinator or (is_team_member and move.who == "team")
    return False


def moves_from(state: str) -> tuple[str, ...]:
    """The states that a track in `state` can go to, for a page that offers them."""
    return tuple(dict.fromkeys(move.to for move in _file().move if state in move.come_from and move.to != state))


def needs_second_person(*, outcome: str, urgency: str) -> bool:
    """Whether a closing waits for a second person of the team: never one person's word alone."""
    rule = _file().second_person
    return urgency in rule.urgencies or outcome in rule.outcomes


def longest_wait() -> timedelta:
    """How long a track may wait for somebody before it is looked at again."""
    return timedelta(days=_file().longest_wait_days)
