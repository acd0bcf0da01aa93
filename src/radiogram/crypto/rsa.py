"""Layer 0: the RSA keys of servers, and the two paddings of the key exchange.

Knows RSA_PAD (A3.5) and the older padding with a bare SHA1 (A3.6), for the side that encrypts
and for the side that decrypts.  RSA without a padding of its own is not in the library, so the
powers are Python's; the time they take is not hidden from whoever can measure it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1, sha256

from radiogram.crypto.aes import ige_decrypt, ige_encrypt

Random = Callable[[int], bytes]

SIZE = 256
"""Bytes of the modulus, and of everything encrypted with it."""
MAX_DATA = 144
"""The most bytes that RSA_PAD takes."""
MAX_DATA_SHA1 = 235
"""The most bytes that the older padding takes."""

_PADDED = 192
_ZERO_IV = bytes(32)
_EXPONENT = 65537
_DRAWS = 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a server's key."""

    n: int
    e: int = _EXPONENT

    @classmethod
    def from_pem(cls, pem: str | bytes) -> PublicKey:
        """Read ``RSA PUBLIC KEY`` (PKCS#1) or ``PUBLIC KEY``; ``ValueError`` for anything else."""
        from radiogram.crypto.pem import read_public  # slow to import

        return cls(*read_public(pem))

    def to_pem(self) -> str:
        """Write the key as ``RSA PUBLIC KEY`` (PKCS#1), the form Telegram publishes."""
        from radiogram.crypto.pem import write_public

        return write_public(self.n, self.e)

    @property
    def fingerprint(self) -> int:
        """The number by which servers name the key, as a signed TL long (A3.3)."""
        digest = sha1(_tl_bytes(self.n) + _tl_bytes(self.e)).digest()
        return int.from_bytes(digest[12:], "little", signed=True)

    def encrypt_pad(self, data: bytes, random: Random) -> bytes:
        """Encrypt at most 144 bytes with RSA_PAD; the result is 256 bytes.

        ``ValueError`` if ``data`` is longer or the key has not 2048 bits.
        """
        self._check(data, MAX_DATA)
        padded = data + random(_PADDED - len(data))
        # The number must stay below the modulus; a draw fails at most every other time, so only
        # a source of randomness that repeats itself comes to the end of this loop.
        for _ in range(_DRAWS):
            temp_key = random(32)
            with_hash = padded[::-1] + sha256(temp_key + padded).digest()
            hidden = ige_encrypt(with_hash, temp_key, _ZERO_IV)
            block = _xor(temp_key, sha256(hidden).digest()) + hidden
            number = int.from_bytes(block, "big")
            if number < self.n:
                return pow(number, self.e, self.n).to_bytes(SIZE, "big")
        raise ValueError("the source of randomness gives no key that fits the modulus")

    def encrypt_sha1(self, data: bytes, random: Random) -> bytes:
        """Encrypt at most 235 bytes with the older padding; the result is 256 bytes."""
        self._check(data, MAX_DATA_SHA1)
        block = sha1(data).digest() + data + random(MAX_DATA_SHA1 - len(data))
        return pow(int.from_bytes(block, "big"), self.e, self.n).to_bytes(SIZE, "big")

    def _check(self, data: bytes, most: int) -> None:
        if len(data) > most:
            raise ValueError(f"{len(data)} bytes are too many to encrypt at once, {most} the most")
        if self.n.bit_length() != 2048:
            raise ValueError(f"the key has {self.n.bit_length()} bits, not 2048")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A server's key."""

    public: PublicKey
    d: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a new key of 2048 bits with the randomness of the operating system."""
        from radiogram.crypto.pem import generate

        n, e, d, p, q = generate(_EXPONENT)
        return cls(PublicKey(n, e), d, p, q)

    @classmethod
    def from_pem(cls, pem: str | bytes, *, check: bool = True) -> PrivateKey:
        """Read an unencrypted RSA key of 2048 bits; ``ValueError`` for anything else.

        Only a text that :meth:`to_pem` wrote may go without the `check` of its numbers.
        """
        from radiogram.crypto.pem import read_private

        n, e, d, p, q = read_private(pem, check=check)
        return cls(PublicKey(n, e), d, p, q)

    def to_pem(self) -> str:
        """Write the key, unencrypted, as ``RSA PRIVATE KEY`` (PKCS#1)."""
        from radiogram.crypto.pem import write_private

        return write_private(self.public.n, self.public.e, self.d, self.p, self.q)

    def decrypt(self, encrypted: bytes) -> tuple[bytes, ...]:
        """Return what ``encrypted`` may hold, likeliest first; nothing if no padding fits.

        RSA_PAD gives 192 bytes, the data with whatever was filled in behind it; the older
        padding gives the data alone, which must be a whole number of TL words.
        """
        number = int.from_bytes(encrypted, "big") if len(encrypted) == SIZE else self.public.n
        if number >= self.public.n:
            return ()
        block = self._power(number).to_bytes(SIZE, "big")
        found = (_unpad(block), _unpad_sha1(block))
        return tuple(data for data in found if data is not None)

    def _power(self, number: int) -> int:
        p, q = self.p, self.q
        a = pow(number, self.d % (p - 1), p)
        b = pow(number, self.d % (q - 1), q)
        return b + (a - b) * pow(q, -1, p) % p * q


def _unpad(block: bytes) -> bytes | None:
    """Take RSA_PAD off (A3.5)."""
    hidden = block[32:]
    temp_key = _xor(block[:32], sha256(hidden).digest())
    with_hash = ige_decrypt(hidden, temp_key, _ZERO_IV)
    padded = with_hash[_PADDED - 1 :: -1]
    fits = hmac.compare_digest(sha256(temp_key + padded).digest(), with_hash[_PADDED:])
    return padded if fits else None


def _unpad_sha1(block: bytes) -> bytes | None:
    """Take the older padding off (A3.6): only the hash tells where the data end."""
    if block[0]:
        return None
    expected, rest = block[1:21], block[21:]
    digest = sha1()
    for end in range(4, len(rest) + 1, 4):
        digest.update(rest[end - 4 : end])
        if hmac.compare_digest(digest.digest(), expected):
            return rest[:end]
    return None


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def _tl_bytes(number: int) -> bytes:
    """Write a positive number as the big-endian byte string of TL."""
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    size = len(data)
    head = bytes([size]) if size < 254 else b"\xfe" + size.to_bytes(3, "little")
    return head + data + bytes(-(len(head) + size) % 4)


PRODUCTION_KEYS = (
    PublicKey(
        int(
            "e8bb3305c0b52c6cf2afdf7637313489e63e05268e5badb601af417786472e5f"
            "93b85438968e20e6729a301c0afc121bf7151f834436f7fda680847a66bf64ac"
            "cec78ee21c0b316f0edafe2f41908da7bd1f4a5107638eeb67040ace472a14f9"
            "0d9f7c2b7def99688ba3073adb5750bb02964902a359fe745d8170e36876d4fd"
            "8a5d41b2a76cbff9a13267eb9580b2d06d10357448d20d9da2191cb5d8c93982"
            "961cdfdeda629e37f1fb09a0722027696032fe61ed663db7a37f6f263d370f69"
            "db53a0dc0a1748bdaaff6209d5645485e6e001d1953255757e4b8e42813347b1"
            "1da6ab500fd0ace7e6dfa3736199ccaf9397ed0745a427dcfa6cd67bcb1acff3",
            16,
        )
    ),
)
"""The key of Telegram's production data centres that its own clients trust today."""

TEST_KEYS = (
    PublicKey(
        int(
            "c8c11d635691fac091dd9489aedced2932aa8a0bcefef05fa800892d9b52ed03"
            "200865c9e97211cb2ee6c7ae96d3fb0e15aeffd66019b44a08a240cfdd2868a8"
            "5e1f54d6fa5deaa041f6941ddf302690d61dc476385c2fa655142353cb4e4b59"
            "f6e5b6584db76fe8b1370263246c010c93d011014113ebdf987d093f9d37c2be"
            "48352d69a1683f8f6e6c2167983c761e3ab169fde5daaa12123fa1beab621e4d"
            "a5935e9c198f82f35eae583a99386d8110ea6bd1abb0f568759f62694419ea5f"
            "69847c43462abef858b4cb5edc84e7b9226cd7bd7e183aa974a712c079dde85b"
            "9dc063b8a5c08e8f859c0ee5dcd824c7807f20153361a7f63cfd2a433a1be7f5",
            16,
        )
    ),
)
"""The key of Telegram's test data centres."""
