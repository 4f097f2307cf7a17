"""Evidence files: sealed as they are written, kept whole or not at all."""

import gc

import pytest

from weerbaar_meldpunt.actions import evidence
from weerbaar_meldpunt.actions.errors import Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.evidence import DiskFull, open_upload, plain_pieces, safe_name, sniff, take

MIB = 1024 * 1024


def blobs(instance):
    return sorted(path.name for path in instance.blobs.iterdir())


def test_what_is_written_in_pieces_comes_back_whole(instance, clock):
    stream = open_upload(instance)
    for piece in (b"een ", b"twee ", b"drie"):
        stream.write(piece)

    file = stream.finish("tel.txt", now=clock.now)

    assert b"".join(plain_pieces(instance, file)) == b"een twee drie"
    assert blobs(instance) == [file.blob_id.hex()]
    assert b"twee" not in (instance.blobs / blobs(instance)[0]).read_bytes()


def test_a_file_above_the_limit_is_swallowed_to_its_end_and_nothing_of_it_stays(instance, clock):
    stream = open_upload(instance)
    piece = bytes(MIB)
    for _ in range(30):
        assert stream.write(piece) == MIB

    assert stream.too_large
    assert blobs(instance) == []
    with pytest.raises(TooLarge):
        stream.finish("film.mp4", now=clock.now)
    stream.close()


def test_one_byte_above_the_limit_is_too_large_and_one_less_is_not(instance, clock):
    exact, over = open_upload(instance), open_upload(instance)
    for stream in (exact, over):
        stream.write(bytes(evidence.MAX_FILE))
    over.write(b"x")

    assert not exact.too_large
    assert over.too_large
    assert exact.finish("precies.bin", now=clock.now).size == evidence.MAX_FILE
    over.close()


def test_an_upload_that_is_not_finished_leaves_nothing(instance):
    stream = open_upload(instance)
    stream.write(b"half")
    assert blobs(instance)[0].endswith(".part")

    stream.close()

    assert blobs(instance) == []


def test_an_upload_that_is_only_forgotten_leaves_nothing_either(instance):
    stream = open_upload(instance)
    stream.write(b"half")

    del stream
    gc.collect()

    assert blobs(instance) == []


def test_below_the_floor_nothing_is_begun(instance, monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 2**62)

    with pytest.raises(DiskFull):
        open_upload(instance)

    assert blobs(instance) == []


@pytest.mark.parametrize("place", ["begin", "middle", "end"])
def test_a_changed_byte_is_noticed_before_the_first_piece(instance, clock, place):
    stream = open_upload(instance)
    stream.write(bytes(100_000))
    file = stream.finish("bewijs.bin", now=clock.now)
    path = instance.blobs / file.blob_id.hex()
    content = bytearray(path.read_bytes())
    content[{"begin": 30, "middle": len(content) // 2, "end": -1}[place]] ^= 1
    path.write_bytes(content)

    with pytest.raises(Onleesbaar):
        plain_pieces(instance, file)


def test_a_file_that_was_cut_short_is_noticed(instance, clock):
    stream = open_upload(instance)
    stream.write(bytes(200_000))
    file = stream.finish("bewijs.bin", now=clock.now)
    path = instance.blobs / file.blob_id.hex()
    path.write_bytes(path.read_bytes()[: -64 * 1024])

    with pytest.raises(Onleesbaar):
        plain_pieces(instance, file)


def test_an_operator_cannot_bring_in_more_than_a_reporter(instance, clock, tmp_path):
    path = tmp_path / "groot.bin"
    path.write_bytes(bytes(26 * MIB))

    with pytest.raises(TooLarge):
        take(instance, path, now=clock.now)

    assert blobs(instance) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\x\\bewijs.png", "bewijs.png"), ("", "bestand"), ("...", "bestand"),
        ("a\u202etxt.exe", "atxt.exe"), ("x\r\ny.txt", "xy.txt"), ("é ö.pdf", "é ö.pdf"),
        ("a" * 200 + ".png", "a" * 116 + ".png"),
    ],
)  # fmt: skip
def test_a_name_is_only_ever_a_name(name, safe):
    assert safe_name(name) == safe


def test_what_a_file_is_comes_from_its_first_bytes_not_from_its_name():
    assert sniff(b"\x89PNG\r\n\x1a\n" + bytes(30)) == "image/png"
    assert sniff(b"%PDF-1.7\n") == "application/pdf"
    assert sniff(b"") == "application/octet-stream"
