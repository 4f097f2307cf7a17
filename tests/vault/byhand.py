"""The formats once more, written from docs/security.md and not from the vault: what is agreed here stands on its own.

Only the standard library and single primitives (AES-256-GCM, ML-KEM-768, X25519) are used, neither the chunked
encryption nor the HPKE of the cryptography package. Should either ever go, this still opens everything.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK, TAG = 16 * 1024, 16


def ctx(label, *parts):
    """`wmp/v1/` || label || 0x00 || each part behind its length."""
    out = b"wmp/v1/" + label.encode() + b"\0"
    for part in parts:
        raw = {int: lambda v: str(v).encode(), str: str.encode, bytes: bytes, type(None): lambda v: b""}[type(part)](
            part
        )
        out += struct.pack(">I", len(raw)) + raw
    return out


def expand(prk, info, length, name="sha256"):
    """HKDF-Expand (RFC 5869)."""
    out = block = b""
    counter = 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), name).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def extract(salt, key):
    """HKDF-Extract (RFC 5869); no salt is a salt of zeros."""
    return hmac.new(salt or bytes(32), key, "sha256").digest()


def hkdf(key, info, salt=b"", length=32):
    """The project's derivation."""
    return expand(extract(salt, key), b"wmp/v1/" + info.encode(), length)


def open_chunked(key, body, context):
    """C2SP chunked encryption with HKDF-SHA512 and AES-256-GCM."""
    salt, commitment, chunks = body[:24], body[24:56], body[56:]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    okm = expand(key, info, 32 + 12 + 32, "sha512")
    aead, nonce = AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big")
    assert okm[44:] == commitment
    plain, number = b"", 0
    while True:
        chunk, chunks = chunks[: CHUNK + TAG], chunks[CHUNK + TAG :]
        piece = aead.decrypt((nonce ^ number).to_bytes(12, "big"), chunk, None)
        plain, number = plain + piece, number + 1
        if len(piece) < CHUNK:
            assert not chunks
            return plain


def open_so(key, sealed, kind, owner, row, revision):
    """A sealed object."""
    header = bytes.fromhex("574d0101") + hkdf(key, "id", length=16)
    assert sealed[:20] == header
    return open_chunked(key, sealed[20:], ctx("seal", header, kind, owner, row, revision))


def halves(seed):
    """The two private keys of X-Wing."""
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def public(seed):
    """The public key: ML-KEM 1184 bytes, X25519 32 bytes."""
    ml, x = halves(seed)
    return ml.public_key().public_bytes_raw() + x.public_key().public_bytes_raw()


def decapsulate(seed, enc):
    """X-Wing: both shared secrets, the X25519 ciphertext and key, and a label of six characters in SHA3-256."""
    ml, x = halves(seed)
    ct_m, ct_x = enc[:1088], enc[1088:]
    shared_m, shared_x = ml.decapsulate(ct_m), x.exchange(X25519PublicKey.from_public_bytes(ct_x))
    return hashlib.sha3_256(shared_m + shared_x + ct_x + x.public_key().public_bytes_raw() + b"\\.//^\\").digest()


def hpke_key(seed, enc, info, aead):
    """Key and nonce of an HPKE base-mode message to an X-Wing key (RFC 9180 §5.1; KEM 0x647a, KDF HKDF-SHA256)."""
    suite = b"HPKE" + struct.pack(">HHH", 0x647A, 1, aead)

    def labeled_extract(salt, label, key):
        return extract(salt, b"HPKE-v1" + suite + label + key)

    context = b"\0" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(decapsulate(seed, enc), b"secret", b"")

    def labeled_expand(label, length):
        return expand(secret, struct.pack(">H", length) + b"HPKE-v1" + suite + label + context, length)

    return labeled_expand(b"key", 32), labeled_expand(b"base_nonce", 12)


def open_wk(seed, wrapped, key_id, kind, object_, compartment, epoch, grantor):
    """A wrapped key."""
    header = bytes.fromhex("574b0111") + key_id
    assert len(wrapped) == 1188
    assert wrapped[:20] == header
    key, nonce = hpke_key(seed, wrapped[20:1140], ctx("wrap", header, kind, object_, compartment, epoch, grantor), 2)
    return AESGCM(key).decrypt(nonce, wrapped[1140:], None)


def fingerprint(kind, owner, epoch, raw):
    """Of a public key."""
    return hashlib.sha256(ctx("fp", kind, owner, epoch, raw)).digest()
