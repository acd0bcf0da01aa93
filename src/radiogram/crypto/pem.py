"""Layer 0: RSA keys as PEM text, and new ones.

The only module of the package that needs the library's keys, which are slow to import:
:mod:`radiogram.crypto.rsa` imports it when a key is read, written or made.  Numbers in, numbers
out; ``ValueError`` for a text that holds no usable key.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


def read_public(pem: str | bytes) -> tuple[int, int]:
    """Return n and e of ``RSA PUBLIC KEY`` (PKCS#1) or ``PUBLIC KEY``."""
    try:
        key = load_pem_public_key(_ascii(pem))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return numbers.n, numbers.e
    raise ValueError("the text is not the PEM of an RSA public key")


def write_public(n: int, e: int) -> str:
    """Return ``RSA PUBLIC KEY``, the form in which Telegram publishes its keys."""
    key = rsa.RSAPublicNumbers(e, n).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()


def read_private(pem: str | bytes, *, check: bool = True) -> tuple[int, int, int, int, int]:
    """Return n, e, d, p and q of an unencrypted private key of 2048 bits.

    Without `check` nothing makes sure that the numbers belong together: that takes 40 ms.
    """
    try:
        key = load_pem_private_key(
            _ascii(pem), password=None, unsafe_skip_rsa_key_validation=not check
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != 2048:
        raise ValueError("the text is not the PEM of an unencrypted RSA key of 2048 bits")
    return _numbers(key)


def write_private(n: int, e: int, d: int, p: int, q: int) -> str:
    """Return ``RSA PRIVATE KEY`` (PKCS#1), unencrypted, of numbers that belong together."""
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, n),
    )
    form = PrivateFormat.TraditionalOpenSSL
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def generate(e: int) -> tuple[int, int, int, int, int]:
    """Make a key of 2048 bits with the randomness of the operating system."""
    return _numbers(rsa.generate_private_key(e, 2048))


def _numbers(key: rsa.RSAPrivateKey) -> tuple[int, int, int, int, int]:
    private = key.private_numbers()
    public = private.public_numbers
    return public.n, public.e, private.d, private.p, private.q


def _ascii(pem: str | bytes) -> bytes:
    return pem if isinstance(pem, bytes) else pem.encode("ascii", "replace")
