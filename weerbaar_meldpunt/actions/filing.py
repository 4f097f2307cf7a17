"""Filing a report: routed, sealed for exactly those who may read it, on its way and chased, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase, words
from weerbaar_meldpunt.rules.report import Report
from weerbaar_meldpunt.rules.routing import Answer, compartments_for, decide
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.cases import Attachment, Case, CaseDoc, Reader
from weerbaar_meldpunt.store.tracks import Due, Duty, Track
from weerbaar_meldpunt.vault.codes import ALPHABET, shown_code
from weerbaar_meldpunt.vault.derive import new_id, random_below
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys
from weerbaar_meldpunt.vault.seal import Binding
from weerbaar_meldpunt.vault.wrap import PublicKey

from . import dossier, emergency
from .account_files import account_readers, next_reader
from .casekeys import MELDING, NOTITIES, VEILIG, CaseRing, grant_to_reader, grant_to_team, open_for_reader
from .claimrows import make_claim, open_claim
from .drafts import DraftFile
from .errors import NotReady, TooLarge
from .evidence import MAX_CASE
from .instance import Instance, ready_keys
from .labels import labelled
from .ledger import Ledger, last_leaf
from .people import Person

FALLBACK: Final = "ondersteuning"
CLAIM_DAYS: Final = 30
# Somebody at the desk typed it, or a machine of an organisation sent it: the official comes later, with a claim code.
WITHOUT_READER: Final = frozenset({"telefoon", "json"})


@dataclass(frozen=True)
class Filed:
    """What the reporter gets to see once the report is safe."""

    reference: str
    receipt_code: str | None = field(repr=False)
    claim_code: str | None = field(repr=False)
    words: tuple[str, str] = field(repr=False)
    answer: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    teams: tuple[str, ...]
    reader: ReaderKeys = field(repr=False)  # opens the reporter's side of the case
    repeated: bool = False


class FiledElsewhere(Exception):
    """This form was filed already, under an account that is not signed in now: its case is safe, and not shown."""


def file_report(
    session: Session, instance: Instance, report: Report, *, form: str, now: datetime,
    files: Sequence[DraftFile] = (), account: Person | None = None, sharing: Mapping[str, Any] | None = None,
) -> Filed:  # fmt: skip
    """Seal and route a report. The same form sent twice files one case and shows the same code.

    `sharing` is whom the reporter allows us to tell: `met` (politie, organisatie, platform, niemand) and `via`.
    """
    keys = FormKeys(bytes.fromhex(form))
    known = select(Case.id).where(Case.form_key == keys.idempotency_key).scalar_subquery().label("known")
    last = last_leaf(session, known)
    readers = _own_reader(session, instance, keys, account, known=last.known)
    if last.known is not None:
        return _again(session, instance, keys, readers, last.known, account)
    if sum(file.size for file in files) > MAX_CASE:
        raise TooLarge
    received = report.received_at or now
    answer = decide(report, now=received)
    teams = _ready_teams(session, instance, answer)
    case_id, ring = new_id(), None
    ring = CaseRing.new(case_id)
    reference = _reference()
    chosen = words.control_words(random_below)
    ledger = Ledger(session, instance, now=now, last=last)
    ledger.add(
        Case, id=case_id, reference=reference, rules_version=answer.rules_version, received_at=received,
        form_key=keys.idempotency_key,
    )  # fmt: skip

    recipients = _grant_teams(ledger, ring, teams)
    reader_keys, claim_code, claim_until = list[tuple[PublicKey, str]](), None, None
    has_reader = account is not None or report.intake not in WITHOUT_READER
    if has_reader:
        own = grant_to_reader(ledger, ring, readers, (MELDING, VEILIG))
        role = "melder" if report.reporter.relation == "zelf" else "gemachtigde"
        ledger.add(Reader, lookup=readers.lookup, case_id=case_id, key_id=own.key_id, role=role)
        reader_keys.append((own, role))
    if report.reporter.relation != "zelf" or not has_reader:
        claim_code, claim_until = shown_code(keys.code("claim")), now + timedelta(days=CLAIM_DAYS)
        public = make_claim(ledger, instance, keys, ring, (MELDING, VEILIG), until=claim_until)
        reader_keys.append((public, "claim"))
    for compartment in (MELDING, VEILIG):
        recipients[compartment]["readers"] = [[key.raw.hex(), part] for key, part in reader_keys]

    more = {"claim_until": claim_until.isoformat()} if claim_until else {}
    _seal_documents(ledger, ring, report, answer, chosen, recipients, received, teams, sharing, more)
    _open_tracks(ledger, case_id, teams, report, answer, received, now)
    emergency.note(
        session, instance, ledger, case_id=case_id, reference=reference, urgency=answer.urgency, teams=teams.values(),
        report={"contact": report.contact.model_dump(mode="json"), "barred_member": report.barred_member},
    )  # fmt: skip
    for file in files:
        attachment = new_id()
        sealed = ring.seal(MELDING, file.document() | {"by": "melder"}, Binding("attachment", case_id, attachment, 1))
        ledger.add(
            Attachment, id=attachment, case_id=case_id, compartment=MELDING, revision=1, blob_id=file.blob_id,
            sealed=sealed,
        )  # fmt: skip
    event = new_id()
    body = ring.seal(MELDING, {"text": "", "files": len(files)}, Binding("event", case_id, event, 0))
    ledger.close(reader_keys[0][0].key_id, "ingediend", case_id, body, event=event)
    labelled("filing/leaf-written")
    return Filed(
        reference, shown_code(keys.code("receipt")) if has_reader and not account else None, claim_code, chosen,
        answer.as_document(), received, tuple(teams), readers,
    )  # fmt: skip


def filed_before(session: Session, instance: Instance, *, form: str, account: Person | None = None) -> Filed | None:
    """What a form that was sent already gave, with the same codes; nothing when it was never filed.

    `FiledElsewhere` when it was filed under another account, or without one.
    """
    keys = FormKeys(bytes.fromhex(form))
    known = session.scalar(select(Case.id).where(Case.form_key == keys.idempotency_key))
    if known is None:
        return None
    return _again(session, instance, keys, _own_reader(session, instance, keys, account, known=known), known, account)


def receiving_teams(session: Session, instance: Instance, answer: Answer) -> tuple[str, ...]:
    """The teams that would get a report with this answer, to say so before it is sent; `NotReady` when none can."""
    return tuple(_ready_teams(session, instance, answer))


def _own_reader(
    session: Session, instance: Instance, keys: FormKeys, account: Person | None, *, known: bytes | None
) -> ReaderKeys:
    """The keys of the reporter's side: from the receipt code, or from the account's next number."""
    if account is None:
        return ReaderKeys.from_code(keys.code("receipt"), instance.id)
    if known is not None:
        for one in account_readers(session, instance, account.bundle):
            if one.case_id == known:
                return one.keys
    return next_reader(session, instance, account.bundle)


def _ready_teams(session: Session, instance: Instance, answer: Answer) -> dict[str, PublicKey]:
    """The teams that get the case; one that is not ready is replaced by ondersteuning."""
    keys = ready_keys(session, instance, TEAMS)
    if FALLBACK not in keys:
        raise NotReady
    wanted = [route if route in keys else FALLBACK for route in answer.routes or (FALLBACK,)]
    return {team: keys[team] for team in dict.fromkeys(wanted)}


def _reference() -> str:
    text = "".join(ALPHABET[random_below(32)] for _ in range(8))
    return f"{text[:4]}-{text[4:]}"


def _grant_teams(ledger: Ledger, ring: CaseRing, teams: Mapping[str, PublicKey]) -> dict[str, dict[str, Any]]:
    recipients: dict[str, dict[str, Any]] = {c: {"teams": [], "readers": []} for c in (MELDING, VEILIG, NOTITIES)}
    for team, key in teams.items():
        granted = compartments_for(team)
        grant_to_team(ledger, ring, key, granted)
        for compartment in granted:
            recipients[compartment]["teams"].append([team, key.epoch])
    return recipients


def _seal_documents(
    ledger: Ledger, ring: CaseRing, report: Report, answer: Answer, chosen: tuple[str, str],
    recipients: Mapping[str, Any], received: datetime, teams: Mapping[str, PublicKey],
    sharing: Mapping[str, Any] | None, more: Mapping[str, Any],
) -> None:  # fmt: skip
    document = report.as_document()
    private = document.pop("private", None)
    marks = list(answer.marks)
    marks += [f"team_niet_gereed_{route}" for route in answer.routes if route not in teams]
    if not answer.routes and "doorverwijzen" not in marks:
        marks.append("doorverwijzen")
    melding = {
        "report": document, "answer": answer.as_document(), "words": list(chosen), "marks": marks,
        "received_at": received.isoformat(), "recipients": recipients, "facts": None,
        "sharing": dict(sharing) if sharing else None, **more,
    }  # fmt: skip
    for compartment, content in ((MELDING, melding), (VEILIG, {"private": private or {}})):
        sealed = ring.seal(compartment, content, Binding("case_doc", ring.case_id, compartment, 1))
        ledger.add(CaseDoc, case_id=ring.case_id, compartment=compartment, revision=1, sealed=sealed)


def _open_tracks(
    ledger: Ledger, case_id: bytes, teams: Mapping[str, PublicKey], report: Report, answer: Answer,
    received: datetime, now: datetime,
) -> None:  # fmt: skip
    contact = report.contact.model_dump(mode="json")
    for team in teams:
        planned = chase.first_dues(answer, team, received_at=received, teams=tuple(teams), contact=contact)
        first = min(planned, key=lambda due: due.moment)
        track = new_id()
        ledger.add(
            Track, id=track, case_id=case_id, team=team, state="nieuw", urgency=answer.urgency, opened_at=now,
            due_at=first.moment, due_kind=first.kind,
        )  # fmt: skip
        for due in planned:
            ledger.add(
                Due, id=new_id(), track_id=track, kind=due.kind, moment=due.moment, step="gepland",
                next_at=chase.first_look(due, answer.urgency, now=now),
            )  # fmt: skip


def _again(
    session: Session, instance: Instance, keys: FormKeys, reader: ReaderKeys, case_id: bytes, account: Person | None
) -> Filed:
    """The answer to a form that was filed before: the same codes, read back from the sealed case."""
    case = session.get_one(Case, case_id)
    claim = open_claim(session, instance, keys.code("claim"))
    found = dossier.load(session, instance, case_id, team=None, recipient=reader.pair(case_id).public.key_id)
    filed_by = bool(found.grants)
    if not filed_by and claim is not None and claim.case_id == case_id:  # there is no reader but the one that waits
        reader = claim.keys
        found = dossier.load(session, instance, case_id, team=None, recipient=reader.pair(case_id).public.key_id)
    if not found.grants:
        raise FiledElsewhere
    ring = open_for_reader(case_id, reader, found.grants, found.epochs, found.trail)
    content = dossier.open_doc(ring, found, MELDING)
    teams = tuple(team for team, _ in content["recipients"][MELDING]["teams"])
    first, second = content["words"]
    return Filed(
        case.reference, shown_code(keys.code("receipt")) if filed_by and not account else None,
        shown_code(keys.code("claim")) if claim else None, (first, second), content["answer"], case.received_at,
        teams, reader, repeated=True,
    )  # fmt: skip


def promised_contact(
    session: Session, answer: Mapping[str, Any], teams: Sequence[str], *, now: datetime
) -> datetime | None:
    """The moment before which we say that we call or write; nothing while the roster of duty does not cover it."""
    moment = datetime.fromisoformat(answer["first_contact_before"])
    nights = chase.runs_day_and_night("eerste_contact", answer["urgency"], now=now)
    return moment if moment > now and on_duty(session, teams, moment, now=now, nights=nights) else None


def on_duty(session: Session, teams: Sequence[str], moment: datetime, *, now: datetime, nights: bool = True) -> bool:
    """Whether the roster covers a moment that is promised.

    With `nights` one team has somebody on duty without a gap from now until then; else at the moment itself, since
    what waits for office hours needs nobody at night.
    """
    rows = session.execute(
        select(Duty.team, Duty.starts_at, Duty.ends_at)
        .where(Duty.team.in_(teams), Duty.starts_at < moment, Duty.ends_at > now)
        .order_by(Duty.starts_at)
    ).all()
    if not nights:
        return any(row.ends_at >= moment for row in rows)
    covered = dict.fromkeys(teams, now)
    for row in rows:
        if row.starts_at <= covered[row.team]:
            covered[row.team] = max(covered[row.team], row.ends_at)
    return any(until >= moment for until in covered.values())
