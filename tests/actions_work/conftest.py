"""What tests of the work on a case share: a desk with a case on it, and short ways to act and to look."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import closing, reader, work
from weerbaar_meldpunt.actions.dossier import CaseView
from weerbaar_meldpunt.actions.filing import Filed
from weerbaar_meldpunt.actions.opening import keep_folds, note_opening, open_case
from weerbaar_meldpunt.actions.queue import QueuePage, fold_headlines, queue_page
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Due, Track

THREAT: dict[str, Any] = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["bedreiging_intimidatie"], "channels": ["email"]},
    "narrative": "Er kwam een mail met een bedreiging.",
    "contact": {"name": "R. de Boer", "telephone": "0612345678", "channel": "telefoon"},
}


@dataclass
class Desk:
    """The worker's side of an instance, at a moment that a test sets."""

    ready: Any
    file_report: Callable[..., Filed]
    now: datetime
    references: list[str]

    @property
    def instance(self) -> Any:
        return self.ready.instance

    def file(self, document: dict[str, Any] | None = None, **more: Any) -> Filed:
        """A report that is filed now."""
        filed = self.file_report(THREAT if document is None else document, now=self.now, **more)
        self.references.append(filed.reference)
        return filed

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def do(self, member: Any, reference: str, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One act of a member, in one transaction."""
        names = {name: more.pop(name) for name in ("team", "seen", "form") if name in more}
        with self.instance.sessions.begin() as session:
            return act(
                work.hold(session, self.instance, member.person, reference, now=self.now, **names), *args, **more
            )

    def open(self, member: Any, reference: str, team: str | None = None) -> CaseView:
        """Open a case the way the page does."""
        person = member.person
        with self.instance.sessions.begin() as session:
            opening = note_opening(session, self.instance, person, reference, now=self.now, team=team)
        with self.instance.readings() as session:
            view = open_case(session, self.instance, person, opening)
        if view.fresh:
            with self.instance.sessions.begin() as session:
                keep_folds(session, view)
        return view

    def queue(self, member: Any, team: str, **filters: Any) -> QueuePage:
        """A page of the queue the way the page makes it."""
        person = member.person
        with self.instance.readings() as session:
            page = queue_page(session, self.instance, person, team, now=self.now, **filters)
        if page.unfolded:
            with self.instance.sessions.begin() as session:
                page = fold_headlines(session, self.instance, person, team, page)
        return page

    def track(self, reference: str, team: str = "ondersteuning") -> Track:
        with self.instance.readings() as session:
            return session.scalars(
                select(Track)
                .join(Case, Case.id == Track.case_id)
                .where(Case.reference == reference, Track.team == team)
            ).one()

    def dues(self, reference: str, team: str = "ondersteuning") -> list[Due]:
        """The dues of a track that are open, earliest first."""
        with self.instance.readings() as session:
            return list(
                session.scalars(
                    select(Due)
                    .where(Due.track_id == self.track(reference, team).id, Due.ended_at.is_(None))
                    .order_by(Due.moment)
                )
            )

    def reporter(self, filed: Filed) -> reader.OwnCase:
        """The case as who filed it sees it."""
        with self.instance.readings() as session:
            content = reader.enter(session, self.instance, filed.receipt_code or "", now=self.now)
            assert content is not None
            keys = reader.reader_of(content)
            assert keys is not None
            return reader.own_case(session, self.instance, keys)

    def reply(self, filed: Filed, text: str) -> None:
        """The reporter writes to the team."""
        own = self.reporter(filed)
        with self.instance.sessions.begin() as session:
            reader.reply(session, self.instance, own, text, now=self.now)

    def facts(self, member: Any, reference: str, **changed: Any) -> None:
        """Establish the facts as the report has them."""
        view = self.open(member, reference)
        facts = closing.suggested_facts(view.report, view.answer) | changed
        self.do(member, reference, closing.validate_facts, facts)

    def finish(self, member: Any, reference: str, outcome: str = "geholpen") -> bool:
        """Take, establish the facts and close."""
        self.do(member, reference, work.take)
        self.facts(member, reference)
        return bool(self.do(member, reference, closing.close, outcome, done="Gebeld.", not_done=""))


@pytest.fixture
def desk(ready: Any, file: Any, clock: Any) -> Desk:
    return Desk(ready, file, clock.now, [])
