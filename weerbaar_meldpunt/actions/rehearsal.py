"""A rehearsal of the figures: months of coded facts in, a complete publication out. No instance, nothing stored.

Every file that may hold words says PROEF. A rehearsal of real facts never leaves the house: beside the true editions
it would be a second rounding, from which counts can be worked out.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weerbaar_meldpunt.documents.figures_csv import codes_csv, costs_csv, counts_csv, read_counts
from weerbaar_meldpunt.documents.figures_method import method_page
from weerbaar_meldpunt.documents.figures_text import PROMISE, month_name, sentences
from weerbaar_meldpunt.rules.figure_codes import FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_costs import MEASURE as COSTS
from weerbaar_meldpunt.rules.figure_costs import costs_block
from weerbaar_meldpunt.rules.figure_edition import Block, Edition, all_blocks, blocks_of, edition_bytes
from weerbaar_meldpunt.rules.figure_gate import require_publishable
from weerbaar_meldpunt.rules.figure_lines import FactLine, read_fact_line
from weerbaar_meldpunt.rules.figure_periods import half_year, months, span
from weerbaar_meldpunt.rules.figures import Year, close_month, following, new_year
from weerbaar_meldpunt.rules.rounding import Unpublishable

from .figure_secret import RoundingSecret, program_version

__all__ = ["FactsFault", "Unpublishable", "rehearse"]

REHEARSAL: Final = "PROEF"
NOTICE: Final = "PROEF_LEES_MIJ.txt"
WARNING: Final = (
    "PROEF. Dit is een proef van de maandcijfers, geen publicatie. "
    "Een proef met echte feiten blijft binnen: naast de echte cijfers verraadt zij aantallen."
)
_MOST_MONTHS: Final = 240

Facts = dict[tuple[str, ...], int]


class FactsFault(Exception):
    """Wrong input, by the number of its line; or, without a line, a folder that cannot be written to."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


