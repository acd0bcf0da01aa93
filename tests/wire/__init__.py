"""Tests of layer 1, transports; published values are in ``tests/vectors``."""
