"""Layer 5, docs: a call as a program writes it, in each language that has a tab.

Takes calls as plain data (a TL name and parameters, see :mod:`radiogram.tl.plain`). In examples of
several steps, a text ``$1.phone_code_hash`` stands for a field of what the first step gave, and
``$scanned.token`` for one of what the program has from elsewhere.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from radiogram.errors import class_name
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Definition, vector_item

REFERENCE = re.compile(r"\$([1-9]|[a-z_]+)((?:\.\w+|\[\d+\])*)")
"""The number of a step or a name, and the way to a value in what it gave."""

ROOM = 72
"""Characters of a line that are left for an argument in a program, behind its indentation."""

STEP_NAMES = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Written(msgspec.Struct, frozen=True):
    """A call to be written down."""

    method: str
    """TL name."""
    values: Mapping[str, Any]
    """Parameters as plain data, by Python name."""
    fails: str = ""
    """Of a call that is only a step: the error that is expected."""


def asyncio_program(steps: Sequence[Written]) -> str:
    """Write a program for asyncio."""
    lines = [
        "import asyncio",
        "",
        f"from radiogram import TelegramClient, {_names(steps)}",
        "from radiogram.sessions import StringSession",
        "",
        'session = StringSession("")  # put your own session string here',
        "",
        "",
        "async def main():",
        "    async with TelegramClient(session, api_id, api_hash) as client:",
        *_steps(steps, "        ", "await "),
        "        print(result.stringify())" if _is_object(steps[-1]) else "        print(result)",
        "",
        "",
        "asyncio.run(main())",
    ]
    return "\n".join(lines) + "\n"


def sync_program(steps: Sequence[Written]) -> str:
    """Write a script that needs no event loop."""
    lines = [
        f"from radiogram import {_names(steps)}",
        "from radiogram.sessions import StringSession",
        "from radiogram.sync import TelegramClient",
        "",
        'session = StringSession("")  # put your own session string here',
        "",
        "with TelegramClient(session, api_id, api_hash) as client:",
        *_steps(steps, "    ", ""),
        "    print(result.stringify())" if _is_object(steps[-1]) else "    print(result)",
    ]
    return "\n".join(lines) + "\n"


def python_call(call: Written) -> str:
    """Write the call alone, as an expression: ``api.help.GetConfig()``."""
    return _Python(registry()).call(call)


def command(call: Written) -> str:
    """Write the call as a command line of a shell."""
    words = ["radiogram", "call", call.method]
    for name, value in call.values.items():
        shown = _json(value) if isinstance(value, (dict, list, bool)) else str(value)
        words.append(shlex.quote(f"{name}={shown}"))
    return " ".join(words) + "\n"


def javascript_program(steps: Sequence[Written], *, typed: bool = False) -> str:
    """Write a program for GramJS, with types for TypeScript if `typed`."""
    language = _JavaScript(registry())
    head = (
        ["import {Api, TelegramClient} from 'telegram';",
         "import {StringSession} from 'telegram/sessions';"]
        if typed
        else ["const {Api, TelegramClient} = require('telegram');",
              "const {StringSession} = require('telegram/sessions');"]
    )  # fmt: skip
    if any(_gives_password(step) for step in steps):
        head.append(
            "import {computeCheck} from 'telegram/Password';"
            if typed
            else "const {computeCheck} = require('telegram/Password');"
        )
    body = []
    for number, step in enumerate(steps, 1):
        name = "result" if number == len(steps) else STEP_NAMES[number]
        result = registry().definition(step.method).result
        annotation = f": {language.type_name(result)}" if typed else ""
        call = _indented(language.call(step), "    ")
        if step.fails and number < len(steps):
            body += [
                "    try {",
                f"        await client.invoke({_indented(call, '    ')});",
                f"    }} catch (error{': any' if typed else ''}) {{",
                f"        if (error.errorMessage !== '{step.fails}') throw error;",
                "    }",
            ]
        else:
            body.append(f"    const {name}{annotation} = await client.invoke({call});")
    lines = [
        *head,
        "",
        "const session = new StringSession(''); // put your own session string here",
        "const client = new TelegramClient(session, apiId, apiHash, {});",
        "",
        "(async function run() {",
        "    await client.connect();",
        "",
        *body,
        "    console.log(result);",
        "})();",
    ]
    return "\n".join(lines) + "\n"


def _steps(steps: Sequence[Written], indent: str, wait: str) -> list[str]:
    language = _Python(registry())
    lines = []
    for number, step in enumerate(steps, 1):
        name = "result" if number == len(steps) else STEP_NAMES[number]
        call = language.call(step)
        if len(indent) + len(name) + len(call) + 30 > 88 and step.values:
            inner = f"{indent}    "
            call = f"\n{inner}{_indented(language.call(step, wide=False), inner)}\n{indent}"
        if step.fails and number < len(steps):
            lines += [
                f"{indent}try:",
                f"{indent}    {wait}client.invoke({_indented(call, '    ')})",
                f"{indent}except errors.{class_name(step.fails)}:",
                f"{indent}    pass  # that is how it goes on",
            ]
        else:
            lines.append(f"{indent}{name} = {wait}client.invoke({call})")
    return lines


def _names(steps: Sequence[Written]) -> str:
    """Name what a program imports besides the client."""
    return "api, errors" if any(step.fails for step in steps[:-1]) else "api"


def _gives_password(call: Written) -> bool:
    fields = registry().definition(call.method).fields
    return any(
        field.type == "InputCheckPasswordSRP" and isinstance(call.values.get(field.attribute), str)
        for field in fields
    )


def _is_object(call: Written) -> bool:
    """Tell whether the answer is an object, and no number or list."""
    result = registry().definition(call.method).result
    return vector_item(result) is None and result not in ("Bool", "int", "long", "string", "bytes")


def _indented(text: str, indent: str) -> str:
    return text.replace("\n", f"\n{indent}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Language:
    """Writes plain data as expressions of a language."""

    def __init__(self, layer: Registry) -> None:
        self.layer = layer

    def call(self, call: Written, *, wide: bool = True) -> str:
        return self.made(self.layer.definition(call.method), call.values, wide=wide)

    def value(self, value: Any, tl_type: str) -> str:
        if isinstance(value, Mapping):
            return self.made(self.layer.definition(value["_"]), value, wide=True)
        item = vector_item(tl_type)
        if item is not None and isinstance(value, (list, tuple)):
            return f"[{', '.join(self.value(one, item) for one in value)}]"
        if isinstance(value, str):
            reference = REFERENCE.fullmatch(value)
            if reference:
                step = reference[1]
                name = STEP_NAMES[int(step)] if step.isdigit() else step
                return self.reference(name, reference[2])
            definition = None if tl_type == "string" else self.layer.find(value)
            if definition is not None and definition.result == tl_type:
                return self.made(definition, {}, wide=True)
        return self.scalar(value, tl_type)

    def made(self, definition: Definition, values: Mapping[str, Any], *, wide: bool) -> str:
        raise NotImplementedError

    def reference(self, step: str, way: str) -> str:
        raise NotImplementedError

    def scalar(self, value: Any, tl_type: str) -> str:
        raise NotImplementedError


class _Python(_Language):
    def made(
        self, definition: Definition, values: Mapping[str, Any], *, wide: bool, room: int = ROOM
    ) -> str:
        head = f"api.{definition.qualified_name}"
        given = [(name, value) for name, value in values.items() if name != "_"]
        if wide or not given:
            said = [f"{name}={self.value(value, _type(definition, name))}" for name, value in given]
            return f"{head}({', '.join(said)})"
        lines = []
        for name, value in given:
            text = self.fitted(value, _type(definition, name), room, len(name) + 2)
            lines.append(f"    {name}={_indented(text, '    ')},\n")
        return f"{head}(\n{''.join(lines)})"

    def fitted(self, value: Any, tl_type: str, room: int, taken: int = 1) -> str:
        """Write a value on several lines if one has no room for it and what stands beside it."""
        text = self.value(value, tl_type)
        if len(text) + taken <= room:
            return text
        item = vector_item(tl_type)
        if isinstance(value, Mapping):
            return self.made(self.layer.definition(value["_"]), value, wide=False, room=room - 4)
        if item is not None and isinstance(value, (list, tuple)):
            lines = [_indented(self.fitted(one, item, room - 4), "    ") for one in value]
            return "[\n" + "".join(f"    {line},\n" for line in lines) + "]"
        return text

    def reference(self, step: str, way: str) -> str:
        return f"{step}{way}"

    def scalar(self, value: Any, tl_type: str) -> str:
        if tl_type in ("bytes", "int128", "int256") and isinstance(value, str):
            return repr(base64.b64decode(value))
        return _json(value) if isinstance(value, str) else repr(value)


class _JavaScript(_Language):
    def made(self, definition: Definition, values: Mapping[str, Any], *, wide: bool) -> str:
        arguments = [
            f"{_camel(name)}: {self.value(value, _type(definition, name))}"
            for name, value in values.items()
            if name != "_"
        ]
        head = f"new Api.{definition.qualified_name}"
        if not arguments:
            return f"{head}()"
        return f"{head}({{\n    " + ",\n    ".join(_indented(a, "    ") for a in arguments) + "\n})"

    def reference(self, step: str, way: str) -> str:
        return step + re.sub(r"\.(\w+)", lambda match: f".{_camel(match[1])}", way)

    def scalar(self, value: Any, tl_type: str) -> str:
        if tl_type == "InputCheckPasswordSRP":
            asked = "await client.invoke(new Api.account.GetPassword())"
            return f"await computeCheck({asked}, {self.scalar(value, 'string')})"
        if tl_type in ("bytes", "int128", "int256") and isinstance(value, str):
            return f"Buffer.from('{value}', 'base64')"
        if tl_type == "long" and isinstance(value, int):
            return f"BigInt('{value}')"
        if isinstance(value, str):
            inner = _json(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
            return f"'{inner}'"
        return _json(value)

    def type_name(self, tl_type: str) -> str:
        item = vector_item(tl_type)
        if item is not None:
            return f"{self.type_name(item)}[]"
        simple = {
            "Bool": "boolean",
            "int": "number",
            "long": "bigInt.BigInteger",
            "string": "string",
        }
        if tl_type in simple:
            return simple[tl_type]
        if tl_type in ("X", "bytes"):
            return "any" if tl_type == "X" else "Buffer"
        names = self.layer.constructors(tl_type)
        if len(names) == 1:
            return f"Api.{self.layer.definition(names[0]).qualified_name}"
        namespace, _, name = tl_type.rpartition(".")
        return ".".join(["Api", *filter(None, [namespace]), f"Type{name}"])


def _type(definition: Definition, attribute: str) -> str:
    field = definition.field(attribute)
    return field.type if field is not None else "string"


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
