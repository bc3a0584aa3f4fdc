"""Measure what the middleware costs, beside what people would use or write instead::

    python tests/benchmarks

Prints tables and what became of each goal; `--json` writes the same figures to a file. Times are
processor time; ratios compare what took turns in one process. `servers` needs wrk.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

if missing := [name for name in ("asgi_correlation_id", "authlib", "whitenoise") if find_spec(name) is None]:
    sys.exit(f"{', '.join(missing)} not installed: pip install --group benchmarks")

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "README.md"
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import footprint  # noqa: E402 - found there only now
import handoffs  # noqa: E402
import load  # noqa: E402
import passthrough  # noqa: E402
import report  # noqa: E402
import signing  # noqa: E402
import startup  # noqa: E402
from measuring import Effort  # noqa: E402

from readme_tables import write_table  # noqa: E402

SECTIONS = {
    "passthrough": lambda quick: passthrough.section(Effort(7, 0.002) if quick else Effort(60, 0.01)),
    "signing": lambda quick: signing.section(Effort(5, 0.02) if quick else Effort(25, 0.05)),
    "handoff": lambda quick: handoffs.section(Effort(5, 0.01) if quick else Effort(25, 0.03)),
    "import": lambda quick: startup.section(3 if quick else 15),
    "memory": lambda quick: footprint.section(0.05 if quick else 1),
    "servers": lambda quick: load.section(1 if quick else 5),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/benchmarks", description=__doc__.partition("::")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--readme", action="store_true", help="write the goals of a full run into README.md")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this part; may be repeated")
    parser.add_argument("--quick", action="store_true", help="coarse, and no servers unless asked for")
    options = parser.parse_args()
    if options.readme and (options.only or options.quick):
        parser.error("--readme writes the whole table: it goes neither with --only nor with --quick")
    chosen = options.only or [name for name in SECTIONS if not (options.quick and name == "servers")]
    if "servers" in chosen and (problem := load.problem()):
        others = " ".join(f"--only {name}" for name in SECTIONS if name != "servers")
        parser.error(f"{problem}; without servers: {others}")
    say(", ".join(f"{name} {what}" for name, what in report.environment().items()))
    sections = []
    for name, measure in SECTIONS.items():
        if name in chosen:
            start = time.monotonic()
            section = measure(options.quick)
            sections.append(section)
            say(f"\n{report.as_text(section)}\n({name}: {time.monotonic() - start:.0f} s)")
    goals = [goal for section in sections for goal in section.goals]
    say(f"\n{sum(goal.is_met for goal in goals)} of {len(goals)} goals met")
    if options.readme and not write_table(FIGURES, "benchmarks", report.as_markdown(sections)):
        parser.error(f"{FIGURES} has no place for the benchmarks")
    if options.json:
        options.json.write_text(json.dumps(report.as_json(sections), indent=2) + "\n", "utf-8")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a part may take a minute


if __name__ == "__main__":
    main()
