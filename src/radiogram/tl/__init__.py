"""Layer 0: Telegram's type language: the schema, its classes, and their bytes.

Knows nothing of encryption, connections or accounts. :mod:`radiogram.tl.api` and
:mod:`radiogram.tl.mtproto` are the facades, :mod:`radiogram.tl.build` has the registries.
"""
