"""Layer 5: a page for every method, constructor, type and error.

``model`` gathers what is known into pages; ``markdown``, ``html`` and ``terminal`` show them. The
facts come from the table that the program itself runs on, the sentences from ``texts``.
"""
