"""The draft behind this browser's cookie: opened, filled in and kept, so that nothing that was typed is lost.

A page says which draft it shows, which revision of it and which page it is itself. When another page saved the same
step meanwhile, what stands there and what comes in are both kept, and the reporter is shown both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import g, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import draft_room
from weerbaar_meldpunt.actions.account_files import draft_slots, free_slot
from weerbaar_meldpunt.actions.drafts import (
    Draft,
    DraftChanged,
    draft_in,
    is_form_token,
    new_draft,
    open_draft,
    save_draft,
)
from weerbaar_meldpunt.actions.errors import NotReady, TooLarge
from weerbaar_meldpunt.actions.evidence import remove_blob
from weerbaar_meldpunt.actions.filing import FALLBACK
from weerbaar_meldpunt.actions.instance import readiness
from weerbaar_meldpunt.actions.people import Person
from weerbaar_meldpunt.actions.sweeping import keep_files

from .answer_kinds import Answers
from .answers import posted_names, rows_to_story, size_of, too_much
from .fields import FIELDS
from .guards import signed_in
from .place import instance, now, reading, transaction
from .sessions import DRAFT, give_cookie, read_cookie

LOG = logging.getLogger("meldpunt")
# Beside the answers stand notes of the form itself, in names that no field has.
SAVED, OTHER, EARLIER, ACCOUNT = "_saved", "_other", "_earlier", "_account"
_STORY: Final = "verhaal"  # the step of the story
# A revision counts how often a draft was saved; more digits are no number of ours.
_MOST_DIGITS: Final = 9
_TRIES: Final = 5
_JOINT: Final = "\n\n– – –\n\n"

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """What a page that was posted says of itself: whose draft it showed, at which revision, and which page it was."""

    draft: str
    revision: int
    page: str

    @classmethod
    def of_form(cls) -> Shown:
        """Read from the hidden fields of the form that came in."""
        text = request.form.get("_revision", "")
        revision = int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else 0
        return cls(request.form.get("_draft", ""), revision, request.form.get("_page", ""))


@dataclass
class Merged:
    """What became of the answers of a page: in the draft, with what another page had put there."""

    differing: dict[str, str] = field(default_factory=dict)  # by field: what stood there, in words as typed


def account() -> Person | None:
    """The account that a report is filed under: that of a signed-in reporter, never one of staff."""
    person = signed_in()
    return person if person is not None and person.is_reporter else None


def require_ready() -> None:
    """Until a team can receive a report, there is no form: only the telephone numbers."""
    with reading() as session:
        if not readiness(session, instance(), (FALLBACK,))[FALLBACK]:
            raise NotReady


def current() -> Draft | None:
    """The draft of this browser; nothing when there is none or its time is over. A sent one too."""
    if "draft" not in g:
        cookie = read_cookie(request, DRAFT)
        g.draft = None
        if cookie:
            with reading() as session:
                g.draft = open_draft(session, cookie, now=now())
    found: Draft | None = g.draft
    return found


def unsent() -> Draft | None:
    """The draft of this browser that is still to be sent."""
    found = current()
    return None if found is None or found.sent else found


def change(act: Callable[[Session, Draft], T]) -> T:
    """Open this browser's draft (or a new one), change it and save it, in one transaction.

    When another request saves at the very same moment, the change is made again on what that one left. `TooLarge`, with
    nothing changed, when it would hold more than a case can.
    """
    cookie = read_cookie(request, DRAFT)
    for last in range(_TRIES - 1, -1, -1):
        with transaction() as session:
            draft = open_draft(session, cookie, now=now()) if cookie else None
            if draft is None or draft.sent:
                draft = _new(session)
            result = act(session, draft)
            if too_much(draft.answers):
                raise TooLarge
            if account() is not None:
                draft.answers[ACCOUNT] = True
            try:
                save_draft(session, draft, now=now())
            except (DraftChanged, IntegrityError):  # or another tab took the same slot at that very moment
                if not last:
                    raise
                session.rollback()
                continue
        keep_files(instance(), [file.blob_id for file in draft.files])
        keep(draft)
        return result
    raise AssertionError("the last try answers or raises")


def _new(session: Session) -> Draft:
    """An empty draft: in a slot of the account that is signed in, else (or with all five taken) under its own code."""
    person = account()
    slot = free_slot(session, instance(), person.bundle) if person else None
    return draft_in(slot) if slot else new_draft(instance())


def of_account(session: Session) -> list[Draft]:
    """The drafts that the signed-in account did not send yet, wherever they were begun."""
    person = account()
    cookies = draft_slots(session, instance(), person.bundle) if person else []
    drafts = (open_draft(session, cookie, now=now()) for cookie in cookies)
    return [draft for draft in drafts if draft is not None and not draft.sent and has_content(draft)]


def forget() -> None:
    """Leave no way back to a draft in this browser; its code still opens it (wording 8).

    A page of somebody else's that links here sends no cookie along, so it cannot make a browser forget.
    """
    if read_cookie(request, DRAFT):
        keep(None)


def forget_sent() -> None:
    """When somebody leaves, the next at this browser must not find the receipt with its code."""
    draft = current()
    if draft is not None and draft.sent:
        keep(None)


def leave() -> Draft | None:
    """When somebody signs out: this browser forgets what it sent, and what was written under the account.

    Answers the unsent draft that it forgot, so that its code can be shown once; nothing when there is none.
    """
    draft = current()
    if draft is None or not (draft.sent or draft.answers.get(ACCOUNT)):
        return None
    give_cookie(DRAFT, None)
    g.draft = None
    return draft if not draft.sent and has_content(draft) else None


def room_for_files() -> int:
    """How many bytes of files all drafts together may still take; an operator is told when it is nothing."""
    with reading() as session:
        left = draft_room.left(session, instance(), now=now())
    if not left:
        LOG.error("drafts hold all that they may together route=%s", request.endpoint)
    return left


def room_for_words(typed: Answers) -> bool:
    """Whether the words of a page can be kept now. Those of an ordinary page always can."""
    with reading() as session:
        return draft_room.takes(session, instance(), size_of(typed), now=now())


def keep(draft: Draft | None) -> None:
    """Let this browser hold this draft from now on, or none."""
    g.draft = draft
    give_cookie(DRAFT, draft.cookie if draft else None)


def merge(draft: Draft, step: str, names: Sequence[str], typed: Answers, shown: Shown) -> Merged:
    """Put the answers of one page into the draft.

    They replace what stood there, unless another page saved this step since this one was made: then an empty answer
    clears nothing, texts are put one after the other, and of a choice the new one counts while the other is shown.
    """
    merged = Merged()
    revision, page = draft.answers.get(SAVED, {}).get(step, (0, ""))
    seen = shown.revision if shown.draft == draft.lookup.hex() else 0
    stale = revision > seen and page != shown.page
    fresh = dict(typed)
    if stale:
        for name in names:
            _keep_both(draft.answers, fresh, name, merged)
    for posted in posted_names(names):
        draft.answers.pop(posted, None)
    draft.answers |= fresh
    saved = draft.answers.setdefault(SAVED, {})
    saved[step] = [draft.revision + 1, shown.page]
    other = draft.answers.setdefault(OTHER, {})
    other.pop(step, None)
    if rows_to_story(draft.answers):
        saved[_STORY] = [draft.revision + 1, ""]  # an older page of the story must not clear them
    if merged.differing:
        other[step] = merged.differing
        saved[step][1] = ""  # the next answer of either page is looked at again
    return merged


def _keep_both(stood: Answers, fresh: Answers, name: str, merged: Merged) -> None:
    field_ = FIELDS[name]
    before = {posted: stood[posted] for posted in field_.posted if posted in stood}
    after = {posted: fresh[posted] for posted in field_.posted if posted in fresh}
    if not before or before == after:
        return
    if not after:
        fresh |= before
        return
    if field_.kind in ("long", "lines"):
        old, new = stood[name], fresh[name]
        if old in new or new in old:
            fresh[name] = max(old, new, key=len)
            return
        fresh[name] = old + ("\n" if field_.kind == "lines" else _JOINT) + new
    elif field_.kind == "links":
        rows = [
            row for part in (before, after) for row in zip(*(part[posted] for posted in field_.posted), strict=True)
        ]
        fresh |= dict(zip(field_.posted, map(list, zip(*dict.fromkeys(rows), strict=True)), strict=True))
        return
    merged.differing[name] = "\n".join(_words(value) for value in before.values())


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def other_answers(draft: Draft | None, step: str) -> dict[str, str]:
    """What another page had put in this step, while the reporter has not looked at it."""
    found: dict[str, str] = (draft.answers.get(OTHER, {}) if draft else {}).get(step, {})
    return found


def has_content(draft: Draft | None) -> bool:
    """Whether there is anything in a draft that somebody typed or sent."""
    return draft is not None and (
        bool(draft.files) or any(name not in (SAVED, OTHER, ACCOUNT) for name in draft.answers)
    )


def form_token_posted() -> str | None:
    """The token of the form that came in, when it can be one of ours."""
    token = request.form.get("_form", "")
    return token if is_form_token(token) else None


def drop_files(draft: Draft) -> None:
    """Delete the sealed files of a draft that is gone; after the transaction that let it go."""
    for file in draft.files:
        remove_blob(instance(), file.blob_id)
