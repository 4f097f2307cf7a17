"""The design's tables written down a second time, as plain Python and in its own words, for version 2026-11.

Two readings that agree on thousands of reports are the proof that the table file says what the design says. When policy
changes the tables, a new version of this reading stands beside the old one.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from weerbaar_meldpunt.rules.calendar import is_working_day
from weerbaar_meldpunt.rules.report import Report

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
E3 = {"burgemeester", "wethouder", "cdk", "gedeputeerde", "ws_voorzitter", "ws_db"}
ISLANDS = {"gezaghebber", "eilandgedeputeerde", "eilandsraadslid"}
HOLDERS = E3 | ISLANDS | {"raadslid", "commissielid", "statenlid", "ws_ab"}
WITH_AN_ADDRESS = {"bedreiging_intimidatie", "fysiek", "doxing", "stalking", "vernieling", "dwang", "afpersing"}
WHILE_IT_GOES_ON = {
    "bedreiging_intimidatie", "fysiek", "seksuele_intimidatie", "stalking", "huisbezoek", "dwang", "afpersing",
    "vernieling",
}  # fmt: skip
ASKS_FOR_CONTACT = {
    "bedreiging_intimidatie", "fysiek", "discriminatie", "seksuele_intimidatie", "vernieling", "stalking",
    "nepaccount", "hacken",
}  # fmt: skip
PUNISHABLE = {
    "bedreiging_intimidatie", "doxing", "stalking", "fysiek", "vernieling", "explosief", "brandstichting",
    "verdacht_pakket", "omkoping", "afpersing", "dwang", "deepfake", "seksuele_intimidatie",
}  # fmt: skip
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def expected_answer(report: Report, now: datetime) -> dict[str, object]:
    """All of an answer but its words: reasons, rules and the version are checked elsewhere."""
    now = report.received_at or now
    local = now.astimezone(AMSTERDAM)
    today = local.date()
    target, incident, legal, request = report.target, report.incident, report.legal, report.request
    kinds, channels = set(incident.kinds), set(incident.channels)
    if legal is not None:
        kinds.add("juridische_druk")
    held = [target.role, *target.other_roles]

    # Definitions
    crime = incident.offender == "georganiseerde_misdaad"
    physical_risk = (
        incident.weapon
        or incident.concrete_threat
        or bool(kinds & {"explosief", "brandstichting", "verdacht_pakket", "huisbezoek"})
        or ((incident.happening_now or incident.address_exposed) and bool(kinds & WITH_AN_ADDRESS))
        or (
            "stalking" in kinds
            and (incident.order_breached or incident.earlier_cases >= 2 or bool(channels & {"thuis", "persoonlijk"}))
        )
        or (incident.family_involved and "bedreiging_intimidatie" in kinds)
        or (crime and bool(kinds & {"bedreiging_intimidatie", "omkoping", "afpersing", "dwang"}))
    )
    past_end = target.term_end is not None and target.term_end < today
    started = target.term_start is None or target.term_start <= today or target.appointment_certain

    def ended(role: str) -> bool:
        return role == "oud_ambtsdrager" or past_end

    def in_office(role: str) -> bool:
        return role in HOLDERS and not ended(role) and started

    legal_pressure = "juridische_druk" in kinds
    announced = incident.moment_announced or incident.announced_for is not None
    official_only = target.role == "ambtenaar" and not HOLDERS & set(held)
    lawful = report.lawful_criticism_only
    preventive = report.preventive and not (
        kinds
        or incident.happening_now
        or incident.concrete_threat
        or incident.weapon
        or announced
        or incident.order_breached
        or incident.life_in_danger_self
    )
    nothing_known = not kinds and not preventive and not lawful
    nobody_named = target.role == "onbekend" or (target.organisation is None and target.organisation_type == "onbekend")

    # Legal terms
    terms = _terms(report)

    # Urgency
    acute_outside = (
        (incident.happening_now and (incident.weapon or incident.concrete_threat or "thuis" in channels))
        or (incident.happening_now and "huisbezoek" in kinds)
        or (
            incident.happening_now
            and bool(kinds & WHILE_IT_GOES_ON)
            and bool(channels & {"persoonlijk", "thuis", "vergadering", "demonstratie", "via_gezin"})
        )
        or (bool(kinds & {"explosief", "brandstichting"}) and _recently(incident.occurred_at, now))
        or "verdacht_pakket" in kinds
        or _soon(incident.announced_for, now)
        or (announced and nobody_named)
    )
    high = (
        physical_risk
        or incident.happening_now
        or "doxing" in kinds
        or {"deepfake", "seksuele_intimidatie"} <= kinds
        or incident.order_breached
        or announced
        or bool(kinds & {"dwang", "afpersing", "omkoping"})
        or crime
        or (legal_pressure and any(whose == "eigen" and (last - today).days <= 3 for _, last, whose in terms))
        or (
            incident.reported_elsewhere_on is not None
            and (today - incident.reported_elsewhere_on).days >= 14
            and not incident.answered_elsewhere
        )
        or (bool(report.conflict) and "bedreiging_intimidatie" in kinds)
    )
    medium = bool(kinds & ASKS_FOR_CONTACT) or legal_pressure or (incident.repeated and incident.family_involved)
    if acute_outside or incident.life_in_danger_self:
        urgency = "acuut"
    elif high:
        urgency = "hoog"
    elif medium and not lawful:
        urgency = "midden"
    elif kinds - {"anders"} or preventive or lawful:
        urgency = "laag"
    else:
        urgency = "midden"
    urgent = urgency in {"acuut", "hoog"}

    # Entitlement
    def entitlement_of(role: str) -> str:
        if role == "ambtenaar":
            return "geen_recht"
        if role == "onbekend" or role in ISLANDS or target.organisation_type == "openbaar_lichaam":
            return "handmatig"
        if role in E3 and in_office(role):
            return "handmatig" if target.home_outside_area else "recht"
        return "geen_recht"

    entitlement = min((entitlement_of(role) for role in held), key=["recht", "handmatig", "geen_recht"].index)
    entitled = entitlement != "geen_recht"

    # Routes
    routes, marks, offers = set(), set(), []
    if (kinds or nothing_known) and not official_only and not lawful:
        if request.support:
            routes.add("ondersteuning")
        elif urgent:
            routes.add("ondersteuning")
            marks.add("eerst_schrijven")
    if entitled and (request.security_measures or physical_risk or preventive):
        routes.add("beveiliging")
    if (legal_pressure or request.legal_support) and not official_only and not lawful:
        routes.add("juridisch")
    if report.conflict and "dwang" in kinds and any(in_office(role) for role in held):
        routes.add("juridisch")
    inside = set(report.conflict) - {"thuis", "ondersteuningsteam"}
    if not routes:
        marks.add("doorverwijzen")
        if official_only:
            offers = ["vertrouwenspersoon_elders"] if inside else ["werkgever_doorverwijzing"]
        elif lawful:
            offers = ["uitleg", "eigen_vereniging"]
        elif preventive and not entitled:
            offers = ["preventieadvies_politie", "steunpakket", "eigen_organisatie"]
        else:
            offers = ["coordinator_kijkt"] if request.support else ["alleen_geregistreerd"]
    consent = report.reporter.consent
    if consent in {"nee", "nog_te_vragen"} or (consent == "nvt" and report.reporter.relation != "zelf"):
        marks.add("wacht_op_toestemming")

    # Side actions
    islands = target.organisation_type == "openbaar_lichaam" or target.role in ISLANDS
    punishable = incident.weapon or incident.concrete_threat or bool(kinds & PUNISHABLE)
    actions = []
    if (urgent and punishable) or acute_outside or kinds & {"discriminatie", "bedreiging_intimidatie"}:
        actions.append("kpcn" if islands else "politie")
    if physical_risk or acute_outside:
        actions.append("hovj")
    if not (target.role == "cdk" or "cdk" in report.conflict or islands) and (
        (target.role == "burgemeester" and urgent) or "burgemeester" in report.conflict or "omkoping" in kinds
    ):
        actions.append("cdk")
    if (
        not inside
        and "seksuele_intimidatie" not in kinds
        and (
            target.role == "ambtenaar"
            or (not entitled and urgent)
            or (ended(target.role) and "bedreiging_intimidatie" in kinds)
            or "explosief" in kinds
            or (legal is not None and legal.kind == "woo_reeks")
            or incident.offender == "collega_ambtsdrager"
        )
    ):
        actions.append("werkgever")
    if "sociale_media" in channels and kinds & {
        "doxing", "discriminatie", "deepfake", "bedreiging_intimidatie", "nepaccount", "seksuele_intimidatie",
    }:  # fmt: skip
        actions.append("platform")
    if incident.address_exposed and (kinds & {"doxing", "vernieling"} or preventive):
        actions.append("adres")
    if kinds & {"omkoping", "afpersing"} or crime or (report.conflict and "dwang" in kinds):
        actions.append("riec")
    if urgent or "fysiek" in kinds or incident.family_involved:
        actions.append("nazorg")

    return {
        "routes": [team for team in ("ondersteuning", "beveiliging", "juridisch") if team in routes],
        "urgency": urgency,
        "first_contact_before": _first_contact(urgency, now, today),
        "security_entitlement": entitlement,
        "marks": [mark for mark in ("eerst_schrijven", "doorverwijzen", "wacht_op_toestemming") if mark in marks],
        "offers": offers,
        "side_actions": actions,
        "legal_terms": terms,
    }


def _first_contact(urgency: str, now: datetime, today: date) -> datetime:
    if urgency in {"acuut", "hoog"}:
        return datetime.fromtimestamp(now.timestamp() + (1800 if urgency == "acuut" else 4 * 3600), tz=UTC)
    day = today
    while not is_working_day(day):
        day += DAY
    for _ in range(1 if urgency == "midden" else 3):
        day += DAY
        while not is_working_day(day):
            day += DAY
    return datetime.combine(day, time(17), tzinfo=AMSTERDAM).astimezone(UTC)


def _recently(occurred: datetime | date | None, now: datetime) -> bool:
    if occurred is None:
        return True
    if isinstance(occurred, datetime):
        return now - occurred < 72 * HOUR
    return occurred == date.max or now - datetime.combine(occurred + DAY, time(), tzinfo=AMSTERDAM) < 72 * HOUR


def _soon(announced: datetime | date | None, now: datetime) -> bool:
    if announced is None:
        return False
    if isinstance(announced, datetime):
        return timedelta() <= announced - now <= 12 * HOUR
    if not -2 * DAY < announced - now.astimezone(AMSTERDAM).date() < 2 * DAY:
        return False
    begins = datetime.combine(announced, time(), tzinfo=AMSTERDAM)
    ends = datetime.combine(announced + DAY, time(), tzinfo=AMSTERDAM)
    return begins <= now + 12 * HOUR and ends > now


def _terms(report: Report) -> list[tuple[str, date, str]]:
    found: list[tuple[str, date, str]] = []
    legal, incident = report.legal, report.incident

    def add(term: str, start: date | None, whose: str, *, weeks: int = 0, months: int = 0, days: int = 0) -> None:
        if start is not None:
            found.append((term, _last_day(start, weeks, months, days), whose))

    if legal is not None:
        kind, mine = legal.kind, legal.side == "door_mij"
        if legal.act_before is not None:
            found.append(("datum_op_stuk", legal.act_before, "eigen"))
        if kind in {"kort_geding", "rectificatie"}:
            add("hoger_beroep_kort_geding", legal.event_on, "eigen", weeks=4)
        if kind in {"civiele_dagvaarding", "slapp"}:
            add("hoger_beroep_civiel", legal.event_on, "eigen", months=3)
        if kind == "smaad_laster":
            add("klacht", legal.event_on, "wederpartij" if legal.side == "tegen_mij" else "eigen", months=3)
        if kind == "onterechte_aangifte":
            add("hoger_beroep_straf", legal.event_on, "eigen", days=14)
        if kind == "woo_reeks":
            add("woo_beslissing", legal.received_on, "organisatie", weeks=4)
            add("woo_verdaging", legal.received_on, "organisatie", weeks=6)
        if kind == "bezwaarreeks":
            add("bezwaar_beroep", legal.event_on, "eigen" if mine else "organisatie", weeks=6)
        if kind == "artikel_12":
            add("beklag", legal.event_on, "eigen" if mine else "wederpartij", months=3)
    insulted_out_of_office = "verbale_agressie" in incident.kinds and report.target.role in {
        "kandidaat",
        "oud_ambtsdrager",
    }
    if "stalking" in incident.kinds or insulted_out_of_office:
        occurred = incident.occurred_at
        add(
            "klacht",
            occurred.astimezone(AMSTERDAM).date() if isinstance(occurred, datetime) else occurred,
            "eigen",
            months=3,
        )
    return sorted(found, key=lambda term: (term[1], term[0] != "datum_op_stuk", term[0]))


def _last_day(start: date, weeks: int, months: int, days: int) -> date:
    try:
        last = start + timedelta(weeks=weeks, days=days)
        if months:
            month = start.month + months
            year, month = start.year + (month - 1) // 12, (month - 1) % 12 + 1
            last = date(year, month, min(start.day, monthrange(year, month)[1]))
        while not is_working_day(last):
            last += DAY
    except (OverflowError, ValueError):
        return date.max
    return last
