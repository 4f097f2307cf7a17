"""The teams, as data: what each may open of a case and how its work can end."""

from __future__ import annotations

from functools import cache
from typing import Literal, Self

from pydantic import Field, model_validator

from .data import Data, PolicyFile, read_policy


class Team(Data):
    """One team."""

    code: str = Field(pattern="^[a-z_]+$")
    compartments: tuple[Literal["A", "B", "N"], ...]
    outcomes: tuple[str, ...]

    @model_validator(mode="after")
    def _can_read_the_report(self) -> Self:
        if "A" not in self.compartments:
            raise ValueError(f"{self.code}: who holds B or N holds A")
        return self


class TeamsFile(PolicyFile):
    """All teams."""

    common_outcomes: tuple[str, ...]
    team: tuple[Team, ...]


@cache
def teams() -> dict[str, Team]:
    """The teams by code, in the order of routes."""
    return {team.code: team for team in _file().team}


def compartments_for(team: str) -> tuple[str, ...]:
    """The compartments of a case that a team is granted; `KeyError` for no team."""
    return teams()[team].compartments


def outcomes_for(team: str) -> tuple[str, ...]:
    """The outcomes with which this team can close its track; `KeyError` for no team."""
    return teams()[team].outcomes + _file().common_outcomes


@cache
def _file() -> TeamsFile:
    return read_policy(TeamsFile, "teams.toml")
