"""`meldpunt audit …`: is what happened still what the trail says. Thin: calls an action, prints, sets the status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from weerbaar_meldpunt.cli_parts import CHECK_FAILED, opened, print_json, refuse

# What is wrong, for who runs the machine; {where} is a table with the id of the row, or a number.
FOUND: Final = {
    "leaf_removed": "leaves {where} were removed",
    "leaf_inserted": "a leaf was inserted",
    "leaf_altered": "the leaf was altered",
    "leaf_moved": "the leaf was moved: it was number {where}",
    "leaf_rows_altered": "the list of rows that the leaf covers was altered",
    "not_by_this_program": "the leaf was written or rewritten without the server key",
    "body_altered": "the sealed words of the leaf were altered",
    "body_removed": "the sealed words of the leaf were removed, and its case was not erased",
    "tail_removed": "the end of the trail was removed: leaves {where}",
    "rewritten_since": "the trail up to here is not what it was: {where}",
    "row_altered": "a row was altered: {where}",
    "row_removed": "a row was removed: {where}",
    "row_put_back": "a row that was deleted was put back: {where}",
    "row_rolled_back": "a row was rolled back to what it was before: {where}",
    "row_swapped": "a row was swapped with another: {where}",
    "row_inserted": "a row was inserted: {where}",
    "table_unknown": "a leaf covers a table that this program does not know: {where}",
    "tombstone_missing": "the tombstone of what was replaced was removed: {where}",
    "tombstones_altered": "the tombstones of checkpoint {where} were altered",
    "tombstones_not_as_anchor": "the tombstones are not those of the external anchor",
    "checkpoint_removed": "checkpoint {where} was removed",
    "checkpoint_altered": "checkpoint {where} was altered",
    "anchor_of_another": "the external anchor is of another instance or another server key",
    "anchor_not_signed": "the signature of the external anchor is wrong: was it copied as a whole?",
}


@click.group()
def audit() -> None:
    """The trail of what happened."""


@audit.command()
@click.option(
    "--anchor", help="A checkpoint as it was mailed: its text, a file that holds it, or - for standard input."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify(anchor: str | None, as_json: bool) -> None:
    """Hold everything against the trail. Status 1 when something was altered, removed, inserted or put back."""
    from weerbaar_meldpunt.actions.verifying import one_moment
    from weerbaar_meldpunt.actions.verifying import verify as check

    with opened() as instance, instance.readings() as session:
        one_moment(session)
        try:
            verdict = check(session, instance, anchor=None if anchor is None else _text(anchor))
        except ValueError:
            refuse("--anchor: there is no checkpoint in this text; copy the mail as a whole")
    if as_json:
        print_json(_document(verdict))
    else:
        for line in report_lines(verdict):
            click.echo(line)
    sys.exit(CHECK_FAILED if verdict.wrong else 0)


def _text(anchor: str) -> str:
    if anchor == "-":
        return sys.stdin.read()
    if "\n" not in anchor and len(anchor) < 1000 and Path(anchor).is_file():
        return Path(anchor).read_text("utf-8", errors="replace")
    return anchor.replace("\\n", "\n")


def report_lines(verdict: Any) -> list[str]:
    """What a check found, for who runs the machine."""
    lines = [
        f"{verdict.leaves} leaves, {verdict.rows} rows, {verdict.checkpoints} checkpoints, "
        f"{verdict.tombstones} tombstones read"
    ]
    lines.append(
        f"extern anker: {verdict.anchor} (compared with an external anchor)"
        if verdict.anchor
        else "geen extern anker (no external anchor: a tail rewritten with the server key would not show)"
    )
    if not verdict.wrong:
        return [*lines, "Everything is as the trail says."]
    findings = verdict.sorted()
    lines += [f"WRONG  {_numbered(one)}" for one in findings]
    if verdict.wrong > len(findings):
        lines.append(f"… and {verdict.wrong - len(findings)} more")
    first = verdict.first
    return [*lines, f"First bad number: {first.seq if first and first.seq is not None else 'none'}"]


def _numbered(finding: Any) -> str:
    number = f"leaf {finding.seq}" if finding.seq is not None else "no leaf"
    return f"{number}: {FOUND[finding.what].format(where=finding.where)}"


def _document(verdict: Any) -> dict[str, Any]:
    first = verdict.first
    return {
        "fine": not verdict.wrong, "leaves": verdict.leaves, "rows": verdict.rows, "checkpoints": verdict.checkpoints,
        "tombstones": verdict.tombstones, "anchor": verdict.anchor or None, "wrong": verdict.wrong,
        "first": first.seq if first else None,
        "findings": [{"seq": one.seq, "what": one.what, "where": one.where} for one in verdict.sorted()],
    }  # fmt: skip
