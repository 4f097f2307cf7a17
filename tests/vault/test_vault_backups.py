"""The outside of a backup: opens with the seed of BACKUP or RECOVERY, for ever, and for nobody else."""

import io
import json
from pathlib import Path

import pytest

from weerbaar_meldpunt.vault import backups
from weerbaar_meldpunt.vault.backups import Head
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.files import STEP, FileSealer, open_file, sealed_size
from weerbaar_meldpunt.vault.keys import ServerKeys, house_key_pair

FIXTURE = Path(__file__).parent / "fixtures" / "backup-1.wmb"
SEED, SERVER, CONTENT = bytes(range(32)), ServerKeys(bytes(range(32, 64))), b"zonnebloemveld " * 100


def written(head, *pairs, content=CONTENT):
    target = io.BytesIO()
    sealer = backups.start(target, head, [pair.public for pair in pairs])
    sealer.write(content)
    sealer.finish()
    return target.getvalue()


def read(sealed, kind, seed):
    source = io.BytesIO(sealed)
    head = backups.read_head(source)
    key, place = backups.stream_key(head, kind, seed), source.tell()
    size = sealed_size(source, key, head.id, kind="backup")
    source.seek(place)
    return b"".join(open_file(source, key, head.id, size=size, kind="backup"))


@pytest.fixture
def head():
    return Head(new_id(), new_id(), "2026-11-23T11:30:00+00:00", {"epoch": 1, "pairs": []})


def test_either_seed_opens_it_and_no_other(head):
    keys = {kind: new_key() for kind in ("backup", "recovery")}
    sealed = written(head, *(house_key_pair(seed, kind, head.instance, 3) for kind, seed in keys.items()))

    assert {read(sealed, kind, seed) for kind, seed in keys.items()} == {CONTENT}
    for kind, seed in (("backup", keys["recovery"]), ("recovery", keys["backup"]), ("backup", new_key())):
        with pytest.raises(Onleesbaar):
            read(sealed, kind, seed)


def test_a_backup_of_the_first_format_opens_for_ever():
    sealed = FIXTURE.read_bytes()

    assert sealed[:4].hex() == "574d4201"
    length = int.from_bytes(sealed[4:8], "big")
    assert set(json.loads(sealed[8 : 8 + length])) == {"instance", "id", "made", "wraps", "custody"}
    assert sealed[8 + length : 12 + length].hex() == "574d0101"
    assert read(sealed, "backup", SEED) == CONTENT


@pytest.mark.parametrize("size", [0, 1, STEP - 1, STEP, STEP + 1, 3 * STEP - 1, 300_000])
def test_the_size_of_a_stream_is_found_whatever_it_ends_with(size):
    for content in (bytes(size), b"\x80" * size, b"a" * max(0, size - 1) + b"\0" * min(size, 1)):
        target, blob = io.BytesIO(), new_id()
        sealer = FileSealer(target, blob, kind="backup")
        sealer.write(content)
        sealer.finish()
        target.seek(0)
        assert sealed_size(target, sealer.key, blob, kind="backup") == size


def test_a_stream_of_another_backup_or_kind_is_refused(head):
    pair = house_key_pair(SEED, "backup", head.instance, 1)
    one, other = written(head, pair), written(Head(head.instance, new_id(), head.made), pair)
    cut = len(one) - (STEP + 92)
    swapped = one[: one.rindex(b"}") + 1] + other[other.rindex(b"}") + 1 :]

    assert cut > 0
    with pytest.raises(Onleesbaar):
        read(swapped, "backup", SEED)
    source = io.BytesIO(one)
    found = backups.read_head(source)
    with pytest.raises(Onleesbaar):
        sealed_size(source, backups.stream_key(found, "backup", SEED), found.id, kind="file")


@pytest.mark.parametrize(
    "head_bytes",
    [
        b"", b"WM", b"WMB\x01", b"WMB\x02\0\0\0\2{}", b"WMB\x01\0\0\0\2{}", b"WMB\x01\xff\xff\xff\xff{}",
        b"WMB\x01\0\0\0\5[1,2]", b'WMB\x01\0\0\0\x10{"instance":"00"', b"WMB\x01\0\0\0\4\xff\xfe\xfd\xfc",
    ],
)  # fmt: skip
def test_what_is_no_head_is_refused_with_the_one_error(head_bytes):
    with pytest.raises(Onleesbaar):
        backups.read_head(io.BytesIO(head_bytes))


def test_a_manifest_is_signed_by_the_server_key_for_this_backup_alone(head):
    signature = backups.sign_manifest(SERVER, head, b"manifest")

    assert backups.manifest_signed(SERVER, head, b"manifest", signature)
    assert not backups.manifest_signed(SERVER, head, b"manifest!", signature)
    assert not backups.manifest_signed(ServerKeys(new_key()), head, b"manifest", signature)
    assert not backups.manifest_signed(SERVER, Head(head.instance, new_id(), head.made), b"manifest", signature)
    assert not backups.manifest_signed(SERVER, head, b"manifest", b"")
