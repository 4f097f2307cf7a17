"""Searching a team's cases: what is found and what not, that it is noted, and that caches never say what is not so."""

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import searching, work
from weerbaar_meldpunt.actions.erasing import Word, erase_case
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.actions.segments import Wanted
from weerbaar_meldpunt.store.audit import Leaf, LookCount
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.links import Segment, SegmentCase


def report(text, **more):
    return {
        "target": {"role": "raadslid", "organisation": "GM0363"}, "narrative": text,
        "incident": {"kinds": ["bedreiging_intimidatie"]},
    } | more  # fmt: skip


def segments(desk):
    with desk.instance.readings() as session:
        return list(session.scalars(select(SegmentCase)))


@pytest.fixture
def member(desk):
    return desk.ready.second("ondersteuning")


@pytest.mark.usefixtures("packing")
class TestWhatIsFound:
    """The same whether a case is opened by itself or stands in a segment; each asks twice."""

    @pytest.mark.parametrize(
        "typed",
        [
            "zwarte bestelauto", "BESTELAUTO zwarte", "bestelauto", "Günes", "gunes", "0612345678", "06-12345678",
            "r. de slager", "@boze_burger", "voorbeeld.test/bericht", "Amsterdam", "zwarte  bestelauto günes",
            "deslager@voorbeeld.test",
        ],
    )  # fmt: skip
    def test_words_anywhere_in_what_was_reported_are_found(self, desk, search, member, typed):
        document = report(
            "Er stond een zwarte bestelauto voor de deur. Van Günes hoorde ik het.", offender_known_as=["@Boze_Burger"],
            links=[{"url": "https://voorbeeld.test/bericht"}],
            contact={"name": "R. de Slager", "telephone": "06-12345678", "mail": "deslager@voorbeeld.test"},
        )  # fmt: skip
        filed, _other = desk.file(document), desk.file(report("Iets heel anders.", target={"role": "wethouder"}))

        for _ in range(2):
            assert search(member, typed) == {filed.reference}

    @pytest.mark.parametrize("typed", ["groene bestelauto", "zwarte bestelauto stoomwals", "bestelautodeur", "qqq"])
    def test_all_words_must_be_there(self, desk, search, member, typed):
        desk.file(report("Er stond een zwarte bestelauto voor de deur."))

        for _ in range(2):
            assert search(member, typed) == set()

    def test_the_control_words_find_a_case(self, desk, search, member):
        filed, _other = desk.file(report("Een.")), desk.file(report("Twee."))

        for _ in range(2):
            assert filed.reference in search(member, " ".join(filed.words))

    def test_messages_are_found_and_notes_never(self, desk, search, member):
        filed = desk.file(report("Een envelop."))
        desk.do(member, filed.reference, work.take)
        desk.do(member, filed.reference, work.write_message, "Wij spraken over de kapmantel.")
        desk.do(member, filed.reference, work.add_note, "Dit gaat over een tafelpoot.")

        for _ in range(2):
            assert search(member, "kapmantel") == {filed.reference}
            assert search(member, "tafelpoot") == set()

    def test_the_address_in_its_own_compartment_is_never_found(self, desk, search):
        filed = desk.file(report("Een envelop.", private={"home_address": "Kerkstraat 12"}))
        for member in desk.ready.members["ondersteuning"]:
            assert search(member, "kerkstraat") == set()
            assert search(member, "envelop") == {filed.reference}

    def test_a_mark_finds_cases_by_itself_or_with_words(self, desk, search, member):
        armed = desk.file(report("Met een mes.", incident={"kinds": ["fysiek"], "weapon": True}))
        desk.file(report("Behalve mes."))

        for _ in range(2):
            assert search(member, "", marks=["weapon"]) == {armed.reference}
            assert search(member, "mes", marks=["weapon"]) == {armed.reference}
            assert search(member, "behalve", marks=["weapon"]) == set()

    def test_whom_the_reporter_does_not_want_does_not_find_it(self, desk, search, member):
        filed = desk.file(report("Een geheim woord.", barred_member=member.person.name))

        for _ in range(2):
            assert search(member, "geheim") == set()
            assert search(desk.ready.first("ondersteuning"), "geheim") == {filed.reference}

    def test_a_text_that_looks_like_the_inside_of_a_segment_is_only_text(self, desk, search, member):
        nasty = 'Iemand schreef ","text":" en \\n en \u0000 en {"ends":[0]} midden in het relaas.'
        filed, other = desk.file(report(nasty.replace("\u0000", ""))), desk.file(report("Gewoon."))

        for _ in range(2):
            assert search(member, "midden relaas") == {filed.reference}
            assert search(member, "gewoon") == {other.reference}
            assert search(member, '","text":"') in ({filed.reference}, set())

    def test_another_team_finds_nothing_of_it(self, desk, search):
        desk.file(report("Een zwarte bestelauto."))

        assert search(desk.ready.first("juridisch"), "bestelauto", "juridisch") == set()


