"""Pages of one's own case, that stand in two rooms: behind a receipt code, and under the account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import reader
from weerbaar_meldpunt.actions.account_files import AccountReader
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.actions.own_acts import OwnHeld, hold_own
from weerbaar_meldpunt.actions.reader import OwnCase

from . import mine, receipt, sessions
from .guards import SAFE_METHODS, account_required, person, reader_required, stepped_up, takes
from .place import instance, now, reading

CODE: Final = "receipt"
ACCOUNT: Final = "mine"
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Room:
    """One's own case by the way one came: with its code, or with an account and its number."""

    name: str
    reference: str = ""

    @property
    def by_account(self) -> bool:
        """Whether it is reached through an account."""
        return self.name == ACCOUNT

    def url(self, page: str, **values: Any) -> str:
        """The address of a page of this case."""
        more: dict[str, Any] = {"reference": self.reference} if self.by_account else {}
        return url_for(f"{self.name}.{page}", **more, **values)

    @property
    def back(self) -> tuple[str, str]:
        """The link back to the case."""
        return _("Uw melding"), self.url("case")

    def account_reader(self, session: Session) -> AccountReader:
        """The number this case has in the account."""
        return reader.account_reader(session, instance(), person(), self.reference)

    def keys(self, session: Session) -> Any:
        """The keys of this reader; `NotYours` for a case that is not theirs."""
        if self.by_account:
            return self.account_reader(session).keys
        content = sessions.content()
        found = reader.reader_of(content) if content else None
        if found is None:
            raise NotYours
        return found

    def own(self, session: Session) -> OwnCase:
        """The case, to look at."""
        return reader.own_case(session, instance(), self.keys(session))

    def held(self, session: Session) -> OwnHeld:
        """The case in hand, for an act."""
        return hold_own(session, instance(), self.keys(session), now=now())

    def require_reader(self) -> None:
        """`NotYours` for who may read nothing of the case, whatever they send."""
        with reading() as session:
            if reader.standing(session, self.keys(session)) != reader.READS:
                raise NotYours

    def is_shown_to_be_theirs(self) -> bool:
        """Behind a code: whether the code was typed again on this form. An account showed a second factor instead."""
        content = sessions.content()
        return self.by_account or (
            content is not None and reader.is_own_code(instance(), content, request.form.get("code", ""))
        )


def room_page(
    path: str, name: str, *, methods: Sequence[str] = ("GET",), limit: int | None = None, factor: bool = False,
    followers: bool = False,
) -> Callable[[View], View]:  # fmt: skip
    """Put a page in both rooms. With `factor` an account shows a second factor first; a code is typed on the page.

    `followers`: also for who may see no more than the progress.
    """

    def register(view: View) -> View:
        def shown(room: Room, **values: Any) -> ResponseReturnValue:
            if not followers and request.method not in SAFE_METHODS:
                room.require_reader()
            return view(room, **values)

        def by_code(**values: Any) -> ResponseReturnValue:
            return shown(Room(CODE), **values)

        def by_account(reference: str, **values: Any) -> ResponseReturnValue:
            return shown(Room(ACCOUNT, reference.upper()), **values)

        guarded = stepped_up(by_account) if factor else by_account
        rooms = (
            (receipt.pages, "/mijn-melding", reader_required(by_code)),
            (mine.pages, "/mijn-meldingen/<reference>", account_required(guarded)),
        )
        for pages, start, page in rooms:
            pages.add_url_rule(start + path, name, takes(limit)(page) if limit else page, methods=list(methods))
        return view

    return register
