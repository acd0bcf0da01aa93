"""A foreign proxy (pproxy), and a certificate, for tests of what lies between two ends."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pproxy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KINDS = ("socks4", "socks5", "http")


@asynccontextmanager
async def proxy_of(seen: list[str]) -> AsyncIterator[int]:
    """Run a proxy of all kinds on one port; `seen` gets a line for each connection."""
    server = pproxy.Server("http+socks4+socks5://127.0.0.1:0")
    handler = await server.start_server({"rserver": [], "verbose": seen.append})
    try:
        yield handler.sockets[0].getsockname()[1]
    finally:
        handler.close()


def make_certificate(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Write a certificate for these hosts that signs itself, and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Radiogram's tests")])
    now = datetime.now(UTC)
    names = [
        x509.IPAddress(ip_address(host)) if host[-1].isdigit() else x509.DNSName(host)
        for host in hosts
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def trusting(certificate: Path) -> ssl.SSLContext:
    """Return a client's context that trusts this certificate, and no other."""
    return ssl.create_default_context(cafile=str(certificate))
