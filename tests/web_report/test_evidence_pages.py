"""Evidence: sealed while it comes in; a file that cannot be taken is named, and never costs the others or a word."""

import os
import re
import socket
import threading
import time

import pytest
from werkzeug.serving import make_server

from weerbaar_meldpunt.actions import evidence
from weerbaar_meldpunt.web import evidence as room

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(64)


def blobs(ready):
    return sorted(path.name for path in ready.instance.blobs.iterdir())


def upload(visitor, *files, press="erbij", **values):
    return visitor.open("/melden/bewijs").send(values, press=press, has=("_page",), files=files)


def test_files_are_listed_by_name_and_size_and_nothing_of_them_is_readable_on_disk(visitor, ready):
    secret = b"hij heeft het adres genoemd " * 3_000

    upload(visitor, ("schermfoto.png", PNG), ("gesprek.txt", secret))

    assert "schermfoto.png" in visitor.text
    assert "gesprek.txt" in visitor.text
    assert "84 kB" in visitor.text
    stored = blobs(ready)
    assert len(stored) == 2
    assert all(not name.endswith(".part") for name in stored)
    for name in stored:
        assert b"hij heeft het adres" not in (ready.instance.blobs / name).read_bytes()


def test_a_file_above_the_limit_is_named_and_the_others_and_the_typed_words_are_kept(visitor, ready):
    upload(
        visitor, ("film.mp4", bytes(30 * MIB)), ("foto.png", PNG), links_url=["https://voorbeeld.test/1"],
    )  # fmt: skip

    assert visitor.status == 422
    assert "film.mp4 is te groot: een bestand mag 25 MB zijn. Dit bestand is niet bewaard." in visitor.text
    assert "https://voorbeeld.test/1" in visitor.html
    assert len(blobs(ready)) == 1
    visitor.open("/melden/nakijken")
    assert "foto.png" in visitor.text
    assert "film.mp4" not in visitor.text


def test_a_file_of_exactly_the_limit_is_taken(visitor, ready):
    upload(visitor, ("precies.bin", bytes(25 * MIB)))

    assert visitor.status == 200
    assert len(blobs(ready)) == 1


def test_an_empty_file_is_named_and_leaves_nothing(visitor, ready):
    upload(visitor, ("leeg.txt", b""))

    assert visitor.status == 422
    assert "leeg.txt is leeg." in visitor.text
    assert blobs(ready) == []


def test_choosing_no_file_is_no_fault(visitor, ready):
    upload(visitor, ("", b""), press="verder")

    assert visitor.path == "/melden/nakijken"
    assert blobs(ready) == []


def test_all_files_of_a_report_together_have_a_limit_and_the_one_too_many_is_named(visitor, monkeypatch):
    monkeypatch.setattr(room, "MAX_CASE", 3 * MIB)
    upload(visitor, ("een.bin", bytes(2 * MIB)))

    upload(visitor, ("twee.bin", bytes(2 * MIB)), ("drie.bin", bytes(1000)))

    assert visitor.status == 422
    assert "twee.bin past er niet meer bij." in visitor.text
    assert visitor.open("/melden/bewijs").text.count(".bin") == 4  # each name once to read, once for its button
    assert "drie.bin" in visitor.text


def test_a_file_can_be_taken_out_again_and_is_gone_from_disk(visitor, ready):
    upload(visitor, ("een.png", PNG), ("twee.png", PNG))

    visitor.send(action="/melden/bewijs/weg", has=("blob",))

    assert "een.png" not in visitor.text
    assert "twee.png" in visitor.text
    assert len(blobs(ready)) == 1


def test_somebody_elses_file_cannot_be_taken_out(visitor, visit, ready):
    upload(visitor, ("een.png", PNG))
    blob = visitor.values("blob")["blob"]
    other = visit()
    upload(other, ("van-een-ander.png", PNG))
    mine = other.values("blob")
    mine["blob"] = blob

    other.post("/melden/bewijs/weg", mine)

    assert blob in blobs(ready)


def test_the_same_upload_sent_twice_shows_each_file_once_more_and_loses_none(visitor, ready):
    upload(visitor, ("een.png", PNG))
    upload(visitor, ("een.png", PNG))

    assert len(blobs(ready)) == 2


def test_below_the_floor_of_the_disk_nothing_new_is_taken_and_the_page_says_so(visitor, ready, monkeypatch):
    visitor.open("/melden/verhaal").send({"narrative": "Dit staat er al."}, press="verder")
    monkeypatch.setattr(evidence, "FREE_FLOOR", 2**62)

    upload(visitor, ("een.png", PNG))

    assert visitor.status == 507
    assert "112" in visitor.text
    assert blobs(ready) == []
    assert "Dit staat er al." in visitor.open("/melden/nakijken").text


