# SPDX-License-Identifier: Apache-2.0
"""The envelope of a shared bundle: one file that only its one-time code opens.

AES-256-GCM (NIST SP 800-38D) with a key from scrypt (RFC 7914; N = 2^15, r = 8, p = 1) of the code
and a random salt. The code is made here (100 bits, so that guessing is hopeless even offline),
printed once and kept nowhere. The first line of the file is readable and authenticated with the
rest: format, parameters, expiry; nothing about a person.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass

from tracker.errors import AccessDenied, InputError

MAGIC = "backstay-share-1"
_GROUPS, _GROUP = 5, 4  # 20 characters of 32: 100 bits
# Without 0, 1, I and O, which people mix up.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_N, _R, _P = 1 << 15, 8, 1
_MOST_N = 1 << 17
_MOST_BYTES = 400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What can be read without the code."""

    expires_ns: int
    salt: bytes
    nonce: bytes
    n: int
    header: bytes
    sealed: bytes


def new_code() -> str:
    """A one-time code such as `7KQ2-MN4T-XXD9-2HVB-RRC8`."""
    letters = [secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)]
    parts = ["".join(letters[i : i + _GROUP]) for i in range(0, len(letters), _GROUP)]
    return "-".join(parts)


def seal(content: bytes, code: str, expires_ns: int) -> bytes:
    """The file's bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    header = json.dumps(
        {
            "format": MAGIC,
            "expires_ns": expires_ns,
            "kdf": "scrypt",
            "n": _N,
            "salt": base64.b64encode(salt).decode(),
            "nonce": base64.b64encode(nonce).decode(),
        }
    ).encode()
    sealed = AESGCM(_key(code, salt, _N)).encrypt(nonce, content, header)
    return header + b"\n" + sealed


def envelope(data: bytes) -> Envelope:
    """The readable part of a file. InputError where it is no bundle."""
    header, _, sealed = data[:_MOST_BYTES].partition(b"\n")
    try:
        said = json.loads(header[:2000])
        if said["format"] != MAGIC or said["kdf"] != "scrypt" or not 2 <= said["n"] <= _MOST_N:
            raise InputError("This bundle was made by another version: update Backstay.")
        return Envelope(
            expires_ns=int(said["expires_ns"]),
            salt=base64.b64decode(said["salt"]),
            nonce=base64.b64decode(said["nonce"]),
            n=int(said["n"]),
            header=header,
            sealed=sealed,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("This file is no shared bundle of Backstay: ask for it again.") from error


def unseal(data: bytes, code: str) -> bytes:
    """The content. AccessDenied where the code does not fit or the file was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    found = envelope(data)
    try:
        key = _key(code, found.salt, found.n)
        return AESGCM(key).decrypt(found.nonce, found.sealed, found.header)
    except (InvalidTag, ValueError) as error:
        raise AccessDenied(
            "The code does not open this file: check the code, or the file was changed on its way."
        ) from error


def _key(code: str, salt: bytes, n: int) -> bytes:
    plain = "".join(c for c in code.upper() if c in _LETTERS).encode()
    memory = 256 * n * _R
    return hashlib.scrypt(plain, salt=salt, n=n, r=_R, p=_P, maxmem=memory, dklen=32)
