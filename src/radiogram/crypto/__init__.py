"""Layer 0, bytes in, bytes out: the cryptography of MTProto.

It knows AES, RSA, Diffie-Hellman and the key derivations, and no TL, socket, clock or source of
randomness: whoever needs random bytes passes ``random``, a function from a number to that many
bytes.  A check that a peer fails raises :class:`~radiogram.errors.SecurityError`; an argument
that this side should not have passed raises :class:`ValueError`.
"""
