"""The layers, checked over the source of every module: no test can look right by luck."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import radiogram

PACKAGE = Path(radiogram.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}

# Whose modules a part may import, besides its own; nothing else of Radiogram.
BELOW = {
    "errors": set[str](),
    "tl": {"errors"},
    "crypto": {"errors"},
    "wire": {"errors", "crypto"},
    "mtproto": {"errors", "tl", "crypto", "wire"},
    "net": {"errors", "tl", "crypto", "wire", "mtproto"},
    "client": {"errors", "tl", "crypto", "wire", "mtproto", "net"},
    "server": {"errors", "tl", "crypto", "wire", "mtproto", "net"},
    "sessions": {"errors", "tl", "client"},
    "events": {"errors", "tl", "client"},
    "types": {"errors", "tl", "client"},
    "sync": {"errors", "tl", "client"},
    "api": {"tl"},
}
TOP = {"cli", "demo", "docs", "testing", "__main__", "__init__"}
"""Parts that may import everything, and that nothing else imports."""

SANS_IO = ("tl", "crypto", "wire", "mtproto")
FORBIDDEN_IN_SANS_IO = {
    "asyncio", "random", "secrets", "select", "selectors", "signal", "socket", "ssl",
    "subprocess", "time",
}  # fmt: skip
ASYNCIO_TRANSPORTS = {"BufferedProtocol", "Protocol", "Transport", "start_server"}


def part_of(module: str) -> str:
    """Return the layer of a module: ``tl`` of ``radiogram.tl.codec``."""
    return module.split(".")[1] if "." in module else "__init__"


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"), str(MODULES[module]))


def walk(node: ast.AST, *, whole: bool) -> Iterator[ast.AST]:
    """Yield the nodes that run; with ``whole=False`` only those that run at import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from walk(other, whole=whole)
            continue
        if not whole and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from walk(child, whole=whole)


def imports(module: str, *, whole: bool = True) -> set[str]:
    """Return the modules that a module imports, by full name."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in walk(tree_of(module), whole=whole):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = parts[: len(parts) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.add(full if full in MODULES else base)
    return found


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name in MODULES}


def test_the_walk_sees_the_package() -> None:
    assert {"radiogram", "radiogram.errors", "radiogram.tl", "radiogram.server"} <= set(MODULES)
    assert "radiogram.errors" in imports("radiogram.tl.build")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    part = part_of(module)
    if part in TOP:
        return
    assert part in BELOW, f"{module}: give the new part its place among the layers"
    for other in ours(imports(module)):
        target = part_of(other)
        if other == "radiogram":
            pytest.fail(f"{module} imports the façade")
        assert target == part or target in BELOW[part], f"{module} imports {other}"


def test_client_and_server_do_not_know_each_other() -> None:
    assert "server" not in BELOW["client"]
    assert "client" not in BELOW["server"]


def test_no_cycle_when_modules_are_imported() -> None:
    graph = {module: ours(imports(module, whole=False)) - {module} for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "cycle: " + " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for other in sorted(graph[module]):
                # A package is loaded before what is in it: that is no import of its own.
                if not module.startswith(other + "."):
                    visit(other, (*path, module))
            done.add(module)

    for module in sorted(MODULES):
        visit(module, ())


@pytest.mark.parametrize("module", sorted(m for m in MODULES if part_of(m) in SANS_IO))
def test_sans_io_layers_have_no_clock_socket_or_chance(module: str) -> None:
    names = {name.split(".")[0] for name in imports(module)}
    assert not names & FORBIDDEN_IN_SANS_IO
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"urandom", "getrandom", "utcnow", "today"}, node.lineno
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            pytest.fail(f"{module}:{node.lineno} is asynchronous")


@pytest.mark.parametrize("module", sorted(m for m in MODULES if part_of(m) != "net"))
def test_only_net_has_transports(module: str) -> None:
    for node in ast.walk(tree_of(module)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "asyncio"
        ):
            assert node.attr not in ASYNCIO_TRANSPORTS, f"{module}:{node.lineno}"


@pytest.mark.parametrize(
    "module", sorted(m for m in MODULES if m.startswith("radiogram.client.methods"))
)
def test_method_modules_touch_only_what_is_public(module: str) -> None:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            assert not private, f"{module}:{node.lineno} {node.value.id}.{node.attr}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_tells_its_layer(module: str) -> None:
    doc = ast.get_docstring(tree_of(module))
    assert doc, f"{module} has no docstring"