def test_a_disk_that_fills_up_halfway_is_the_same_page_and_leaves_nothing(visitor, ready, monkeypatch):
    def full(self, chunk):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("weerbaar_meldpunt.vault.files.FileSealer.write", full)

    upload(visitor, ("een.png", PNG))

    assert visitor.status == 507
    assert blobs(ready) == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\win.ini", "/abs/olute.txt", "\u202egnp.exe", 'a"b\r\nSet-Cookie: x=1.txt', "x" * 300],
    ids=["up", "backslash", "absolute", "right-to-left", "header", "long"],
)
def test_a_name_is_never_a_path_and_cannot_do_anything(visitor, ready, code_on, name):
    upload(visitor, (name, b"inhoud"))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    visitor.send(action="/terug", has=("code",))
    link = re.search(r'href="(/mijn-melding/bestand/[0-9a-f]{32})"', visitor.html)[1]

    answer = visitor.client.get(link)

    assert answer.data == b"inhoud"
    assert re.fullmatch(
        r"attachment; filename=\"bewijs-[0-9a-f]{8}\.[a-z0-9]{3}\"; filename\*=UTF-8''[\x21-\x7e]{1,400}",
        answer.headers["Content-Disposition"],
    )
    for bad in ("..", "/", "%2F", "%5C", "%0A", "%0D", "%E2%80%AE", '"b'):
        assert bad not in answer.headers["Content-Disposition"].partition("''")[2]
    assert all(re.fullmatch(r"[0-9a-f]{32}", blob) for blob in blobs(ready))


def test_a_download_is_only_ever_saved(visitor):
    upload(visitor, ("pagina.html", b"<script>alert(1)</script>"))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    visitor.send(action="/terug", has=("code",))
    link = re.search(r'href="(/mijn-melding/bestand/[0-9a-f]{32})"', visitor.html)[1]

    headers = visitor.client.get(link).headers

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"].startswith('attachment; filename="bewijs-')


def test_a_file_of_another_case_is_not_there(visitor, visit):
    links = []
    for one in (visitor, visit()):
        upload(one, ("een.png", PNG))
        one.open("/melden/nakijken").send(action="/melden/nakijken")
        one.send(action="/terug", has=("code",))
        links.append(re.search(r'href="(/mijn-melding/bestand/[0-9a-f]{32})"', one.html)[1])

    assert visitor.client.get(links[0]).status_code == 200
    assert visitor.client.get(links[1]).status_code == 404


def test_a_changed_file_is_refused_before_its_first_byte(visitor, ready):
    upload(visitor, ("bewijs.bin", os.urandom(200_000)))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    visitor.send(action="/terug", has=("code",))
    link = re.search(r'href="(/mijn-melding/bestand/[0-9a-f]{32})"', visitor.html)[1]
    path = ready.instance.blobs / blobs(ready)[0]
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)

    answer = visitor.client.get(link)

    assert answer.status_code == 500
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


def test_links_are_kept_with_the_moment_they_were_seen_and_a_half_moment_is_asked(visitor):
    upload(visitor, links_url=["https://voorbeeld.test/1"], links_date=["2026-11-20"], links_time=[""])

    assert visitor.status == 422
    assert "Hoe laat zag u het ongeveer?" in visitor.text
    assert "https://voorbeeld.test/1" in visitor.html


def test_many_links_pasted_at_once_stand_one_under_the_other(visitor):
    upload(visitor, _links_many="https://voorbeeld.test/1\n\n https://voorbeeld.test/2 \n")

    values = visitor.values("links_url").getlist("links_url")
    assert [value for value in values if value] == ["https://voorbeeld.test/1", "https://voorbeeld.test/2"]


def test_hundreds_of_links_stay_and_the_page_can_still_be_sent(visitor, cases, clock):
    links = [f"https://voorbeeld.test/{n}" for n in range(900)]
    upload(visitor, _links_many="\n".join(links), links_url=["https://voorbeeld.test/met-tijd"],
           links_date=["2026-11-20"], links_time=["21:45"])  # fmt: skip

    upload(visitor, ("een.png", PNG))
    assert visitor.status == 200
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")

    filed = cases.view(clock.now).report["links"]
    assert len(filed) == 901
    assert {link["url"] for link in filed} == {*links, "https://voorbeeld.test/met-tijd"}
    assert [link["seen_at"] for link in filed if link["seen_at"]] == ["2026-11-20T21:45:00+01:00"]


def test_a_link_that_is_emptied_is_gone(visitor):
    upload(visitor, links_url=["https://voorbeeld.test/1"])

    upload(visitor, links_url=[""])

    assert "voorbeeld.test" not in visitor.open("/melden/nakijken").text


# --- against a real server -------------------------------------------------------------------------------------------


@pytest.fixture
def server(ready, app):
    made = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join(5)
    made.server_close()


@pytest.mark.slow
def test_an_upload_that_is_cut_off_leaves_nothing_and_what_was_typed_before_stays(visitor, ready, server):
    visitor.open("/melden/verhaal").send({"narrative": "Dit stond er al."}, press="verder")
    visitor.open("/melden/bewijs")
    token = visitor.values("_page")["csrf_token"]
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.client._cookies.values())
    edge = "grens"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="film.mp4"\r\n\r\n'
    ).encode()
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(
            f"POST /melden/bewijs HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n"
            f"Content-Type: multipart/form-data; boundary={edge}\r\nContent-Length: {20 * MIB}\r\n\r\n".encode()
        )
        connection.sendall(head + bytes(5 * MIB))
        began = time.monotonic()
        while not any(name.endswith(".part") for name in blobs(ready)):
            assert time.monotonic() - began < 10, "the upload never began"
            time.sleep(0.02)

    began = time.monotonic()
    while blobs(ready):
        assert time.monotonic() - began < 10, blobs(ready)
        time.sleep(0.02)
    assert "Dit stond er al." in visitor.open("/melden/nakijken").text
    assert "film.mp4" not in visitor.text
