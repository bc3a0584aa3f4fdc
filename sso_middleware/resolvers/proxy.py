"""Resolvers for an identity-aware proxy or web server that identifies the user.

A header is only as trustworthy as its path. The proxy must remove the header from every request before it
sets its own, including the spelling with underscores (Apache does so by default, and nginx while
``underscores_in_headers`` is off). Only the proxy may reach the application: `trusted_header` requires at
least one proof of that.

If a proxy passes on a visitor's own header in addition to its own, both arrive with the proxy's address
and secret. What the application then sees depends on the server: some show both, which is refused
(``ambiguous_header``), some drop one, and some use the visitor's. ``tests/servers_matrix/README.md`` has a
table of real servers: "What a server shows of a forged header".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

from sso_middleware._calls import Reader
from sso_middleware._urls import is_domain
from sso_middleware.errors import ConfigError, HandoffRefused, ResolverError
from sso_middleware.resolvers._headers import as_received, is_environ, single_value_of

__all__ = [
    "AUTHELIA",
    "AUTHENTIK",
    "OAUTH2_PROXY",
    "OAUTH2_PROXY_AUTH_REQUEST",
    "TAILSCALE",
    "VOUCH",
    "remote_user",
    "trusted_header",
]

OAUTH2_PROXY = "X-Forwarded-Email"
"""oauth2-proxy as the reverse proxy itself: ``--pass-user-headers`` (the default) sets the header, and
``--skip-auth-strip-headers`` (the default) removes a visitor's own. Keep
``--insecure-oidc-allow-unverified-email`` off."""

OAUTH2_PROXY_AUTH_REQUEST = "X-Auth-Request-Email"
"""oauth2-proxy as another proxy's auth check: ``--set-xauthrequest``, and in nginx, with ``auth_request``,
``auth_request_set $email $upstream_http_x_auth_request_email;`` and
``proxy_set_header X-Auth-Request-Email $email;``. In Traefik, `authResponseHeaders` names the header."""

AUTHELIA = "Remote-Email"
"""Authelia (trusted header SSO): the proxy sets the header from Authelia's answer, in nginx with
``auth_request_set $email $upstream_http_remote_email;`` and ``proxy_set_header Remote-Email $email;``,
in Traefik with `authResponseHeaders`, in Caddy with ``copy_headers``."""

AUTHENTIK = "X-authentik-email"
"""authentik's proxy provider: a proxying outpost sets the header. With forward auth, your own proxy sets it
from the outpost's answer, as for Authelia."""

VOUCH = "X-Vouch-User"
"""Vouch Proxy, with nginx: ``auth_request_set $user $upstream_http_x_vouch_user;`` and
``proxy_set_header X-Vouch-User $user;``."""

TAILSCALE = "Tailscale-User-Login"
"""Tailscale Serve sets the header and removes a visitor's own; the application only listens on loopback.
Visitors through Funnel, or from a tagged device, are anonymous. Some identity providers use logins that
are not addresses (``jane@github``): wrap the resolver in `only_domains`."""

Network: TypeAlias = IPv4Network | IPv6Network

_NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2
_SECRET = re.compile(r"[!-+\--~]+")  # visible ASCII; a comma would look like a repeated header


def remote_user(domain: str | None = None) -> Callable[[Any], str | None]:
    """Take the address from ``REMOTE_USER``, which the web server sets itself (RFC 3875, 4.1.11).

    A request header named ``Remote-User`` comes from the visitor and is ignored.

    Args:
        domain: added to a user name without one: ``jane`` becomes ``jane@domain``. `None`: the server
            sets whole addresses.

    Raises:
        ConfigError: `domain` is not a domain.
    """
    if domain is not None and not is_domain(domain):
        raise ConfigError({"domain": "must be a domain such as example.com, or None"})

    @Reader
    def resolve(source: Any) -> str | None:
        environ = as_received(source)
        if not is_environ(environ):
            raise ResolverError("REMOTE_USER only exists in WSGI: under ASGI, use proxy.trusted_header")
        user: str = environ.get("REMOTE_USER", "")
        if domain is not None and user and "@" not in user:
            return f"{user}@{domain}"
        return user or None

    return resolve


