"""Layer 5, docs: which friendly method makes which call.

Reads it off the source of the client: a friendly method covers the requests that its function,
or a function of the same module that it calls, makes.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from types import FunctionType, ModuleType

from radiogram.tl import api
from radiogram.tl.base import Request


def covering(method: str) -> tuple[str, ...]:
    """Give the friendly methods that make the call of a method, sorted."""
    return _covering().get(method, ())


@cache
def _covering() -> dict[str, tuple[str, ...]]:
    from radiogram.client.client import TelegramClient

    found: dict[str, list[str]] = {}
    for name, function in sorted(vars(TelegramClient).items()):
        if name.startswith("_") or not isinstance(function, FunctionType):
            continue
        module = inspect.getmodule(function)
        if module is None or not module.__name__.startswith("radiogram.client.methods."):
            continue
        for method in sorted(_calls(module).get(function.__name__, ())):
            found.setdefault(method, []).append(name)
    return {method: tuple(names) for method, names in found.items()}


@cache
def _calls(module: ModuleType) -> dict[str, set[str]]:
    """Give the requests that each function of a module makes, through its neighbours too."""
    tree = ast.parse(inspect.getsource(module))
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    direct = {name: set(_requests(node)) for name, node in functions.items()}
    uses = {
        name: {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} & set(functions)
        for name, node in functions.items()
    }
    changed = True
    while changed:
        changed = False
        for name in functions:
            more = set().union(*(direct[one] for one in uses[name])) - direct[name]
            if more:
                direct[name] |= more
                changed = True
    return direct


def _requests(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        match one:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id="api"), attr=namespace), attr=name
                )
            ):
                cls = getattr(getattr(api, namespace), name)
                if issubclass(cls, Request):
                    yield cls.TL_NAME
