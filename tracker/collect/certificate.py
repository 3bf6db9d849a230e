# SPDX-License-Identifier: Apache-2.0
"""A certificate made on this machine for its own names, so that phones can reach it by HTTPS.

Browsers give motion data to secure pages only. The certificate is self-signed: the phone asks once
whether to trust it, and the fingerprint on the *Sensor* page lets a person compare. It is made
again when it is about to end or when the machine has other names or addresses.
"""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tracker.collect.names import own_names
from tracker.units import from_ns

# Apple's systems refuse server certificates that are valid for longer (support.apple.com 102028).
_DAYS = 397
_RENEW_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Paths of the key pair, and the fingerprint a person can compare."""

    cert: Path
    key: Path
    fingerprint_sha256: str
    names: tuple[str, ...]


def ensure_certificate(folder: Path, now_ns: int, names: tuple[str, ...] = ()) -> Certificate:
    """The certificate in `folder`, made or renewed when needed."""
    names = names or own_names()
    folder.mkdir(parents=True, exist_ok=True)
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    now = from_ns(now_ns)
    if cert_path.is_file() and key_path.is_file():
        cert = x509.load_pem_x509_certificate(cert_path.read_bytes())
        fresh = (
            cert.not_valid_before_utc
            <= now
            < cert.not_valid_after_utc - timedelta(days=_RENEW_DAYS)
        )
        if fresh and set(names) <= _names_of(cert):
            return _described(cert, cert_path, key_path)
    key = ec.generate_private_key(ec.SECP256R1())
    cert = _self_signed(key, names, now)
    _write_private(
        key_path,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return _described(cert, cert_path, key_path)


def _self_signed(
    key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], now: datetime
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Backstay on this machine")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(hours=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _names_of(cert: x509.Certificate) -> set[str]:
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    return {*dns, *(str(a) for a in names.get_values_for_type(x509.IPAddress))}


def _described(cert: x509.Certificate, cert_path: Path, key_path: Path) -> Certificate:
    digest = cert.fingerprint(hashes.SHA256()).hex().upper()
    return Certificate(
        cert=cert_path,
        key=key_path,
        fingerprint_sha256=":".join(digest[i : i + 2] for i in range(0, len(digest), 2)),
        names=tuple(sorted(_names_of(cert))),
    )


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
