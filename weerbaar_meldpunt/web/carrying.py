"""What somebody typed, carried through the pages that ask who they are, and given back to be sent with one press.

It travels in hidden fields of those pages, from the browser and to it: nothing of it is kept here in between, and
nothing is sent by itself. Passwords, codes and files do not travel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from . import patience
from .paths import safe_next
from .patience import NoRoom

TO: Final = "_kept_to"
FIELD: Final = "_kept."
FILES: Final = "_kept_files"
LONG: Final = 20
# A form with one of these is about a secret itself: it is shown anew, and carried nowhere.
_SECRET: Final = frozenset({"password", "again", "old_password", "recovery", "passkey"})
# What a form says of itself: nobody wrote that.
_NOT_WRITTEN: Final = frozenset({"form", "seen", "blob", "user_id", "fingerprint"})
_OF_THE_PAGE: Final = frozenset({"csrf_token", "next"})


@dataclass(frozen=True)
class Carried:
    """A form that could not be taken yet: where it goes, and what is in it."""

    to: str
    fields: tuple[tuple[str, str], ...]
    had_files: bool = False

    @property
    def texts(self) -> list[str]:
        """What somebody wrote in it, to be read back."""
        return [
            value
            for name, value in self.fields
            if not name.startswith("_") and name not in _NOT_WRITTEN and len(value) > LONG
        ]


def this_form(most: int) -> Carried | None:
    """The form that came in, to be sent once more; nothing when it is about a secret.

    `most`: of a longer body nothing is read that was not read yet.
    """
    if request.method != "POST":
        return None
    unread = "form" not in vars(request)
    if unread and (patience.refused() or request.content_length is None or request.content_length > most):
        return None
    try:
        fields = tuple(request.form.items(multi=True))
        had_files = any(file.filename for file in request.files.values())
    except (HTTPException, NoRoom):
        patience.refuse()
        return None
    if any(name in _SECRET for name, _ in fields):
        return None
    own = tuple((name, value) for name, value in fields if name not in _OF_THE_PAGE)
    return Carried(request.full_path.rstrip("?"), own, had_files)


def carried() -> Carried | None:
    """What the form of a page that asks who somebody is brought along."""
    to = safe_next(request.form.get(TO)) if request.method == "POST" else None
    if to is None:
        return None
    fields = tuple(
        (name.removeprefix(FIELD), value) for name, value in request.form.items(multi=True) if name.startswith(FIELD)
    )
    return Carried(to, fields, bool(request.form.get(FILES)))


def give_back(found: Carried) -> ResponseReturnValue:
    """The page that shows what was typed and sends it with one press."""
    return render_template("signin/resend.html", carried=found)
