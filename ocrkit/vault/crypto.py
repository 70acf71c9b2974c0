"""Sealing bytes, composed of what `cryptography` offers: AES-256-GCM (NIST SP 800-38D) and Ed25519 (RFC 8032)."""

from __future__ import annotations

import os

from ocrkit.errors import BadVault, MissingExtra

try:
    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    raise MissingExtra("Donated documents need cryptography: pip install 'ocrkit[vault]'.") from None

MOST_BYTES = 64 * 2**20  # of an object, which is sealed and unsealed in one call
_NONCE = 12  # bytes; random ones are safe for 2**32 objects of one key


class Tampered(BadVault):
    """Bytes that are not those that were sealed, or not what they are given out as."""


def new_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(256)


def seal(key: bytes, data: bytes, about: str) -> bytes:
    """`data` sealed: a random nonce, then the ciphertext with its tag.

    Args:
        key: of `new_key`.
        data: at most `MOST_BYTES`.
        about: what it is and where it belongs; it is not stored, but must be said again to unseal.

    Raises:
        BadVault: too large.
    """
    if len(data) > MOST_BYTES:
        raise BadVault(f"A document of {len(data) / 2**20:.0f} MiB is too large for a vault: at most 64 MiB each.")
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """What was sealed.

    Raises:
        Tampered: another key, a single bit that differs, or said to be about something else.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise Tampered("The sealed bytes are damaged, or not what they are said to be.") from None


def new_signing_key() -> bytes:
    """A random private key of Ed25519, 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key(signing_key: bytes) -> bytes:
    """What proves signatures made with `signing_key`, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(signing_key).public_key().public_bytes_raw()


def sign(signing_key: bytes, data: bytes) -> bytes:
    """The signature of `data`, 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(signing_key).sign(data)


def is_signed(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `data`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
