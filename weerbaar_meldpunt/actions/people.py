"""The people of the house, from four rooms: who they are (person), how they come in (enrolment), staff, bundles."""

from __future__ import annotations

from .bundles import open_bundle, seal_bundle
from .enrolment import (
    INVITATION,
    MAX_LOGIN,
    Enrolment,
    confirm_enrolment,
    enrol,
    invite,
    open_invitation,
    prepare_invited,
    register,
    shown_enrolment,
    sweep_unconfirmed,
)
from .person import (
    ACTIVE,
    DISABLED,
    INVITED,
    KEY_ROLES,
    STAFF_ROLES,
    STATS,
    TEAM_ROLES,
    Person,
    lookup_of,
    normal_login,
    open_user,
    seal_user,
    unlock,
)
from .staff import StaffRow, staff

__all__ = [
    "ACTIVE",
    "DISABLED",
    "INVITATION",
    "INVITED",
    "KEY_ROLES",
    "MAX_LOGIN",
    "STAFF_ROLES",
    "STATS",
    "TEAM_ROLES",
    "Enrolment",
    "Person",
    "StaffRow",
    "confirm_enrolment",
    "enrol",
    "invite",
    "lookup_of",
    "normal_login",
    "open_bundle",
    "open_invitation",
    "open_user",
    "prepare_invited",
    "register",
    "seal_bundle",
    "seal_user",
    "shown_enrolment",
    "staff",
    "sweep_unconfirmed",
    "unlock",
]