@dataclass
class _Input:
    """What stood in the lines: the facts by measure and month, and the lines that took something back."""

    facts: dict[str, dict[str, Facts]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    takers: dict[tuple[str, str, tuple[str, ...]], int] = field(default_factory=dict)
    line_of: dict[str, int] = field(default_factory=dict)  # the last line of a month
    digest: bytes = b""

    @property
    def months(self) -> list[str]:
        """Every month from the first to the last."""
        return months(min(self.line_of), max(self.line_of))


def rehearse(lines: Iterable[bytes], out: Path, *, key: bytes | None) -> None:
    """Write the publication of these lines into the folder `out`; the same lines and key give the same bytes.

    `FactsFault` for wrong input, `Unpublishable` when no edition keeps every promise; nothing is written then.
    The key is SHA-256 of "rehearse" and the lines unless one is given.
    """
    read = _read(lines)
    secret = RoundingSecret(read.digest if key is None else key)
    years = {measure: _close(read, measure, secret) for measure in FACT_DIMENSIONS if measure in read.facts}
    editions = _editions(read, years, secret)
    files = _files(read, editions)
    for measure, closed in years.items():
        _require_publishable(closed, files[f"{measure}.csv"], measure)
    _write(files, out)


def _read(lines: Iterable[bytes]) -> _Input:
    read, digest = _Input(), hashlib.sha256(b"rehearse")
    for number, text in enumerate(lines, 1):
        digest.update(text)
        try:
            line = read_fact_line(text)
        except ValueError as fault:
            raise FactsFault(str(fault), number) from None
        _count(read, line, number)
    if not read.line_of:
        raise FactsFault("there are no facts", 1)
    if len(read.months) > _MOST_MONTHS:
        raise FactsFault("period: too far from the first month", read.line_of[max(read.line_of)])
    read.digest = digest.digest()
    _require_nothing_taken_back_twice(read)
    return read


def _count(read: _Input, line: FactLine, number: int) -> None:
    month = read.facts[line.measure][line.period]
    month[line.codes] = month.get(line.codes, 0) + line.n
    read.line_of[line.period] = number
    if line.n < 0:
        read.takers[line.measure, line.period, line.codes] = number


def _require_nothing_taken_back_twice(read: _Input) -> None:
    """No combination of codes may count less than nothing at the end of a month."""
    wrong = []
    for measure in FACT_DIMENSIONS:
        running: Facts = {}
        for month in sorted(read.facts[measure]) if measure in read.facts else ():
            for codes, n in read.facts[measure][month].items():
                running[codes] = running.get(codes, 0) + n
                if running[codes] < 0 and (measure, month, codes) in read.takers:
                    wrong.append(read.takers[measure, month, codes])
    if wrong:
        raise FactsFault("more is taken back than was counted under these codes", min(wrong))


def _close(read: _Input, measure: str, secret: RoundingSecret) -> list[Year]:
    """The years of a measure after each of its months, oldest first; one entry a calendar year."""
    closed: list[Year] = []
    for month in read.months:
        number = int(month[:4])
        if not closed:
            closed.append(new_year(measure, number))
        elif closed[-1].year != number:
            closed.append(following(closed[-1]))
        closed[-1] = close_month(closed[-1], month, read.facts[measure].get(month, {}), secret.noise)
    return closed


def _editions(read: _Input, years: Mapping[str, list[Year]], secret: RoundingSecret) -> list[Edition]:
    found = []
    for month in read.months:
        blocks: list[Block] = []
        for closed in years.values():
            blocks += blocks_of(next(year for year in closed if month in year.shown), month)
        if COSTS in read.facts and month[5:] in ("06", "12"):
            blocks.append(_costs(read, half_year(month)))
        sources = {
            measure: secret.source(measure, month, read.facts[measure].get(month, {})) for measure in sorted(read.facts)
        }
        found.append(Edition(month, tuple(blocks), sources, program_version()))
    return found


def _costs(read: _Input, period: str) -> Block:
    first, last = span(period)
    spent: dict[tuple[str, str], int] = {}
    for month, facts in read.facts[COSTS].items():
        if first <= month <= last:
            for (kind, organisation), euro in facts.items():
                spent[kind, organisation] = spent.get((kind, organisation), 0) + euro
    return costs_block(spent, period)


def _files(read: _Input, editions: list[Edition]) -> dict[str, bytes]:
    files = {"codes.csv": codes_csv(), "methode.html": method_page(REHEARSAL).encode()}
    for measure in FACT_DIMENSIONS:
        if measure in read.facts:
            files[f"{measure}.csv"] = counts_csv(all_blocks(editions, measure))
    if COSTS in read.facts:
        files[f"{COSTS}.csv"] = costs_csv(all_blocks(editions, COSTS))
    hashes = "".join(f"{_sha256(content)}  {name}\n" for name, content in sorted(files.items()))
    files[NOTICE] = f"{WARNING}\n\nSHA-256 van de bestanden:\n{hashes}".encode()
    before = None
    for edition in editions:
        folder = f"editions/{edition.period}/"
        said = "\n".join(sentences(edition, before))
        title = f"Maandcijfers {month_name(edition.period)}"
        files[folder + "tekst.txt"] = f"{WARNING}\n\n{title}\n\n{said}\n\n{PROMISE}\n".encode()
        files[folder + "edition.json"] = _edition_json(edition, {"tekst.txt": files[folder + "tekst.txt"]})
        before = edition
    return files


def _edition_json(edition: Edition, beside: Mapping[str, bytes]) -> bytes:
    document = {
        "status": REHEARSAL,
        "period": edition.period,
        "program": edition.program,
        "sources": {name: {"key": one.key, "input": one.input} for name, one in edition.sources.items()},
        "edition_sha256": _sha256(edition_bytes(edition)),
        "files_sha256": {name: _sha256(content) for name, content in beside.items()},
    }
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require_publishable(closed: list[Year], text: bytes, measure: str) -> None:
    """The gate, on what stands in the file: all editions of a calendar year together."""
    blocks = read_counts(text, measure)
    for year in closed:
        require_publishable(year, [block for block in blocks if block.period.startswith(str(year.year))])


def _write(files: Mapping[str, bytes], out: Path) -> None:
    """Everything or nothing: written beside `out` and moved into its place at once."""
    out = out.absolute()
    _require_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as fault:
        raise FactsFault(f"{out.parent}: {fault.strerror}") from None
    try:
        for name, content in files.items():
            path = made / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _move(made / "new", out, aside=made / "old")
    except OSError as fault:
        raise FactsFault(f"{out}: {fault.strerror}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, out: Path, *, aside: Path) -> None:
    if out.exists():
        out.rename(aside)
    try:
        made.rename(out)
    except OSError:
        if aside.exists():
            aside.rename(out)
        raise


def _require_free(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise FactsFault(f"{out}: not a folder")
    if out.exists() and any(out.iterdir()) and not (out / NOTICE).is_file():
        raise FactsFault(f"{out}: the folder holds something else than an earlier rehearsal")
