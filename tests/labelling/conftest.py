"""A file of jobs, a clock that tests turn, and an authenticator in software."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import load_template


class Clock:
    """Seconds since 1970 as the test says."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(tmp_path / "jobs.db", make=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def job(store: Store) -> Job:
    return store.add_job("words", load_template("transcribe"), blank_tasks(6), "made up", "crops")


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """A passkey of a device that asked for a finger, by the specification: https://www.w3.org/TR/webauthn-3/."""

    def __init__(self, origin: str, host: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._origin, self._host = origin, host
        self._key, self._id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self._signs = 0

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self._origin}).encode()

    def _data(self, more: bytes = b"") -> bytes:
        self._signs += 1
        flags = 0x05 | (0x40 if more else 0)  # present and verified; with a new key
        return hashlib.sha256(self._host.encode()).digest() + struct.pack(">BI", flags, self._signs) + more

    def make(self, challenge: str) -> dict[str, Any]:
        import cbor2

        public = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        more = bytes(16) + struct.pack(">H", len(self._id)) + self._id + cbor2.dumps(key)
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(more)})
        client = coded(self._client("webauthn.create", challenge))
        response = {"clientDataJSON": client, "attestationObject": coded(whole)}
        return {"id": coded(self._id), "rawId": coded(self._id), "type": "public-key", "response": response}

    def give(self, challenge: str) -> dict[str, Any]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        data, client = self._data(), self._client("webauthn.get", challenge)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": coded(client),
            "authenticatorData": coded(data),
            "signature": coded(signature),
            "userHandle": None,
        }
        return {"id": coded(self._id), "rawId": coded(self._id), "type": "public-key", "response": response}
