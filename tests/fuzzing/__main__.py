"""Fuzz one target, guided by coverage: ``python -m tests.fuzzing paths --seconds 60``.

Needs atheris (the dependency group "fuzz"). Starts from the corpus; prints what is found as a line of
it, with the outcome left to you, and, with --new, the shortest of what reached more than the corpus does.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

MOST_SHOWN = 5  # of each outcome
TESTS = Path(__file__).parent.parent
NAMES = sorted(path.stem for path in Path(__file__).with_name("corpus").glob("*.jsonl"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--new", action="store_true", help="print what is worth adding to the corpus")
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install --group fuzz", file=sys.stderr)
        return 2
    sys.path[:0] = [str(TESTS), str(TESTS / "support")]
    if arguments.child is not None:
        fuzz(arguments.target, arguments.child)
    return run(arguments.target, arguments.seconds, new=arguments.new)


def run(name: str, seconds: int, *, new: bool) -> int:
    """Run the fuzzer in a process of its own, which it never returns from."""
    from fuzzing.targets import TARGETS, as_bytes, as_line, as_texts, corpus  # noqa: PLC0415 - TESTS has to be found

    with tempfile.TemporaryDirectory() as directory:
        seeds, found = Path(directory, "seeds"), Path(directory, "found")
        seeds.mkdir()
        found.mkdir()
        for number, (_, texts) in enumerate(corpus(name)):
            seeds.joinpath(str(number)).write_bytes(as_bytes(texts))
        words = Path(directory, "words")
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in TARGETS[name].TOKENS))
        options = [f"-max_total_time={seconds}", f"-dict={words}", f"-artifact_prefix={directory}/"]
        options += ["-max_len=600", "-timeout=10", "-print_final_stats=1"]
        code = subprocess.run(
            [sys.executable, "-m", "tests.fuzzing", name, "--child", *options, str(found), str(seeds)],
            cwd=TESTS.parent,
            check=False,
        ).returncode
        if new and not code:
            shown: Counter[str] = Counter()
            for data in sorted((path.read_bytes() for path in found.iterdir()), key=len):
                texts = as_texts(name, data)
                outcome = TARGETS[name].check(*texts)
                shown[outcome] += 1
                if shown[outcome] <= MOST_SHOWN:
                    print(as_line(outcome, texts))
        return min(code, 1)


def _escaped(token: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token.encode("utf-8", "surrogatepass"))


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris  # noqa: PLC0415 - only wheels for some platforms

    with atheris.instrument_imports(include=["sso_middleware", "urllib.parse"]):
        from fuzzing.targets import TARGETS, as_line, as_texts  # noqa: PLC0415 - instrumented on import

    def test_one_input(data: bytes) -> None:
        texts = as_texts(name, data)
        try:
            TARGETS[name].check(*texts)
        except BaseException:
            print("FOUND", as_line("?", texts), flush=True)
            raise

    atheris.Setup([sys.argv[0], *options], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
