"""What may be written down: never more than was dealt with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radiogram.client.journal import Journal, LineState
from radiogram.sessions import State


class Kept:
    def __init__(self) -> None:
        self.calls: list[tuple[int | None, LineState]] = []
        self.journal = Journal(lambda line, state: self.calls.append((line, state)))


def test_a_state_waits_for_everything_before_it() -> None:
    kept = Kept()
    first, second = kept.journal.hand_out(7), kept.journal.hand_out(7)
    kept.journal.reach(7, 2)
    third = kept.journal.hand_out(7)
    kept.journal.reach(7, 3)
    kept.journal.done(third)
    kept.journal.done(second)
    assert kept.calls == []
    kept.journal.done(first)
    assert kept.calls == [(7, 3)]
    assert kept.journal.open == 0


def test_lines_do_not_wait_for_each_other() -> None:
    kept = Kept()
    kept.journal.hand_out(None)
    kept.journal.reach(7, 2)
    assert kept.calls == [(7, 2)]


def test_done_twice_is_done_once() -> None:
    kept = Kept()
    entry = kept.journal.hand_out(None)
    kept.journal.reach(None, State(5))
    kept.journal.done(entry)
    kept.journal.done(entry)
    assert kept.calls == [(None, State(5))]
    assert kept.journal.open == 0


def test_a_line_that_is_forgotten_is_not_kept_any_more() -> None:
    kept = Kept()
    entry = kept.journal.hand_out(7)
    kept.journal.reach(7, 2)
    kept.journal.forget(7)
    kept.journal.done(entry)
    assert kept.calls == []
    assert kept.journal.open == 0


@given(st.data())
def test_what_is_kept_is_what_a_restart_may_skip(data: st.DataObject) -> None:
    kept = Kept()
    batches = data.draw(st.lists(st.integers(0, 4), max_size=12))
    entries = []
    pts = 1
    for size in batches:
        for _ in range(size):
            pts += 1
            entries.append((pts, kept.journal.hand_out(7)))
        kept.journal.reach(7, pts)
    handled: set[int] = set()
    for number, entry in data.draw(st.permutations(entries)):
        kept.journal.done(entry)
        handled.add(number)
        state = kept.calls[-1][1] if kept.calls else 1
        assert isinstance(state, int)
        assert all(one in handled for one, _ in entries if one <= state)
    if batches:
        assert kept.calls[-1] == (7, pts)
    assert kept.journal.open == 0
