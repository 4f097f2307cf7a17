"""What the rules say of a report, with the reason for every part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .terms import LegalTerm
from .values import AMSTERDAM

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stands in an answer: the rule, what it is about, and words for a worker."""

    rule: str
    about: str
    because: str

    def as_document(self) -> dict[str, str]:
        """As it stands in an answer."""
        return {"rule": self.rule, "about": self.about, "because": self.because}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the rules. Moments are UTC; a document shows them in Amsterdam's time."""

    rules_version: str
    routes: tuple[str, ...]
    urgency: str
    first_contact_before: datetime
    security_entitlement: str
    marks: tuple[str, ...]
    offers: tuple[str, ...]
    side_actions: tuple[str, ...]
    legal_terms: tuple[LegalTerm, ...]
    reasons: tuple[Reason, ...]
    # When an announced moment comes so near that the report must be decided again; for the chase, not in a document.
    decide_again_at: datetime | None = None
    format: int = FORMAT

    def as_document(self) -> dict[str, Any]:
        """The answer as JSON carries it, in the order of the report format."""
        return {
            "format": self.format,
            "rules_version": self.rules_version,
            "routes": list(self.routes),
            "urgency": self.urgency,
            "first_contact_before": self.first_contact_before.astimezone(AMSTERDAM).isoformat(),
            "security_entitlement": self.security_entitlement,
            "marks": list(self.marks),
            "offers": list(self.offers),
            "side_actions": list(self.side_actions),
            "legal_terms": [term.as_document() for term in self.legal_terms],
            "reasons": [reason.as_document() for reason in self.reasons],
        }
