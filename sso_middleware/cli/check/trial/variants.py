"""The variants of the settings that a trial also tries, and how to change the settings to match one."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple


class Variant(NamedTuple):
    """What is tried: how the key is derived from the SSO Token, and what is sent."""

    key: Literal["raw", "md5"]
    auth_url: str
    email: str


def variants(auth_url: str, email: str) -> list[Variant]:
    """Return what to try, in order; the unchanged settings come first."""
    head, mark, query = auth_url.partition("?")
    slash = f"{head[:-1] if head.endswith('/') else f'{head}/'}{mark}{query}"
    tried = [Variant("raw", auth_url, email), Variant("md5", auth_url, email), Variant("raw", slash, email)]
    if email != email.lower():
        tried.append(Variant("raw", auth_url, email.lower()))
    return [*tried, Variant("md5", slash, email)]


def differences(given: Variant, variant: Variant) -> list[str]:
    """Return what differs between `given` and `variant`."""
    names = {"key": f"{variant.key} key", "auth_url": f"auth_url {variant.auth_url}", "email": variant.email}
    return [said for name, said in names.items() if getattr(given, name) != getattr(variant, name)]


def changes(given: Variant, variant: Variant, prefix: str) -> list[str]:
    """Return how to change the settings to match `variant`, without showing the SSO Token.

    Args:
        given: the unchanged settings.
        variant: the accepted ones.
        prefix: the prefix of the environment variables that hold the settings.
    """
    steps: list[str] = []
    if variant.key != given.key:
        token_file = os.environ.get(f"{prefix}SSO_TOKEN_FILE")
        present = f'"$(cat "${prefix}SSO_TOKEN_FILE")"' if token_file else f'"${prefix}SSO_TOKEN"'
        steps.append(
            "sso_token: set it to the md5 of the SSO Token, 32 lower-case hexadecimal digits. In a shell: "
            f"{prefix}SSO_TOKEN=$(printf %s {present} | md5sum | cut -c1-32)"
            f"{f', without {prefix}SSO_TOKEN_FILE' if token_file else ''}. In Python: "
            "sso_token=hashlib.md5(sso_token.encode()).hexdigest()."
        )
    if variant.auth_url != given.auth_url:
        steps.append(f"auth_url: set {prefix}AUTH_URL={variant.auth_url}.")
    if variant.email != given.email:
        steps.append("resolve_email: return addresses in lower case.")
    return steps
