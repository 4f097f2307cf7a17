"""Which pages there are: every blueprint of the web floor, with where it stands."""

from __future__ import annotations

from flask import Flask

from . import (
    absence,
    account,
    admission,
    alarms,
    audit,
    case,
    case_acts,
    claims,
    custodian,
    emergency,
    evidence,
    fg,
    figures,
    help,
    home,
    keys,
    linking,
    mandate,
    mine,
    other_team,
    own_data,
    passkeys,
    people,
    queue,
    receipt,
    recovery,
    report,
    retention,
    rewrap,
    roster,
    sampling,
    search,
    signin,
    staffing,
    stepup,
    withdrawal,
)

# Parts of the page of a case: they put themselves in the room `case`.
CASE_PAGES = (case_acts, other_team)
# Pages of one's own case: they put themselves in the rooms `receipt` and `mine`.
OWN_PAGES = (withdrawal, mandate, own_data)


def open_rooms(app: Flask) -> None:
    """Put all pages on an application."""
    rooms = (
        home, help, report, evidence, receipt, mine, signin, account, passkeys, recovery, stepup, people, roster, queue,
        admission, staffing, keys, rewrap, absence,
        case, claims, figures, custodian, emergency, retention, search, linking,
        alarms, audit, fg, sampling,
    )  # fmt: skip
    for room in rooms:
        app.register_blueprint(room.pages)
