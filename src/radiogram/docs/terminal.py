"""Layer 5, docs: a page in the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table

from radiogram.docs.markdown import callers, programs
from radiogram.docs.model import (
    ConstructorPage,
    ErrorPage,
    MethodPage,
    Page,
    Parameter,
    Sentence,
    Step,
    TypePage,
)
from radiogram.tl.schema.definition import vector_item
from radiogram.tl.schema.tables import FIRST_LAYER

TABS = {"asyncio": 0, "script": 1, "command": 2, "javascript": 3, "typescript": 4}
"""What of an example can be shown, and which of its programs that is."""


def show(page: Page, console: Console, *, tab: str = "asyncio") -> None:
    """Print a page; of its examples, what `tab` names."""
    _Printer(console, tab).page(page)


class _Printer:
    def __init__(self, console: Console, tab: str) -> None:
        self._console = console
        self._tab = TABS[tab]

    def page(self, page: Page) -> None:
        out = self._console.print
        out(f"[bold]{escape(page.name)}[/]  [dim]{page.kind}[/]")
        out(said(page.about))
        if page.details:
            out()
            out(escape(page.details.replace("\n", " ")))
        match page:
            case MethodPage():
                self.method(page)
            case ConstructorPage():
                self.heading("Fields")
                self.parameters(page.parameters)
                self.heading("Type")
                out(escape(page.type), "" if page.siblings else "(its only form)")
                self.names("Its other forms", page.siblings)
                self.declared(page.declaration, page.first_layer, page.history)
            case TypePage():
                self.names("Constructors", page.constructors)
                self.names("Returned by", page.returned_by)
                self.names("Taken by", page.taken_by)
                self.names("Part of", page.part_of)
            case ErrorPage():
                codes = ", ".join(map(str, page.codes)) or "not known"
                out(f"Code {codes}, class [cyan]errors.{page.class_name}[/]")
                self.names("Raised by", page.raised_by)
        self.names("Related pages", page.related)

    def method(self, page: MethodPage) -> None:
        out = self._console.print
        self.heading("Example")
        for number, example in enumerate(page.examples):
            if example.title:
                out(f"{'' if number == 0 else chr(10)}[italic]{escape(example.title)}[/]")
            if not example.actor:
                out("[dim]Values by rule; this example was not run.[/]")
            _, language, text = programs(example)[self._tab]
            self.code(text, {"sh": "bash"}.get(language, language))
            output = example.output
            if output is not None and output.error:
                out(f"[red]Fails with {output.error}.[/]")
            elif output is not None and number == 0:
                out("[dim]prints[/]")
                self.code(output.result, "python")
        self.heading("Parameters")
        self.parameters(page.parameters)
        self.heading("Result")
        out(f"[cyan]{escape(type_name(page.result))}[/]  {said(page.result_about)}")
        self.heading("Possible errors")
        rows = [(str(e.code), f"[red]{escape(e.name)}[/]", said(e.about)) for e in page.errors]
        self.table(("Code", "Type", "Description"), rows)
        for question, answer in callers(page.facts):
            out(f"\n[bold]{question}[/] {answer}", end="")
        out()
        self.heading("In Radiogram")
        friendly = ", ".join(f"client.{name}" for name in page.friendly)
        out(f"Class [cyan]api.{page.class_name}[/]", end="")
        out(f", friendly methods [cyan]{friendly}[/]" if friendly else "", end="")
        out("; the embedded server " + ("has it." if page.implemented else "does not have it yet."))
        self.declared(page.declaration, page.first_layer, page.history)

    def heading(self, title: str) -> None:
        self._console.print(f"\n[bold]{title}[/]")

    def parameters(self, parameters: Iterable[Parameter]) -> None:
        rows = [
            (
                f"[cyan]{escape(one.name)}[/]{' [dim]optional[/]' if one.optional else ''}",
                "flag" if one.is_flag else escape(type_name(one.type)),
                said(one.about),
            )
            for one in parameters
        ]
        self.table(("Name", "Type", "Description"), rows)

    def table(self, head: Iterable[str], rows: Sequence[tuple[str, ...]]) -> None:
        if not rows:
            self._console.print("None.")
            return
        table = Table(*head, box=None, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def names(self, title: str, names: Iterable[str]) -> None:
        names = list(names)
        if names:
            self.heading(title)
            self._console.print(escape(", ".join(names)))

    def code(self, text: str, language: str) -> None:
        syntax = Syntax(text.rstrip(), language, theme="ansi_dark", background_color="default",
                        word_wrap=True)  # fmt: skip
        self._console.print(Padding(syntax, (0, 0, 0, 4)))

    def declared(self, declaration: str, first: int, history: Iterable[Step]) -> None:
        self.heading("Declaration")
        self._console.print(declaration, markup=False, highlight=False)
        since = f"Since layer {first}." if first else f"Older than layer {FIRST_LAYER + 1}."
        self._console.print(f"[dim]{since}[/]")
        for step in history:
            self._console.print(f"[dim]Layer {step.layer}: {escape(step.text)}[/]")


def said(sentence: Sentence) -> str:
    """Show a sentence; what follows from names only is dim."""
    text = re.sub(r"`([^`]+)`", r"[cyan]\1[/]", escape(sentence.text))
    return f"[dim italic]{text}[/]" if sentence.derived else text


def type_name(tl_type: str) -> str:
    """Show a type as Python users call it."""
    item = vector_item(tl_type)
    if item is not None:
        return f"list of {type_name(item)}"
    return tl_type
