"""Published vectors: that the primitives are the ones we name, and that our own second reading of them is right."""

import base64
import hashlib
import hmac
import json
import zlib
from pathlib import Path

import pyotp
import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.vault import byhand
from weerbaar_meldpunt.vault.derive import hmac_sha256
from weerbaar_meldpunt.vault.wrap import PUBLIC_BYTES, key_pair, sign, verified

VECTORS = Path(__file__).parent / "vectors"
CHUNKED = json.loads((VECTORS / "chunked-encryption-256.json").read_text())
AGE = json.loads((VECTORS / "age-mlkem768x25519.json").read_text())

RFC_5869 = {
    "1": (
        b"\x0b" * 22, bytes(range(0x0D)), bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "2": (
        bytes(range(0x50)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100)),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    "3, no salt and no info": (
        b"\x0b" * 22, b"", b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}  # fmt: skip
RFC_8032 = {
    "1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    "2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
}  # fmt: skip


def bech32_bytes(text):
    """The data of a Bech32 string; what it decodes to is compared, so its checksum is left alone."""
    values = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(c) for c in text.lower().rpartition("1")[2][:-6]]
    bits = "".join(f"{value:05b}" for value in values)
    return int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big")


def unpadded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


@pytest.mark.parametrize(("key", "salt", "info", "okm"), RFC_5869.values(), ids=RFC_5869)
def test_hkdf_is_that_of_rfc_5869(key, salt, info, okm):
    expected = bytes.fromhex(okm)

    library = HKDF(algorithm=SHA256(), length=len(expected), salt=salt or None, info=info).derive(key)

    assert library == expected
    assert byhand.expand(byhand.extract(salt, key), info, len(expected)) == expected


def test_hmac_is_that_of_rfc_4231():
    assert hmac_sha256(b"\x0b" * 20, b"Hi There").hex() == (
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032.values(), ids=RFC_8032)
def test_signatures_are_those_of_rfc_8032(seed, public, message, signature):
    made = sign(bytes.fromhex(seed), bytes.fromhex(message))

    assert made.hex() == signature
    assert verified(bytes.fromhex(public), made, bytes.fromhex(message))
    assert not verified(bytes.fromhex(public), made, bytes.fromhex(message) + b"\0")


def test_argon2id_is_that_of_rfc_9106():
    # Four lanes, in one thread and once: the house itself never uses more than one (see test_vault_password.py).
    argon2 = Argon2id(
        salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, secret=b"\3" * 8, ad=b"\4" * 12
    )  # fmt: skip

    assert argon2.derive(b"\1" * 32).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_argon2id_with_one_lane_is_that_of_the_reference_implementation():
    # phc-winner-argon2, src/test.c (CC0): version 19, 2 passes, 64 MiB, 1 lane.
    argon2 = Argon2id(salt=b"somesalt", length=32, iterations=2, lanes=1, memory_cost=65_536)

    assert argon2.derive(b"password").hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ],
)  # fmt: skip
def test_totp_is_that_of_rfc_6238(moment, code):
    secret = base64.b32encode(b"12345678901234567890").decode()

    assert pyotp.TOTP(secret, digits=8).at(moment) == code
    assert pyotp.TOTP(secret).at(moment) == code[2:]  # six digits are the last six of eight


@pytest.mark.parametrize("vector", CHUNKED["tests"], ids=lambda vector: vector["comment"])
def test_sealing_is_c2sp_chunked_encryption(vector):
    key, context = bytes.fromhex(CHUNKED["key"]), bytes.fromhex(vector["ctx"])
    sealed = zlib.decompress(bytes.fromhex(vector["ct"]))
    decryptor = Cobblestone256Decryptor(key, context)

    if vector["valid"]:
        plain = decryptor.update(sealed) + decryptor.finalize()

        assert len(plain) == vector["length"]
        assert hashlib.sha512(plain).hexdigest() == vector["sha512"]
        assert byhand.open_chunked(key, sealed, context) == plain
    else:
        with pytest.raises((InvalidTag, ValueError)):
            decryptor.update(sealed) + decryptor.finalize()


def test_a_key_pair_is_made_from_its_seed_as_x_wing_does():
    seed, recipient = bech32_bytes(AGE["identity"]), bech32_bytes(AGE["recipient"])

    assert len(seed) == 32
    assert len(recipient) == PUBLIC_BYTES
    assert key_pair(seed, "user", bytes(16)).public.raw == recipient
    assert byhand.public(seed) == recipient


def test_wrapping_is_hpke_with_x_wing():
    seed, info = bech32_bytes(AGE["identity"]), AGE["info"].encode()
    enc, body = unpadded(AGE["enc"]), unpadded(AGE["body"])
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)

    by_library = suite.decrypt(enc + body, key_pair(seed, "user", bytes(16))._private, info)
    key, nonce = byhand.hpke_key(seed, enc, info, 3)

    assert len(by_library) == 16
    assert ChaCha20Poly1305(key).decrypt(nonce, body, None) == by_library


def test_the_second_reading_of_hkdf_does_not_lean_on_the_first():
    prk = hmac.new(b"salt", b"key", "sha256").digest()

    assert byhand.expand(prk, b"info", 32) == hmac.new(prk, b"info\1", "sha256").digest()
