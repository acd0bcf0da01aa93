"""Tests of layer 0, cryptography; published values are in ``tests/vectors``."""
