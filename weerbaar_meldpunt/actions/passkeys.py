"""Passkeys beside the codes of an app: a false page cannot ask for one (WebAuthn, user verification required).

Ids and public keys stand in the bundle, which only the owner's ROOT opens. A row with the hash of an id finds the
account at the door, and counts for nothing unless the bundle holds that very id and key.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.settings import Settings
from weerbaar_meldpunt.store.doors import Passkey
from weerbaar_meldpunt.store.people import Bundle
from weerbaar_meldpunt.vault.derive import sha256

from .alarms import raise_alarm
from .bundles import open_bundle, seal_bundle
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import Person
from .tombstones import bury

MOST: Final = 10
LONGEST_NAME: Final = 40
TIMEOUT: Final = 120_000  # milliseconds in which somebody finds the telephone
_MOST_JSON: Final = 16 * 1024


@dataclass(frozen=True)
class OwnPasskey:
    """A passkey as its owner sees it."""

    id: str
    name: str
    since: date
    stopped: bool


@dataclass(frozen=True)
class Signed:
    """What a passkey signed at the door: the list of passkeys to keep; `stopped` when its counter went back."""

    passkeys: list[dict[str, Any]]
    stopped: bool


# --- where they work -----------------------------------------------------------------------------------------------


def rp_id(settings: Settings) -> str | None:
    """The name passkeys are bound to: the website's host. None for an address of numbers, which browsers refuse."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host or None
    return None


def _origins(settings: Settings, seen: str) -> list[str]:
    parts = urlsplit(settings.base_url)
    found = [f"{parts.scheme}://{parts.netloc}"]
    # A demonstration is often looked at on another port than it was told.
    if settings.demonstration and urlsplit(seen).hostname == "localhost":
        found.append(seen)
    return found


def fault_of(settings: Settings) -> str:
    """What is wrong with passkeys on this instance, for who starts it; empty when nothing is."""
    host = rp_id(settings)
    if host is None:
        return f"base_url {settings.base_url} is an address of numbers: browsers refuse passkeys there"
    if not settings.base_url.startswith("https://") and host != "localhost" and not host.endswith(".localhost"):
        return f"base_url {settings.base_url} is not https: browsers refuse passkeys there"
    return ""


# --- what the browser is asked -------------------------------------------------------------------------------------


def creation_options(instance: Instance, person: Person, challenge: bytes) -> str:
    """What the browser needs to make a passkey, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    made = generate_registration_options(
        rp_id=rp_id(instance.settings) or "", rp_name="Weerbaar meldpunt", user_name=person.login,
        # A handle that says nothing of the account to who finds the key.
        user_id=instance.server.lookup("passkey", person.user_id.hex()), challenge=challenge, timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(person.bundle),
    )  # fmt: skip
    return options_to_json(made)


def request_options(instance: Instance, challenge: bytes, bundle: Mapping[str, Any] | None = None) -> str:
    """What the browser needs to sign with a passkey, as JSON: one of the bundle's, or whichever it holds itself."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    made = generate_authentication_options(
        rp_id=rp_id(instance.settings) or "", challenge=challenge, timeout=TIMEOUT,
        allow_credentials=_descriptors(bundle) if bundle else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return options_to_json(made)


def _descriptors(bundle: Mapping[str, Any]) -> list[Any]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=bytes.fromhex(one["id"])) for one in _live(bundle)]


def _live(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in bundle.get("passkeys", ()) if not one.get("stopped")]


def has_passkey(bundle: Mapping[str, Any]) -> bool:
    """Whether an account has a passkey that works."""
    return bool(_live(bundle))


def listed(bundle: Mapping[str, Any]) -> list[OwnPasskey]:
    """The passkeys of an account, oldest first."""
    return [
        OwnPasskey(
            sha256(bytes.fromhex(one["id"])).hex(), one["name"], date.fromisoformat(one["since"]),
            bool(one.get("stopped")),
        )
        for one in bundle.get("passkeys", ())
    ]  # fmt: skip


# --- making and removing -------------------------------------------------------------------------------------------


def register(
    session: Session, instance: Instance, person: Person, root: bytes, credential: str, challenge: bytes, *,
    name: str, seen: str, now: datetime,
) -> None:  # fmt: skip
    """Keep a passkey that the browser made. `seen` is the origin of the request. Raises `NotAllowed`."""
    from webauthn import verify_registration_response

    host = rp_id(instance.settings)
    if host is None or len(credential) > _MOST_JSON:
        raise NotAllowed("passkey_mislukt")
    try:
        made = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=host,
            expected_origin=_origins(instance.settings, seen), require_user_verification=True,
        )  # fmt: skip
    except Exception:  # the library reads what the browser sent: whatever it makes of it is a refusal
        raise NotAllowed("passkey_mislukt") from None
    row = session.scalars(select(Bundle).where(Bundle.user_id == person.user_id).with_for_update()).one()
    bundle = open_bundle(root, row)
    known = list(bundle.get("passkeys", ()))
    digest = sha256(made.credential_id)
    if len(known) >= MOST or session.get(Passkey, digest) is not None:
        raise NotAllowed("passkey_mislukt" if len(known) < MOST else "passkeys_vol")
    known.append(
        {
            "id": made.credential_id.hex(), "key": made.credential_public_key.hex(), "count": made.sign_count,
            "name": name.strip()[:LONGEST_NAME] or "Passkey", "since": today(now).isoformat(),
        }
    )  # fmt: skip
    ledger = Ledger(session, instance, now=now)
    session.add(Passkey(id_hash=digest, user_id=person.user_id))
    rewrite(session, root, row, bundle | {"passkeys": known}, now=now)
    if not person.is_reporter:
        ledger.close(person.user_id, "passkey_gemaakt", person.user_id)


