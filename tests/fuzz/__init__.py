"""Fuzzing: whatever bytes a peer sends, only documented errors come of it, in bounded memory.

A module ``targets_<layer>.py`` has, for each entry point that production uses, a function
``fuzz_<name>(data: bytes)`` which feeds it one input, and ``seeds_<name>()`` which returns valid
inputs to start from. What the functions may raise is in the module's ``DOCUMENTED``, a tuple of
classes (RadiogramError if it has none); anything else that comes out is a failure.

Run ``python -m tests.fuzz --help``.
"""
