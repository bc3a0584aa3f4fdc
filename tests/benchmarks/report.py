"""What a section of the benchmark says: tables and goals, as text and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

from measuring import Spread

PACKAGES = (
    "sso-middleware", "pyjwt", "starlette", "werkzeug", "fastapi", "flask", "django", "joserfc", "authlib",
    "asgi-correlation-id", "whitenoise", "uvicorn", "granian", "gunicorn",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows of figures; the first column is who or what a row is about."""

    title: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[float | None, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """A figure that is to be `at_most` or `at_least` something."""

    text: str
    measured: Spread
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool:
        return (self.at_most is None or self.measured.median <= self.at_most) and (
            self.at_least is None or self.measured.median >= self.at_least
        )

    @property
    def limit(self) -> str:
        return f"at most {self.at_most:g}" if self.at_least is None else f"at least {self.at_least:g}"


@dataclass(frozen=True)
class Section:
    """What one part of the benchmark has found."""

    name: str
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)


def environment() -> dict[str, str]:
    """Return what the figures were made with."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in PACKAGES},
    }


def as_json(sections: Sequence[Section]) -> dict[str, object]:
    return {
        "environment": environment(),
        "sections": {
            section.name: {
                "tables": [
                    {
                        "title": table.title,
                        "notes": table.notes,
                        "rows": {
                            name: dict(zip(table.columns, figures, strict=True))
                            for name, figures in table.rows.items()
                        },
                    }
                    for table in section.tables
                ],
                "goals": [
                    asdict(goal) | {"limit": goal.limit, "is_met": goal.is_met} for goal in section.goals
                ],
            }
            for section in sections
        },
    }


def as_text(section: Section) -> str:
    return "\n\n".join([*map(_table, section.tables), _goals(section.goals)])


def as_markdown(sections: Sequence[Section]) -> str:
    """Return the goals, and what the figures were made with."""
    lines = ["| what | measured | quartiles | aim | |", "|---|---|---|---|---|"]
    for goal in (goal for section in sections for goal in section.goals):
        verdict = "met" if goal.is_met else "**missed**"
        cells = [goal.text, _figure(goal.measured.median), _quartiles(goal), goal.limit, verdict]
        lines.append(f"| {' | '.join(cells)} |")
    made_with = environment()
    machine, python = made_with.pop("machine"), made_with.pop("python")
    versions = ", ".join(f"{name} {what}" for name, what in made_with.items() if name != "sso-middleware")
    return "\n".join([*lines, "", f"{python}, {machine}; {versions}."])


def _table(table: Table) -> str:
    rows = [("", *table.columns)]
    rows += [(name, *map(_figure, figures)) for name, figures in table.rows.items()]
    return "\n".join([f"## {table.title}", "", *_aligned(rows), *(f"  {note}" for note in table.notes)])


def _goals(goals: Sequence[Goal]) -> str:
    rows = [("goal", "limit", "median", "quartiles", "")]
    for goal in goals:
        verdict = "met" if goal.is_met else "MISSED"
        rows.append((goal.text, goal.limit, _figure(goal.measured.median), _quartiles(goal), verdict))
    return "\n".join(_aligned(rows))


def _quartiles(goal: Goal) -> str:
    return f"{_figure(goal.measured.low)}..{_figure(goal.measured.high)}"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
