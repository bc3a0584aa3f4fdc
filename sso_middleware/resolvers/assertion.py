"""Resolvers for an identity-aware proxy that sends a signed JWT in a request header.

They work under WSGI, ASGI and inside Django, and need the extra ``crypto``. A forged assertion is
always refused (403), never treated as anonymous. These are the reasons:

======================== ============================================================================
``assertion_invalid``    not a JWT, or a wrong algorithm, key or signature, or a missing claim
``assertion_expired``    it is no longer valid, or the clocks differ
``assertion_not_yet``    it is not yet valid, or the clocks differ
``assertion_audience``   it is meant for another application: check `audience`
``assertion_issuer``     it comes from another issuer: check `issuer`
``assertion_no_email``   it has no person's address, for example because it is a service's
``email_not_verified``   its ``email_verified`` is false
``ambiguous_header``     the header is repeated
======================== ============================================================================

For ``assertion_invalid``, the log record has details in ``sso_detail``:

================= ===================================================================================
``malformed``     it is not a JWT, or a part of it is malformed
``algorithm``     its ``alg`` is not in `algorithms`
``unknown_key``   the issuer publishes no key with its ``kid``
``wrong_key``     the key does not fit the algorithm
``signature``     the signature is wrong
``claim_missing`` ``aud``, ``iss``, ``exp`` or ``iat`` is missing
================= ===================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import jwt

from sso_middleware._text import several, text_problem
from sso_middleware._urls import url_problem
from sso_middleware.errors import ConfigError, HandoffRefused
from sso_middleware.resolvers._headers import as_received, single_value_of
from sso_middleware.resolvers._key_server import KeyServer
from sso_middleware.resolvers._verification import holds

__all__ = ["cloudflare_access", "google_iap", "signed_assertion"]

AssertionResolver: TypeAlias = Callable[[Any], str | None]
"""Takes the environ, scope or Django's request; returns the visitor's address, or `None`: no assertion."""

_REQUIRED = ["aud", "iss", "exp", "iat"]
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "assertion_expired"),
    (jwt.ImmatureSignatureError, "assertion_not_yet"),
    (jwt.InvalidAudienceError, "assertion_audience"),
    (jwt.InvalidIssuerError, "assertion_issuer"),
)
_DETAILS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.InvalidSignatureError, "signature"),
    (jwt.MissingRequiredClaimError, "claim_missing"),
    (jwt.InvalidKeyError, "wrong_key"),
    (TypeError, "wrong_key"),
)
#: TypeError: the key does not fit the algorithm. RecursionError: JSON nested thousands of levels deep;
#: OverflowError: an infinite time. PyJWT catches these two itself since 2.15.
_BAD = (jwt.PyJWTError, TypeError, RecursionError, OverflowError)
_ASYMMETRIC = re.compile(r"(?:RS|PS|ES)[0-9]{3}K?|EdDSA")  # with HS* the public key would be the secret
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]+")
_TEAM = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def signed_assertion(
    header: str,
    *,
    jwks_url: str,
    audience: str | Iterable[str],
    issuer: str,
    algorithms: str | Iterable[str],
    claim: str = "email",
    leeway: int = 30,
) -> AssertionResolver:
    """Return a resolver that verifies the JWT in a request header and returns the address in it.

    The claim is trusted unless the JWT has an ``email_verified`` that is false, so use a claim that the
    issuer verifies. (In Microsoft Entra ID, a tenant can set ``email`` to anything.)

    Without the header, the visitor is anonymous. Keys are first fetched for the first assertion. Fetching
    blocks, so under ASGI the resolver runs in a worker thread.

    Args:
        header: the name of the header, such as ``Cf-Access-Jwt-Assertion``.
        jwks_url: where the issuer publishes its keys (RFC 7517); https, or http on loopback.
        audience: what ``aud`` must be, or hold: your application's identifier; one, or several.
        issuer: what ``iss`` must be.
        algorithms: the signature algorithms accepted, asymmetric ones only; one, or several.
        claim: the claim that holds the address.
        leeway: the seconds by which the issuer's clock and this one may differ.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    audiences, accepted = several(audience), several(algorithms)
    found = {
        "header": None
        if isinstance(header, str) and _FIELD_NAME.fullmatch(header)
        else "must be the name of a header: letters, digits and hyphens",
        "jwks_url": _jwks_url_problem(jwks_url),
        "audience": _texts_problem(audiences),
        "issuer": text_problem(issuer),
        "algorithms": _algorithms_problem(accepted),
        "claim": text_problem(claim),
        "leeway": None if type(leeway) is int and leeway >= 0 else "must be a whole number of seconds",
    }
    if problems := {name: problem for name, problem in found.items() if problem}:
        raise ConfigError(problems)
    keys, assertion_in = KeyServer(jwks_url), single_value_of(header)

    def resolve_email(source: Any) -> str | None:
        assertion = assertion_in(as_received(source))
        return None if assertion is None else _address(_claims(assertion), claim)

    def _claims(assertion: str) -> dict[str, Any]:
        try:
            head = jwt.get_unverified_header(assertion)
            # Only ask the key server about assertions that the issuer might have signed.
            if head.get("alg") not in accepted:
                raise _invalid("algorithm")
            key = keys.find(head.get("kid"))
            if key is None:
                raise _invalid("unknown_key")
            return jwt.decode(
                assertion,
                key,
                algorithms=accepted,
                audience=audiences,
                issuer=issuer,
                leeway=leeway,
                options={"require": _REQUIRED},
            )
        except _BAD as error:
            raise _refusal(error) from None  # PyJWT's messages quote the input

    return resolve_email