def test_nobody_searches_in_the_cases_of_another_team(desk, search):
    with pytest.raises(NotYours):
        search(desk.ready.first("juridisch"), "bestelauto", "ondersteuning")


# --- that it was done, not what for --------------------------------------------------------------------------------


def test_a_search_stands_in_the_trail_without_its_words(desk, search, member):
    desk.file(report("Een onvergetelijkwoord."))

    search(member, "onvergetelijkwoord")

    with desk.instance.readings() as session:
        [leaf] = session.scalars(select(Leaf).where(Leaf.action == "gezocht")).all()
    assert leaf.actor == member.user_id
    assert leaf.body is None


def test_the_words_stand_nowhere_on_disk(desk, search, member):
    desk.file(report("Iets."))
    search(member, "onvergetelijkwoord")

    for path in desk.instance.settings.instance.rglob("*"):
        if path.is_file():
            assert b"onvergetelijkwoord" not in path.read_bytes()


def test_hits_count_toward_the_alarm_on_opening_too_much(desk, search, member):
    for _ in range(3):
        desk.file(report("Een zwarte bestelauto."))

    search(member, "bestelauto")
    search(member, "stoomwals")

    with desk.instance.readings() as session:
        counts = session.execute(select(LookCount.user_id, LookCount.what, LookCount.n)).all()
    assert (member.user_id, "treffers", 3) in counts


# --- the cache -----------------------------------------------------------------------------------------------------


@pytest.fixture
def eager(monkeypatch):
    """Every case that is met is packed."""
    monkeypatch.setattr(searching, "WORTH_A_SEGMENT", 1)


