"""A proxy in front that says who is signed in: what users write, and what has to be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from sso_middleware.resolvers import first_of, only_domains
from sso_middleware.resolvers.assertion import cloudflare_access, google_iap, signed_assertion
from sso_middleware.resolvers.proxy import AUTHELIA, remote_user, trusted_header

assert_type(remote_user("example.com"), Callable[[Any], str | None])
trusted_header(AUTHELIA, trusted_proxies="10.0.0.1")
trusted_header("X-Email", trusted_proxies=["10.0.0.0/8"], secret=("X-Proxy-Secret", "a shared secret"))
assert_type(cloudflare_access("acme", "an audience"), Callable[[Any], str | None])
assert_type(google_iap(["/projects/1/apps/acme"]), Callable[[Any], str | None])
signed_assertion(
    "X-Assertion",
    jwks_url="https://idp.example/jwks",
    audience="an audience",
    issuer="https://idp.example",
    algorithms=["ES256"],
    claim="upn",
    leeway=5,
)
only_domains(first_of(remote_user(), google_iap("an audience")), "example.com", "example.org")

remote_user(domain=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
trusted_header()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
trusted_header("X-Email", "10.0.0.1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
trusted_header("X-Email", secret="a shared secret")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cloudflare_access("acme")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
google_iap(audience=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
signed_assertion("X-Assertion", jwks_url="https://idp.example/jwks")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
first_of("X-Email")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
only_domains(remote_user(), ["example.com"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
