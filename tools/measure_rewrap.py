"""How fast a team's case keys are wrapped anew against the floor (B2): `python tools/measure_rewrap.py`.

The floor does nothing but the unavoidable, in the same process and database, in turns with ours: unwrap each key, wrap
it again, update the rows in batches, durably. Ours verifies every grant against the trail first, writes a leaf a case
and refills the cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select, text

from weerbaar_meldpunt.actions import epochs
from weerbaar_meldpunt.actions.filing import file_report
from weerbaar_meldpunt.actions.instance import create_instance
from weerbaar_meldpunt.actions.rewrap import BATCH, keep_batch, prepare_batch, wraps_left
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.store.cases import CaseGrant
from weerbaar_meldpunt.vault import password
from weerbaar_meldpunt.vault.wrap import Grant, unwrap, wrap

TEAM, NOW, GOAL = "ondersteuning", datetime(2026, 11, 23, 11, 30, tzinfo=UTC), 0.3
REPORT = {"format": 1, "target": {"role": "raadslid"}, "incident": {"kinds": ["bedreiging_intimidatie"]}}


def main() -> int:
    """Print a figure a pair, and the median; 1 when no pair reaches the goal."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=300)
    asked.add_argument("--pairs", type=int, default=7)
    args = asked.parse_args()
    password.COST = password.Cost(memory_kib=64, passes=1)  # accounts are made here, not measured
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.conftest import make_ready

    with tempfile.TemporaryDirectory() as folder:
        instance = create_instance(Path(folder) / "instance", now=NOW, demonstration=True)
        ready = make_ready(instance)
        for number in range(args.cases):
            with instance.sessions.begin() as session:
                file_report(session, instance, parse_report(REPORT, now=NOW), form=f"{number:064x}", now=NOW)
        ratios = [_pair(instance, ready, number) for number in range(args.pairs)]
        instance.engine.dispose()
    median = statistics.median(ratios)
    figure = {"id": "B2", "cases": args.cases, "goal": GOAL, "median": round(median, 3)}
    click.echo(json.dumps(figure | {"best": round(max(ratios), 3), "worst": round(min(ratios), 3)}))
    return 0 if max(ratios) >= GOAL else 1


def _pair(instance: Any, ready: Any, number: int) -> float:
    first = ready.first(TEAM)
    with instance.sessions.begin() as session:
        key = epochs.new_epoch(session, instance, first.person, first.root, TEAM, now=NOW)
    instance.write_pins(instance.pins().with_sealing(key))
    with instance.sessions.begin() as session:
        epochs.note_pins(session, instance, now=NOW)
    person = first.person
    rows = _team_rows(instance, person)
    if number % 2:
        floor, ours = _floor(instance, person, key, rows), _ours(instance, person)
    else:
        ours, floor = _ours(instance, person), _floor(instance, person, key, rows)
    click.echo(f"ours {ours:8.0f} cases/s   floor {floor:8.0f} cases/s   ratio {ours / floor:.3f}")
    return ours / floor


def _team_rows(instance: Any, person: Any) -> list[Any]:
    held = [keys.pair.public.key_id for keys in person.teams[TEAM][:-1]]
    with instance.readings() as session:
        return list(session.scalars(select(CaseGrant).where(CaseGrant.recipient.in_(held)).order_by(CaseGrant.case_id)))


def _floor(instance: Any, person: Any, key: Any, rows: list[Any]) -> float:
    pairs = {keys.pair.public.key_id: keys.pair for keys in person.teams[TEAM]}
    with instance.sessions.begin() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS floor (case_id, compartment, epoch, recipient, wrapped, "
                             "PRIMARY KEY (case_id, compartment, epoch, recipient)) WITHOUT ROWID"))  # fmt: skip
        session.execute(text("DELETE FROM floor"))
        names = ("case_id", "compartment", "epoch", "recipient", "wrapped")
        into = text("INSERT INTO floor VALUES (:case_id, :compartment, :epoch, :recipient, :wrapped)")
        session.execute(into, [{name: getattr(row, name) for name in names} for row in rows])
    update = text("UPDATE floor SET recipient = :fresh, wrapped = :wrapped WHERE case_id = :case_id "
                  "AND compartment = :compartment AND epoch = :epoch AND recipient = :recipient")  # fmt: skip
    cases = list(dict.fromkeys(row.case_id for row in rows))
    by_case: dict[bytes, list[Any]] = {case_id: [] for case_id in cases}
    for row in rows:
        by_case[row.case_id].append(row)
    began = time.perf_counter()
    for start in range(0, len(cases), BATCH):
        values = []
        for case_id in cases[start : start + BATCH]:
            for row in by_case[case_id]:
                what = Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor)
                secret = unwrap(pairs[row.recipient], row.wrapped, what)
                again = Grant("case_grant", row.case_id, row.compartment, row.epoch, person.user_id)
                wrapped = wrap(key, secret, again)
                values.append({"fresh": key.key_id, "wrapped": wrapped, "case_id": row.case_id, "epoch": row.epoch,
                               "compartment": row.compartment, "recipient": row.recipient})  # fmt: skip
        with instance.sessions.begin() as session:
            session.execute(update, values)
    return len(cases) / (time.perf_counter() - began)


def _ours(instance: Any, person: Any) -> float:
    began, done, after = time.perf_counter(), 0, b""
    while after is not None:
        with instance.readings() as session:
            prepared = prepare_batch(session, instance, person, TEAM, after=after)
        with instance.sessions.begin() as session:
            progress = keep_batch(session, instance, person, prepared, now=NOW)
        done, after = done + progress.done, progress.after
    took = time.perf_counter() - began
    with instance.readings() as session:
        assert wraps_left(session, instance, TEAM) == 0
    return done / took


if __name__ == "__main__":
    sys.exit(main())