@pytest.mark.usefixtures("eager")
class TestTheCache:
    def test_what_stands_in_a_segment_is_not_opened_again(self, desk, search, member):
        for number in range(3):
            desk.file(report(f"Bestelauto {number}."))
        search(member, "bestelauto")

        with desk.instance.readings() as session:
            found = searching.search(session, desk.instance, member.person, "ondersteuning", Wanted.of("bestelauto"))
        assert found.opened == []
        assert len(found.case_ids) == 3

    def test_a_case_that_changed_is_found_by_what_it_says_now(self, desk, search, member):
        filed = desk.file(report("Een envelop."))
        assert search(member, "envelop") == {filed.reference}

        desk.reply(filed, "Er kwam ook een pakje.")

        assert search(member, "pakje") == {filed.reference}
        assert search(member, "envelop pakje") == {filed.reference}

    def test_an_erased_case_takes_its_whole_segment_along_and_the_others_are_found_still(self, desk, search, member):
        going, staying = desk.file(report("Een bestelauto.")), desk.file(report("Nog een bestelauto."))
        search(member, "bestelauto")
        before = {row.segment_id for row in segments(desk)}

        with desk.instance.sessions.begin() as session:
            which = session.scalars(select(Case.id).where(Case.reference == going.reference)).one()
            erase_case(session, desk.instance, which, Word("termijn"), now=desk.now)

        with desk.instance.readings() as session:
            assert session.scalars(select(Segment.id)).all() == []
        assert search(member, "bestelauto") == {staying.reference}
        assert {row.segment_id for row in segments(desk)}.isdisjoint(before)

    def test_a_case_that_is_erased_while_it_is_searched_gets_into_no_segment(self, desk, member):
        going, staying = desk.file(report("Een bestelauto.")), desk.file(report("Nog een bestelauto."))
        person = member.person
        with desk.instance.readings() as session:
            found = searching.search(session, desk.instance, person, "ondersteuning", Wanted.of("bestelauto"))
            ids = {row[0]: row[1] for row in session.execute(select(Case.reference, Case.id))}
        with desk.instance.sessions.begin() as session:
            erase_case(session, desk.instance, ids[going.reference], Word("termijn"), now=desk.now)
        with desk.instance.sessions.begin() as session:
            searching.keep(session, desk.instance, person, "ondersteuning", found, now=desk.now)

        assert [row.case_id for row in segments(desk)] == [ids[staying.reference]]

    def test_a_case_that_changes_while_it_is_searched_gets_into_no_segment(self, desk, member):
        filed = desk.file(report("Een bestelauto."))
        person = member.person
        with desk.instance.readings() as session:
            found = searching.search(session, desk.instance, person, "ondersteuning", Wanted.of("bestelauto"))
        desk.reply(filed, "Nog iets.")
        with desk.instance.sessions.begin() as session:
            searching.keep(session, desk.instance, person, "ondersteuning", found, now=desk.now)

        assert segments(desk) == []

    def test_two_who_search_at_once_find_each_case_once(self, desk, search, member):
        filed = desk.file(report("Een bestelauto."))
        both = [desk.ready.first("ondersteuning").person, member.person]
        with desk.instance.readings() as session:
            found = [
                searching.search(session, desk.instance, one, "ondersteuning", Wanted.of("bestelauto")) for one in both
            ]
        for one, what in zip(both, found, strict=True):
            with desk.instance.sessions.begin() as session:
                searching.keep(session, desk.instance, one, "ondersteuning", what, now=desk.now)

        assert len(segments(desk)) == 1
        assert search(member, "bestelauto") == {filed.reference}

    def test_a_damaged_segment_is_made_anew(self, desk, search, member):
        filed = desk.file(report("Een bestelauto."))
        search(member, "bestelauto")
        with desk.instance.sessions.begin() as session:
            session.execute(update(Segment).values(sealed=b"x" * 200))

        search(member, "stoomwals")
        assert search(member, "bestelauto") == {filed.reference}

    def test_a_segment_of_another_team_that_was_put_in_its_place_does_not_open(self, desk, search, member):
        from weerbaar_meldpunt.actions.segments import Entry, seal_segment

        filed = desk.file(report("Een bestelauto."))
        search(member, "bestelauto")
        theirs = desk.ready.first("juridisch").person.teams["juridisch"][-1]
        with desk.instance.sessions.begin() as session:
            row = session.scalars(select(Segment)).one()
            row.sealed = seal_segment(theirs, row.id, [Entry(bytes(16), "geplant")])

        assert search(member, "geplant") == set()
        assert search(member, "bestelauto") == {filed.reference}

    def test_a_new_key_of_the_team_makes_segments_anew_under_it(self, desk, search, member, next_key):
        filed = desk.file(report("Een bestelauto."))
        search(member, "bestelauto")

        next_key("ondersteuning")
        desk.ready.people.adopt(member)

        assert search(member, "bestelauto") == {filed.reference}
        with desk.instance.readings() as session:
            epochs = session.scalars(select(Segment.epoch)).all()
        assert epochs == [member.person.teams["ondersteuning"][-1].epoch]

    def test_segments_that_are_mostly_old_are_packed_anew(self, desk, search, member):
        filed = [desk.file(report(f"Bestelauto {number}.")) for number in range(4)]
        search(member, "bestelauto")
        for one in filed[:3]:
            desk.reply(one, "Nog iets.")

        search(member, "bestelauto")
        search(member, "bestelauto")

        rows = segments(desk)
        assert all(row.live for row in rows)
        assert len(rows) == 4


def test_no_more_than_some_cases_are_opened_in_one_search_and_the_rest_is_said(desk, search, member, monkeypatch):
    monkeypatch.setattr(searching, "ONE_BY_ONE", 3)
    monkeypatch.setattr(searching, "WORTH_A_SEGMENT", 1)
    filed = [desk.file(report("Een bestelauto.")) for _ in range(5)]
    with desk.instance.readings() as session:
        found = searching.search(session, desk.instance, member.person, "ondersteuning", Wanted.of("bestelauto"))
    assert (len(found.case_ids), found.left) == (3, 2)

    search(member, "bestelauto")
    assert search(member, "bestelauto") == {one.reference for one in filed}


def test_a_segment_holds_at_most_256_cases_and_a_megabyte():
    from weerbaar_meldpunt.actions.segments import Entry, packed

    many = [Entry(number.to_bytes(16), "kort") for number in range(600)]
    assert [len(some) for some in packed(many)] == [256, 256, 88]
    long = [Entry(number.to_bytes(16), "é" * 200_000) for number in range(5)]
    assert [len(some) for some in packed(long)] == [2, 2, 1]
    assert list(packed([Entry(bytes(16), "x" * 1_000_000)])) == []
