"""The one list of commands. Help, every chat's menu, the manifests and the docs come from it.

A command is one function: its docstring is its help, its signature its usage.

    @command(group="rates", needs={"rates"})
    async def rates(desk: Desk, ask: Request, what: Annotated[str, "KZT | USD/KZT"] = "") -> Answer:
        '''The rates of the five currencies, or of one.

        /rates KZT
        '''

The first line is the summary (translated, at most 100 characters); every further line
that begins with "/" is an example.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from bot.models import Answer

Group = Literal["rates", "news", "digest", "settings", "about", "operators"]
OPERATORS: Final = "operators"
"""Commands of this group are on no list; whether somebody may use them the command decides."""
Need = Literal["rates", "news"]
Run = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command as every surface shows it.

    usage: what may follow the name, such as "[KZT | USD/KZT]", "" for nothing
    needs: which sources `yamchi ask` looks at before answering
    changes: it changes settings of the chat, so in a group only an admin may; or the words after its
        name with which it does
    """

    name: str
    group: Group
    summary: str
    examples: tuple[str, ...]
    usage: str
    needs: frozenset[Need]
    changes: bool | frozenset[str]
    takes: bool
    run: Run

    def alters(self, rest: str) -> bool:
        """Whether it changes settings when so much is said after its name."""
        if isinstance(self.changes, bool):
            return self.changes
        return rest.partition(" ")[0].casefold() in self.changes


_commands: dict[str, Command] = {}


def command(
    *, group: Group, needs: Iterable[Need] = (), changes: bool | frozenset[str] = False
) -> Callable[[Run], Run]:
    """Put a function on the menu under its own name (a trailing underscore is dropped)."""

    def register(run: Run) -> Run:
        name = getattr(run, "__name__").rstrip("_")  # noqa: B009
        lines = [line.strip() for line in inspect.cleandoc(run.__doc__ or "").splitlines()]
        usage = _usage(run)
        _commands[name] = Command(
            name=name,
            group=group,
            summary=lines[0],
            examples=tuple(line for line in lines[1:] if line.startswith("/")),
            usage=usage,
            needs=frozenset(needs),
            changes=changes,
            takes=bool(usage),
            run=run,
        )
        return run

    return register


def commands() -> dict[str, Command]:
    """Every command for everybody, by name, in the order of the menu."""
    order = get_args(Group)
    public = (entry for entry in _commands.items() if entry[1].group != OPERATORS)
    return dict(sorted(public, key=lambda entry: order.index(entry[1].group)))


def find(name: str) -> Command | None:
    """The command of this name, the operators' included."""
    return _commands.get(name)


def _usage(run: Run) -> str:
    """What the third parameter is annotated with: Annotated[str, "KZT | USD/KZT"] is [KZT | USD/KZT]."""
    hints: dict[str, Any] = get_type_hints(run, include_extras=True)
    rest = list(inspect.signature(run).parameters.values())[2:]
    parts = []
    for parameter in rest:
        hint = hints[parameter.name]
        shown = get_args(hint)[1] if get_origin(hint) is Annotated else parameter.name
        parts.append(f"[{shown}]" if parameter.default is not parameter.empty else f"<{shown}>")
    return " ".join(parts)
