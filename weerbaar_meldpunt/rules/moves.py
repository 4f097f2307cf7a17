"""From which state of a track to which other one may go, and who may do it: one table, and the rules of closing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .teams import outcomes_for

__all__ = ["CLOSED", "Move", "may_move", "moves_from", "needs_second_person", "outcomes_for"]

CLOSED: Final = "afgerond"
_WAITING: Final = ("wacht_op_melder", "wacht_op_derde")


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move. Without `any_member` it is for the owner and the coordinator only."""

    come_from: tuple[str, ...]
    to: str
    any_member: bool = False


# Vocabulary, "Track states and moves". Read from the top; the first row that fits decides.
MOVES: Final = (
    Move(("nieuw",), "in_behandeling", any_member=True),
    Move(("in_behandeling", *_WAITING), "wacht_op_melder"),
    Move(("in_behandeling", *_WAITING), "wacht_op_derde"),
    Move(_WAITING, "in_behandeling"),
    Move(("in_behandeling", *_WAITING), CLOSED),
    Move((CLOSED,), "in_behandeling", any_member=True),
)


def may_move(state: str, to: str, *, is_owner: bool, is_coordinator: bool, is_team_member: bool) -> bool:
    """Whether this person may take a track from a state to another."""
    for move in MOVES:
        if state in move.come_from and to == move.to:
            return is_owner or is_coordinator or (is_team_member and move.any_member)
    return False


def moves_from(state: str) -> tuple[str, ...]:
    """The states that a track in `state` can go to, for a page that offers them."""
    return tuple(dict.fromkeys(move.to for move in MOVES if state in move.come_from and move.to != state))


# "geen_incident", an acute case, and measures that were refused: never one person's word alone.
_REFUSED_MEASURES: Final = frozenset({"geen_aanspraak_alternatief", "advies_zonder_maatregelen"})
_SECOND_PERSON: Final = _REFUSED_MEASURES | {"geen_incident"}


def needs_second_person(*, outcome: str, urgency: str) -> bool:
    """Whether a closing waits for a second person of the team."""
    return urgency == "acuut" or outcome in _SECOND_PERSON
