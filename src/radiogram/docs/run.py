"""Layer 5, docs: run the examples, each in a furnished world of its own.

    python -m radiogram.docs.run            run all, write what they printed to outputs.json
    python -m radiogram.docs.run --check    run all, fail if anything is not as written there

The calls go through a real client over a real connection; the world is the same every time and its
clock stands still, so what is printed is too.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from radiogram.client.casts import CASTABLE
from radiogram.client.client import TelegramClient
from radiogram.docs.code import REFERENCE
from radiogram.docs.examples import Example, Output, Step, examples, namespaces, read
from radiogram.docs.texts import TextsError
from radiogram.docs.world import DemoWorld
from radiogram.errors import RadiogramError, RpcError
from radiogram.tl import api
from radiogram.tl.base import TLObject, stringify
from radiogram.tl.build import registry
from radiogram.tl.plain import request_from_plain

OUTPUTS = Path(__file__).with_name("outputs.json")
FIRST_RANDOM_ID = 1_000_001
"""No message of the furnished world has it, or a greater one."""
_PART = re.compile(r"\.(\w+)|\[(\d+)\]")


async def run_example(method: str, example: Example) -> Output:
    """Run one example. Raises TextsError if it does not end as it says."""
    async with DemoWorld(frozen=True) as demo:
        pushed: dict[str, list[str]] = {name: [] for name in example.watch}
        for name in example.watch:
            watcher = await demo.client(name)
            await watcher.invoke(api.updates.GetState())
            watcher.on_update(partial(_keep, pushed[name]))
        given: dict[str, Any] = {}
        numbers = count(FIRST_RANDOM_ID)
        own = 0
        for step in example.steps:
            client = await demo.client(step.actor or example.actor)
            answer = await _make_step(client, method, step, given, numbers)
            if not step.actor:
                own += 1
                given[str(own)] = answer
            elif step.name:
                given[step.name] = answer
        client = await demo.client(example.actor)
        for updates in pushed.values():
            updates.clear()
        try:
            answer = await invoke(client, method, example.call, given, numbers)
        except RpcError as error:
            if error.name != example.fails:
                raise TextsError(f"the example of {method} failed: {error}") from error
            return Output(error=error.name)
        if example.fails:
            raise TextsError(f"the example of {method} should fail with {example.fails}")
        for name in example.watch:  # what was pushed before comes before this answer
            await (await demo.client(name)).invoke(api.updates.GetState())
        shown = {
            name: [masked(one, example.mask) for one in updates] for name, updates in pushed.items()
        }
        return Output(result=masked(show(answer), example.mask), updates=shown)


async def _make_step(
    client: TelegramClient,
    method: str,
    step: Step,
    given: Mapping[str, Any],
    numbers: Iterator[int],
) -> Any:
    try:
        answer = await invoke(client, step.method, step.call, given, numbers)
    except RpcError as error:
        if error.name != step.fails:
            raise TextsError(f"the step {step.method} of {method} failed: {error}") from error
        return None
    if step.fails:
        raise TextsError(f"the step {step.method} of {method} should fail with {step.fails}")
    return answer


def _keep(pushed: list[str], updates: api.TypeUpdates) -> None:
    pushed.append(show(updates))


async def invoke(
    client: TelegramClient,
    method: str,
    values: Mapping[str, Any],
    given: Mapping[str, Any],
    numbers: Iterator[int],
) -> Any:
    """Make a call from plain data, in which texts like ``$1.id`` stand for what steps gave.

    A ``random_id`` that was left out is the next of the numbers: one that a client makes up would
    be another on every run, and updates repeat it.
    """
    request = request_from_plain(method, resolve(values, given), castable=CASTABLE)
    definition = registry().definition(method)
    for field in definition.fields:
        if definition.may_omit(field) and not getattr(request, field.attribute):
            many = field.type == "Vector<long>"
            made = [next(numbers) for _ in request.id] if many else next(numbers)  # type: ignore[attr-defined]
            setattr(request, field.attribute, made)
    return await client.invoke(request)


def resolve(plain: Any, given: Mapping[str, Any]) -> Any:
    """Replace references by what they stand for.

    `given` has answers by the number of the step, or its name. Raises TextsError.
    """
    if isinstance(plain, Mapping):
        return {name: resolve(value, given) for name, value in plain.items()}
    if isinstance(plain, list):
        return [resolve(value, given) for value in plain]
    reference = REFERENCE.fullmatch(plain) if isinstance(plain, str) else None
    if reference is None:
        return plain
    if reference[1] not in given:
        raise TextsError(f"{plain}: there is no such step; there are: {', '.join(given) or 'none'}")
    value = given[reference[1]]
    for name, index in _PART.findall(reference[2]):
        try:
            value = getattr(value, name) if name else value[int(index)]
        except (AttributeError, IndexError, TypeError) as error:
            raise TextsError(f"{plain}: {error}") from None
    return value


def show(value: object) -> str:
    """Show an answer as a program prints it."""
    objects = value if isinstance(value, list) else [value]
    return stringify(value) if any(isinstance(one, TLObject) for one in objects) else repr(value)


def masked(shown: str, names: Iterable[str]) -> str:
    """Hide the values of fields in what was shown."""
    for name in names:
        shown = re.sub(rf"(?m)^(\s*{name}=).+,$", r"\1...,", shown)
    return shown


async def run_all(methods: Iterable[str]) -> tuple[dict[str, list[Output]], list[str]]:
    """Run the examples of methods; give what came of them, and what went wrong."""
    found: dict[str, list[Output]] = {}
    wrong = []
    for method in methods:
        found[method] = []
        for number, example in enumerate(examples(method), 1):
            try:
                found[method].append(await run_example(method, example))
            except RadiogramError as error:
                wrong.append(f"{method}, example {number}: {error}")
    return found, wrong


def all_methods() -> list[str]:
    """Name every method with an example."""
    return sorted(method for namespace in namespaces() for method in read(namespace))


def written(found: Mapping[str, list[Output]]) -> str:
    """Give the text of ``outputs.json``."""
    plain = {method: msgspec.to_builtins(outputs) for method, outputs in sorted(found.items())}
    return json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Run all examples; return the exit code."""
    found, wrong = asyncio.run(run_all(all_methods()))
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    text = written(found)
    if "--check" in arguments:
        if OUTPUTS.read_text("utf-8") != text:
            before = json.loads(OUTPUTS.read_text("utf-8"))
            now = json.loads(text)
            changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
            sys.stderr.write(f"not as in {OUTPUTS.name}: {', '.join(changed)}\n")
            return 1
    else:
        OUTPUTS.write_text(text, "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
