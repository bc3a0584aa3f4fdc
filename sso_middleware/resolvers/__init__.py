"""Ready-made resolvers, one module for each ecosystem, and combinators of resolvers.

Importing this package imports no framework. The combinators are imported when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sso_middleware.resolvers._combining import Resolver, first_of, only_domains, require

__all__ = ["Resolver", "first_of", "only_domains", "require"]


def __getattr__(name: str) -> object:
    """Import a combinator when it is first used (PEP 562), because they need anyio."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}._combining"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
