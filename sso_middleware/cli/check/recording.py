"""Noting which request headers an application looks for, so that they can be forged."""

from __future__ import annotations

from typing import Any


class RecordingEnviron(dict[str, Any]):
    """An environ that notes the headers it is asked for; a copy of it does not.

    Args:
        environ: what is in it.
        asked: collects the names.
    """

    def __init__(self, environ: dict[str, Any], asked: set[str]) -> None:
        super().__init__(environ)
        self._asked = asked

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        self._note(key)
        return super().get(key, default)

    def _note(self, key: object) -> None:
        if isinstance(key, str) and key.startswith("HTTP_"):
            self._asked.add(key.removeprefix("HTTP_").replace("_", "-").title())


class RecordingName(bytes):
    """The name of a header in a scope; it notes what it is compared with, as a search through them does."""

    asked: set[str]

    @classmethod
    def of(cls, name: bytes, asked: set[str]) -> RecordingName:
        """Return `name`, which notes in `asked`."""
        recording = cls(name)
        recording.asked = asked
        return recording

    def lower(self) -> RecordingName:
        """Return it in lower case, as a careful search wants it, still recording."""
        return self.of(super().lower(), self.asked)

    def replace(self, *args: Any) -> RecordingName:
        """Return it with other letters, still recording."""
        return self.of(super().replace(*args), self.asked)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes):
            self.asked.add(other.decode("latin-1").title())
        return bytes.__eq__(self, other)

    def __hash__(self) -> int:
        return bytes.__hash__(self)
