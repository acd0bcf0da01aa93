"""Layer 5, docs: a page as Markdown.

Knows the order of a page, headings and tables. Where a link leads is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from radiogram.docs import code
from radiogram.docs.facts import Facts
from radiogram.docs.model import (
    ConstructorPage,
    ErrorPage,
    MethodPage,
    Page,
    Parameter,
    Shown,
    Step,
    TypePage,
)
from radiogram.tl.schema.definition import vector_item
from radiogram.tl.schema.tables import FIRST_LAYER

Link = Callable[[str, str], str]
"""Gives the address of a page of a kind (method, constructor, type, error); empty: none."""

SIMPLE = {"int", "long", "double", "string", "bytes", "int128", "int256", "Bool", "true", "X", "#"}
"""Types that are no abstract types."""


def no_links(kind: str, name: str) -> str:
    """Lead nowhere."""
    return ""


def page(shown: Page, link: Link = no_links) -> str:
    """Write a page."""
    return _Writer(link).page(shown)


def programs(example: Shown) -> list[tuple[str, str, str]]:
    """Give the tabs of an example: title, language, text."""
    return [
        ("asyncio", "python", code.asyncio_program(example.calls)),
        ("Script", "python", code.sync_program(example.calls)),
        ("Command line", "sh", "".join(map(code.command, example.calls[-1:]))),
        ("JavaScript", "js", code.javascript_program(example.calls)),
        ("TypeScript", "ts", code.javascript_program(example.calls, typed=True)),
    ]


def whether(known: bool | None) -> str:
    """Say yes, no or that nobody knows."""
    return {True: "Yes", False: "No", None: "Not known"}[known]


def callers(facts: Facts) -> list[tuple[str, str]]:
    """Give the questions about who may call a method, with their answers."""
    return [
        ("Can bots use this method?", whether(facts.bots)),
        ("Can users use this method?", whether(facts.users)),
        ("Over a business connection?", whether(facts.business)),
        ("Before login?", whether(facts.before_login)),
    ]


class _Writer:
    def __init__(self, link: Link) -> None:
        self._link = link

    def page(self, shown: Page) -> str:
        parts = [f"# {shown.name}", self.said(shown.about.text, derived=shown.about.derived)]
        if shown.details:
            parts.append(shown.details)
        match shown:
            case MethodPage():
                parts += self.method(shown)
            case ConstructorPage():
                parts += self.constructor(shown)
            case TypePage():
                parts += self.type(shown)
            case ErrorPage():
                parts += self.error(shown)
        if shown.related:
            parts += ["## Related pages", self.names("method", shown.related)]
        return "\n\n".join(parts) + "\n"

    def method(self, shown: MethodPage) -> list[str]:
        parts = ["## Example"]
        for number, example in enumerate(shown.examples):
            parts += self.example(example, first=number == 0)
        parts += ["## Parameters", self.parameters(shown.parameters)]
        parts += ["## Result", self.type_link(shown.result)]
        parts.append(self.said(shown.result_about.text, derived=shown.result_about.derived))
        parts.append("## Possible errors")
        if shown.errors:
            rows = [
                (str(one.code), self.linked("error", one.name),
                 self.said(one.about.text, derived=one.about.derived))
                for one in shown.errors
            ]  # fmt: skip
            parts.append(table(("Code", "Type", "Description"), rows))
        else:
            parts.append("None are known.")
        for question, answer in callers(shown.facts):
            parts += [f"## {question}", answer]
        parts.append("## In Radiogram")
        friendly = ", ".join(f"`client.{name}`" for name in shown.friendly)
        parts.append(
            f"Class: `api.{shown.class_name}`. "
            + (f"Friendly methods that make this call: {friendly}. " if friendly else "")
            + ("The embedded server has it." if shown.implemented
               else "The embedded server does not have it yet.")
        )  # fmt: skip
        return [*parts, *self.declared(shown.declaration, shown.first_layer, shown.history)]

    def example(self, example: Shown, *, first: bool) -> list[str]:
        parts = [f"### {example.title}"] if example.title else []
        if not example.actor:
            parts.append("*Values by rule; this example was not run.*")
        for title, language, text in programs(example) if first else programs(example)[:1]:
            parts += [f"#### {title}" if first else "", f"```{language}\n{text}```"]
        output = example.output
        if output is not None and output.error:
            parts.append(f"Fails with {self.linked('error', output.error)}.")
        elif output is not None:
            parts += ["It prints:", f"```python\n{output.result}\n```"]
            for name, updates in output.updates.items():
                parts += [f"{name.capitalize()} is told:"]
                parts += [f"```python\n{update}\n```" for update in updates] or ["Nothing."]
        return [part for part in parts if part]

    def constructor(self, shown: ConstructorPage) -> list[str]:
        parts = ["## Fields", self.parameters(shown.parameters)]
        parts += ["## Type", self.type_link(shown.type)]
        if shown.siblings:
            parts += ["Other forms: " + self.names("constructor", shown.siblings)]
        parts += ["## In Radiogram", f"Class: `api.{shown.class_name}`."]
        return [*parts, *self.declared(shown.declaration, shown.first_layer, shown.history)]

    def type(self, shown: TypePage) -> list[str]:
        parts = ["## Constructors", self.names("constructor", shown.constructors)]
        parts += ["## Returned by", self.names("method", shown.returned_by) or "No method."]
        parts += ["## Taken by", self.names("method", shown.taken_by) or "No method."]
        return [*parts, "## Part of", self.names("constructor", shown.part_of) or "Nothing."]

    def error(self, shown: ErrorPage) -> list[str]:
        codes = ", ".join(map(str, shown.codes)) or "not known"
        parts = [f"Code: {codes}. Class: `errors.{shown.class_name}`."]
        return [*parts, "## Raised by", self.names("method", shown.raised_by) or "Not known."]

    def declared(self, declaration: str, first: int, history: Iterable[Step]) -> list[str]:
        since = f"Since layer {first}." if first else f"Older than layer {FIRST_LAYER + 1}."
        steps = [f"- Layer {step.layer}: {_cell(step.text)}" for step in history]
        parts = ["## Declaration", f"```\n{declaration}\n```", since]
        return [*parts, "\n".join(steps)] if steps else parts

    def parameters(self, parameters: Iterable[Parameter]) -> str:
        rows = [
            (
                f"**{one.name}**",
                "flag" if one.is_flag else self.type_link(one.type),
                "optional" if one.optional else "",
                self.said(one.about.text, derived=one.about.derived),
            )
            for one in parameters
        ]
        return table(("Name", "Type", "", "Description"), rows) if rows else "None."

    def type_link(self, tl_type: str) -> str:
        item = vector_item(tl_type)
        if item is not None:
            return f"list of {self.type_link(item)}"
        return f"`{tl_type}`" if tl_type.lstrip("!") in SIMPLE else self.linked("type", tl_type)

    def names(self, kind: str, names: Iterable[str]) -> str:
        return ", ".join(self.linked(kind, name) for name in names)

    def linked(self, kind: str, name: str) -> str:
        target = self._link(kind, name)
        shown = name.replace("_", "\\_")
        return f"[{shown}]({target})" if target else shown

    def said(self, text: str, *, derived: bool) -> str:
        return f"*{_cell(text)}*" if derived else _cell(text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Keep a text within its cell, and what is no markup as it is."""
    return text.replace("|", "\\|").replace("_", "\\_").replace("\n", " ")