def remove(
    session: Session, instance: Instance, person: Person, root: bytes, passkey_id: str, *, now: datetime
) -> None:
    """Take a passkey away; its hash stays buried, so that no backup brings it back."""
    row = session.scalars(select(Bundle).where(Bundle.user_id == person.user_id).with_for_update()).one()
    bundle = open_bundle(root, row)
    left = [one for one in bundle.get("passkeys", ()) if sha256(bytes.fromhex(one["id"])).hex() != passkey_id]
    if len(left) == len(bundle.get("passkeys", ())):
        return
    ledger = Ledger(session, instance, now=now)
    found = session.get(Passkey, bytes.fromhex(passkey_id))
    if found is not None and found.user_id == person.user_id:
        ledger.remove(found)
    rewrite(session, root, row, bundle | {"passkeys": left}, now=now)
    if not person.is_reporter:
        ledger.close(person.user_id, "passkey_weg", person.user_id)


def rewrite(session: Session, root: bytes, row: Bundle, bundle: Mapping[str, Any], *, now: datetime) -> None:
    """Seal a bundle whose factors changed; as it was, it is buried."""
    bury(session, [row], now=now)
    row.sealed = seal_bundle(root, row.user_id, row.revision + 1, bundle)
    row.revision += 1
    session.flush()


# --- at the door ---------------------------------------------------------------------------------------------------


def presented(session: Session, credential: str, user_id: bytes) -> bytes | None:
    """The hash of the passkey that somebody holds out, when this account has a row of it. Proves nothing yet."""
    digest = _digest(credential)
    row = session.get(Passkey, digest) if digest else None
    return row.id_hash if row is not None and row.user_id == user_id else None


def _digest(credential: str) -> bytes | None:
    raw = _raw_id(credential)
    return sha256(raw) if raw else None


def _raw_id(credential: str) -> bytes | None:
    from webauthn.helpers import base64url_to_bytes

    if not credential or len(credential) > _MOST_JSON:
        return None
    try:
        return base64url_to_bytes(json.loads(credential)["id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def signed(
    session: Session, instance: Instance, user_id: bytes, bundle: Mapping[str, Any], credential: str,
    challenge: bytes, *, seen: str, staff: bool, now: datetime,
) -> Signed | None:  # fmt: skip
    """Whether a passkey of this account signed the challenge; nothing when not. A planted row alarms."""
    from webauthn import verify_authentication_response

    host, raw = rp_id(instance.settings), _raw_id(credential)
    if host is None or raw is None:
        return None
    known = list(bundle.get("passkeys", ()))
    mine = next((one for one in known if one["id"] == raw.hex()), None)
    row = session.get(Passkey, sha256(raw))
    if mine is None:
        if row is not None and row.user_id == user_id:
            _alarm(session, instance, "passkey_onbekend", sha256(raw), user_id, staff=staff, now=now)
        return None
    if row is None or row.user_id != user_id or mine.get("stopped"):
        return None
    try:
        proof = verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=host,
            expected_origin=_origins(instance.settings, seen), credential_public_key=bytes.fromhex(mine["key"]),
            credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except Exception:  # the library reads what the browser sent: whatever it makes of it is a refusal
        return None
    # A counter that does not go on means that there are two of this key. Which of them is the owner's, nobody can tell.
    stopped = (proof.new_sign_count > 0 or mine["count"] > 0) and proof.new_sign_count <= mine["count"]
    if stopped:
        _alarm(session, instance, "passkey_dubbel", sha256(raw), user_id, staff=staff, now=now)
        changed = mine | {"stopped": True}
    else:
        changed = mine | {"count": proof.new_sign_count}
    return Signed([changed if one is mine else one for one in known], stopped)


def alarm_at_planted(
    session: Session, instance: Instance, user_id: bytes, bundle: Mapping[str, Any], *, staff: bool, now: datetime
) -> None:
    """At a sign-in: rows of this account that its bundle does not hold were planted."""
    held = {sha256(bytes.fromhex(one["id"])) for one in bundle.get("passkeys", ())}
    rows: Sequence[bytes] = session.scalars(select(Passkey.id_hash).where(Passkey.user_id == user_id)).all()
    for digest in rows:
        if digest not in held:
            _alarm(session, instance, "passkey_onbekend", digest, user_id, staff=staff, now=now)


def _alarm(
    session: Session, instance: Instance, kind: str, digest: bytes, user_id: bytes, *, staff: bool, now: datetime
) -> None:
    # Who has a reporter's account is a secret too: of these it names the passkey only.
    raise_alarm(session, instance, kind, user_id.hex() if staff else digest.hex()[:16], now=now)


def missing(person: Person, settings: Settings) -> bool:
    """Whether somebody must make a passkey before they do anything else."""
    return requires(person.roles, settings) and not has_passkey(person.bundle)


def requires(roles: frozenset[tuple[str, str]], settings: Settings) -> bool:
    """Whether one of these roles works with a passkey only."""
    return any(role in settings.passkey_required for role, _ in roles)
