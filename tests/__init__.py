"""Tests of Radiogram; the tree mirrors ``src/radiogram``."""
