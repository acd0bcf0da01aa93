"""``radiogram call`` does what the Python example does: the same request, for every method."""

from __future__ import annotations

import shlex

import pytest

from radiogram.cli import values
from radiogram.client.casts import CASTABLE
from radiogram.docs.code import REFERENCE, Written, command
from radiogram.docs.examples import examples
from radiogram.docs.model import Model
from radiogram.tl.plain import request_from_plain

MODEL = Model()


def request_of(line: str) -> object:
    program, call, method, *words = shlex.split(line)
    assert (program, call) == ("radiogram", "call")
    definition = values.method_of(method)
    given = values.read_all(definition, words)
    return request_from_plain(definition.name, given, castable=CASTABLE)


def check(call: Written) -> None:
    if REFERENCE.search(str(call.values)):
        return  # what a reader has to put in
    wanted = request_from_plain(call.method, call.values, castable=CASTABLE)
    assert request_of(command(call)) == wanted, command(call)


def test_samples_of_all_methods() -> None:
    for name in MODEL.methods:
        for shown in MODEL.method(name).examples:
            check(shown.calls[-1])


@pytest.mark.parametrize("method", ["messages.updatePinnedMessage"])
def test_every_example_of_the_show_piece(method: str) -> None:
    for example in examples(method):
        for call in example.written(method):
            check(call)
