"""Values that no repr, traceback with local variables or error tracker shows by accident.

Error trackers look inside tuples, dicts, dataclasses and an object's ``__dict__``, and ignore its
``__repr__``. They show an object with slots by its repr.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, cast, dataclass_transform

_T = TypeVar("_T")


class Secret(Generic[_T]):
    """Hold a value; call it to get the value: ``Secret("x")() == "x"``. Cannot be pickled.

    Args:
        value: the value, or a Secret that holds it.
    """

    __slots__ = ("_value",)
    _value: _T

    def __init__(self, value: _T | Secret[_T]) -> None:
        self._value = cast("Secret[_T]", value)() if isinstance(value, Secret) else value

    def __call__(self) -> _T:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


@dataclass_transform(frozen_default=True)
class Sealed:
    """An immutable value with slots: compared by its fields, copied as itself, and never pickled.

    A subclass names its fields in `__match_args__` and those shown by its repr in `_shown`, and sets them
    with `_seal`.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _shown: ClassVar[tuple[str, ...]] = ()

    def _seal(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and type(other) is type(self) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:  # must also work if construction failed, for tracebacks
        shown = (f"{name}={getattr(self, name, None)!r}" for name in self._shown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(f"a {type(self).__name__} holds a secret and cannot be pickled")