def trusted_header(
    name: str, *, trusted_proxies: str | Iterable[str] = (), secret: tuple[str, str] | None = None
) -> Callable[[Any], str | None]:
    """Take the address from a header that your proxy sets; for WSGI, ASGI and inside Django.

    You must set `trusted_proxies` or `secret`; if you set both, both must match. Without the header, the
    visitor is anonymous. A header that is not from the proxy is refused (``untrusted_proxy``), and so is a
    repeated one (``ambiguous_header``), if the server shows both
    (``tests/servers_matrix/README.md`` has a table).

    Args:
        name: the name of the header; see this module's constants.
        trusted_proxies: addresses and networks of the proxies that connect to the application. Use
            `secret` if the proxy connects over a Unix socket, or if the server or a middleware replaces
            the peer's address with one from ``X-Forwarded-For``, as uvicorn's ``--proxy-headers`` (the
            default) does. Werkzeug's ProxyFix keeps the peer's address, which is then used. Two ProxyFix
            in a row lose it: the inner one keeps what the outer one took from ``X-Forwarded-For``, so
            that anyone can choose the peer. A peer with an IPv6 zone (``fe80::1%eth0``) is not trusted.
        secret: the name and value of another header that only the proxy can send.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    networks, networks_problem = _networks(trusted_proxies)
    if not networks and secret is None:
        networks_problem = networks_problem or "is not set: set it or secret, or anyone could send the header"
    checks = {
        "name": None if _is_header_name(name) else "must be a header's name, such as X-Forwarded-Email",
        "trusted_proxies": networks_problem,
        "secret": None if secret is None else _secret_problem(name, secret),
    }
    if problems := {setting: problem for setting, problem in checks.items() if problem}:
        raise ConfigError(problems)
    address_in, secret_in = single_value_of(name), single_value_of(secret[0] if secret else "")

    @Reader
    def resolve(source: Any) -> str | None:
        received = as_received(source)
        email = address_in(received)
        if email is None:
            return None
        if networks and not _is_from(networks, received):
            raise HandoffRefused("untrusted_proxy")
        if secret is not None:
            told = secret_in(received) or ""
            if not compare_digest(told.encode(), secret[1].encode()):
                raise HandoffRefused("untrusted_proxy")
        return email

    return resolve


def _is_from(networks: list[Network], source: Mapping[str, Any]) -> bool:
    if is_environ(source):
        seen_by_proxy_fix = source.get("werkzeug.proxy_fix.orig", source)
        peer = seen_by_proxy_fix.get("REMOTE_ADDR")
    else:
        peer = (source.get("client") or [None])[0]
    try:
        address = ip_address(peer or "")
    except ValueError:  # a Unix socket has none
        return False
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False  # networks have no zone, and would match the address in any
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # how a dual-stack socket sees an IPv4 peer
    return any(address in network for network in networks)


def _networks(trusted_proxies: Any) -> tuple[list[Network], str | None]:
    """Return the networks, and what is wrong with them."""
    if isinstance(trusted_proxies, str):
        trusted_proxies = [trusted_proxies]
    try:
        networks = [_network(str(proxy)) for proxy in trusted_proxies]  # ip_network() accepts numbers too
    except (TypeError, ValueError):
        return [], (
            "must be IP addresses or networks, such as 127.0.0.1 or 10.0.0.0/8, without host bits or a zone"
        )
    if any(network.prefixlen == 0 for network in networks):
        return [], "must not contain a network of all addresses, which trusts everyone"
    return networks, None


def _network(text: str) -> Network:
    """Return the network; mapped IPv4 addresses become an IPv4 network.

    Raises:
        ValueError: `text` is not a network, or has a zone, which a network would ignore.
    """
    if "%" in text:
        raise ValueError("a zone")
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return IPv4Network(f"{mapped}/{network.prefixlen - _MAPPED.prefixlen}")
    return network


def _is_header_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _secret_problem(name: object, secret: object) -> str | None:
    match secret:
        case (str(header), str(value)) if _is_header_name(header) and _SECRET.fullmatch(value):
            same = isinstance(name, str) and header.lower() == name.lower()
            return "must be in a different header than the address" if same else None
        case _:
            return "must be (header name, value), the value of visible ASCII without a comma, and not empty"
