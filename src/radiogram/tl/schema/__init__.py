"""Layer 0: what Telegram's schema says, as data.

:mod:`~radiogram.tl.schema.definition` is one declaration, :mod:`~radiogram.tl.schema.table` the
package's table over all layers, :mod:`~radiogram.tl.schema.tlfile` reads ``.tl`` texts,
:mod:`~radiogram.tl.schema.check` says whether these can be used, and
:mod:`~radiogram.tl.schema.difference` compares two layers. No classes, no bytes on a wire.
"""