def cloudflare_access(team: str, audience: str | Iterable[str]) -> AssertionResolver:
    """Return a resolver for Cloudflare Access.

    It follows "Validate JWTs" in Cloudflare's Access documentation. Service tokens,
    which name no person, are refused.

    Args:
        team: the team name: ``acme`` of ``acme.cloudflareaccess.com``.
        audience: the Application Audience (AUD) tag of the Access application; one, or several.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.
    """
    if not isinstance(team, str) or not _TEAM.fullmatch(team):
        raise ConfigError({"team": "must be the team name alone: acme of acme.cloudflareaccess.com"})
    issuer = f"https://{team}.cloudflareaccess.com"
    return signed_assertion(
        "Cf-Access-Jwt-Assertion",
        jwks_url=f"{issuer}/cdn-cgi/access/certs",
        audience=audience,
        issuer=issuer,
        algorithms="RS256",
    )


def google_iap(audience: str | Iterable[str]) -> AssertionResolver:
    """Return a resolver for Google's Identity-Aware Proxy.

    It follows "Securing your app with signed headers" in Google's IAP documentation.

    Args:
        audience: the Signed Header JWT Audience, such as
            ``/projects/PROJECT_NUMBER/global/backendServices/SERVICE_ID``; one, or several.

    Raises:
        ConfigError: `audience` is wrong.
    """
    return signed_assertion(
        "X-Goog-IAP-JWT-Assertion",
        jwks_url="https://www.gstatic.com/iap/verify/public_key-jwk",
        audience=audience,
        issuer="https://cloud.google.com/iap",
        algorithms="ES256",
    )


def _refusal(error: Exception) -> HandoffRefused:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return HandoffRefused(reason)
    return _invalid(next((detail for kind, detail in _DETAILS if isinstance(error, kind)), "malformed"))


def _invalid(detail: str) -> HandoffRefused:
    refusal = HandoffRefused("assertion_invalid")
    refusal.detail = detail
    return refusal


def _address(claims: Mapping[str, Any], claim: str) -> str:
    if not holds(claims.get("email_verified", True)):
        raise HandoffRefused("email_not_verified")
    email = claims.get(claim)
    if not isinstance(email, str):
        raise HandoffRefused("assertion_no_email")
    return email


def _texts_problem(values: Iterable[object]) -> str | None:
    problems = [text_problem(value) for value in values]
    return next(filter(None, problems), None) if problems else "must be a non-empty str, or several"


def _jwks_url_problem(url: object) -> str | None:
    problem = url_problem(url, allow_http=False)
    if problem and url_problem(url, allow_http=True) is None:
        return "must be https: over http, anyone on the network could answer with their own keys"
    return problem


def _algorithms_problem(algorithms: list[Any]) -> str | None:
    if _texts_problem(algorithms) or not all(_ASYMMETRIC.fullmatch(name) for name in algorithms):
        return "must be asymmetric, such as RS256 or ES256: never HS* or none"
    try:
        for name in algorithms:
            jwt.get_algorithm_by_name(name)
    except NotImplementedError:
        return "are unknown or need the extra: pip install 'sso-middleware[crypto]'"
    return None
