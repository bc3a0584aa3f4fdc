"""All rules of `check`: a stable id, what it means and how to fix it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sso_middleware.cli.check.rule import Finding, Rule
from sso_middleware.cli.check.rules_of_walk import WALK_RULES

__all__ = ["RULES", "Finding", "Rule", "counts", "found", "is_of_django", "rule_id_of"]

_PREFIXES = {"": "SSO", "sso": "SSO"}  # Django's stays unchanged

RULES = {
    rule.id: rule
    for rule in (
        # The settings.
        Rule(
            "SSO.W001",
            "The SSO Token is short",
            "HS256 needs a key of at least 32 bytes (RFC 7518, section 3.2). The vendor does not document "
            "the length of an SSO Token, so a short one may be complete or truncated.",
            "sso_token: compare its end with the vendor's panel. If it is complete: --ignore SSO.W001.",
        ),
        Rule(
            "SSO.W003",
            "The SSO Token looks like an MD5 digest",
            "An MD5 digest has 32 hexadecimal digits. The vendor's Knowledge Base product hashes its key "
            "with md5. For the Help Desk, the SSO Token is assumed to sign unchanged.",
            "sso_token: use it as the panel shows it. If the panel shows these 32 characters: "
            "--ignore SSO.W003.",
        ),
        Rule(
            "SSO.W004",
            "The SSO Token looks like base64-encoded text",
            "Kubernetes secrets and some vaults show values in base64. The SSO Token is assumed to sign as "
            "the panel shows it, undecoded.",
            "sso_token: compare it with the panel, and decode it if they differ. If they match: --ignore "
            "SSO.W004.",
        ),
        Rule(
            "SSO.W005",
            "The SSO Token looks like a placeholder",
            "Anyone who guesses the token can sign in to the Help Desk as any user.",
            "sso_token: copy it from the vendor's panel, Settings -> Security -> Single sign-on.",
        ),
        Rule(
            "SSO.W006",
            "A URL uses http",
            "Anyone on the network path can read the signed token and use it first.",
            "Use https, here and in the vendor's panel, and remove allow_http.",
        ),
        Rule(
            "SSO.E007",
            "SSO Auth URL and Auth URL point to the same place",
            "The application would redirect the visitor to itself until the browser gives up.",
            "sso_auth_url: copy the SSO Auth URL from the vendor's panel. auth_url: use the address in your "
            "application where visitors are handed off, and enter it in the panel.",
        ),
        Rule(
            "SSO.I008",
            "No Logout URL is set",
            "The Help Desk sends users there after they log out.",
            "logout_url: set it and enter it in the panel, or enter an existing logout page there.",
        ),
        Rule(
            "SSO.E009",
            "The Logout URL points to where visitors sign in",
            "Users who log out of the Help Desk are handed off again, so they cannot sign out.",
            "logout_url: use a page of your application that ends the session, and enter it in the panel.",
        ),
        Rule(
            "SSO.E010",
            "SSO Auth URL and Auth URL are swapped",
            "The visitor would be sent to the application with the token, and SSOMiddleware would intercept "
            "the path of the Help Desk.",
            "sso_auth_url: copy the SSO Auth URL from the vendor's panel. auth_url: use the address in your "
            "application where visitors are handed off.",
        ),
        Rule(
            "SSO.E011",
            "The Auth URL is the start page",
            "SSOMiddleware takes over the path of the Auth URL: the start page disappears, and visitors who "
            "log out are signed in again.",
            "auth_url: use a separate path, such as /sso/helpdesk, here and in the vendor's panel.",
        ),
        Rule(
            "SSO.W012",
            "The Logout URL is on another origin than the Auth URL",
            "The application's session can only be ended on its own host, which gets the session cookie.",
            "logout_url: use the origin of the Auth URL, here and in the vendor's panel. If that page also "
            "ends the session, or no session has to end: --ignore SSO.W012.",
        ),
        # The application.
        Rule(
            "SSO.E020",
            "No SSOMiddleware is found in the application",
            "Either the application is not wrapped, or something around it hides what it wraps.",
            "MODULE:APP: pass the wrapped object that your server runs. `sso-middleware init` prints the "
            "lines.",
        ),
        Rule(
            "SSO.E021",
            "No intercepted path can match the Auth URL",
            "The Help Desk sends visitors to the Auth URL, but the application answers there instead of the "
            "middleware.",
            "paths: use the path of auth_url, or leave paths out.",
        ),
        Rule(
            "SSO.E022",
            "The path of the Logout URL is not intercepted",
            "After logging out of the Help Desk, visitors reach a page that does not end the session.",
            "logout: use the path of logout_url in Logout(path=...), or leave path out.",
        ),
        Rule(
            "SSO.I023",
            "The intercepted path matches only behind a proxy that strips a prefix",
            "The Auth URL has a prefix that the middleware does not see.",
            "If your proxy strips that prefix, configure it in the application, and pass --root-path here.",
        ),
        Rule(
            "SSO.W024",
            "A session middleware is on the wrong side",
            "SSOMiddleware answers before the session middleware runs, so a resolver finds no session: "
            "visitors look anonymous, or requests fail.",
            "Put the session middleware outside SSOMiddleware: first in Starlette's middleware=[...], last "
            "of FastAPI's add_middleware calls, around SSOMiddleware in WSGI. If the resolver reads the "
            "cookie itself: --ignore SSO.W024.",
        ),
        Rule(
            "SSO.I025",
            "The account is chosen by a callable",
            "Its settings are only known during a request, so they are not checked here.",
            "Run `sso-middleware check` without an application for each account, with --prefix.",
        ),
        Rule(
            "SSO.W026",
            "The session cookie is SameSite=Strict",
            "Browsers do not send such a cookie when a visitor comes from another site, so visitors from the "
            "Help Desk look anonymous.",
            'SameSite: use "Lax" (SESSION_COOKIE_SAMESITE in Flask and Quart, same_site of Starlette\'s '
            "SessionMiddleware). If the resolver reads another cookie: --ignore SSO.W026.",
        ),
        Rule(
            "SSO.W027",
            "The application runs its own functions before each view",
            "A resolver reads the session without running them. If one of them ends a session, requires a "
            "second factor or switches the user, your views see that but the resolver does not.",
            "If none of them decides who is signed in: --ignore SSO.W027. Otherwise run them in the getter "
            "of context_email: return None if app.preprocess_request() returns a response (await it in "
            "Quart), else the user that your views see. Or return handoff_response(...) from a view.",
        ),
        Rule(
            "SSO.W028",
            "Two ProxyFix middlewares are nested",
            "Each takes the client's address from the same X-Forwarded-For. The inner one records the outer "
            "one's result as the peer, so anyone who reaches the application can choose the peer that "
            "trusted_header compares with trusted_proxies.",
            "ProxyFix: keep one, with x_for= set to the number of proxies. Some platforms and extensions add "
            "one themselves.",
        ),
        Rule(
            "SSO.I029",
            "The application answers the Auth URL itself",
            "No SSOMiddleware was found, so a route of the application has to hand visitors off.",
            "handoff_response: return it from that route. Unlike a plain redirect to desk.handoff(...).url, "
            "it answers prefetches and frames without a token.",
        ),
        *WALK_RULES,
        # The network.
        Rule(
            "SSO.E060",
            "The SSO Auth URL cannot be reached",
            "Browsers may still reach it: the problem may be this machine's network.",
            "sso_auth_url: compare its host name with the vendor's panel, and check this machine's network.",
        ),
        Rule(
            "SSO.E061",
            "TLS to the SSO Auth URL fails",
            "A browser would show a warning instead of the Help Desk.",
            "sso_auth_url: compare its host name with the vendor's panel, and check this machine's "
            "certificates.",
        ),
        Rule(
            "SSO.W062",
            "The SSO Auth URL answers with an error",
            "Its response to a request without a token is not documented and may be a refusal, but 404, 410 "
            "or a server error suggests a wrong address.",
            "sso_auth_url: copy it from the vendor's panel again.",
        ),
        Rule(
            "SSO.W063",
            "This machine's clock and the Help Desk's differ",
            "A token that is too old or from the future may be refused. The vendor does not document how "
            "much it tolerates.",
            "Synchronize this machine's clock (NTP). If the clock runs ahead, backdate=... also helps.",
        ),
        Rule(
            "SSO.E064",
            "The Help Desk does not accept the hand-off",
            "The visitor is signed in neither with these settings nor with the variants tried.",
            "sso_token, account_id, sso_auth_url: copy them from the vendor's panel again. Compare the "
            "panel's Auth URL with auth_url, and check that the address belongs to a Help Desk user. "
            "`sso-middleware url` prints a hand-off to open in a browser.",
        ),
        Rule(
            "SSO.E065",
            "The Help Desk accepts the hand-off with another setting",
            "The visitor is not signed in to the Help Desk until you change the setting.",
            "Change the setting, and run this check again. If sso_token is the md5 of the SSO Token: "
            "--ignore SSO.W003.",
        ),
        Rule(
            "SSO.W066",
            "It is unclear whether the Help Desk accepts the hand-off",
            "Nothing shows that the visitor is signed in or that the hand-off was refused.",
            "Open the URL that `sso-middleware url` prints in a private browser window.",
        ),
    )
}


def rule_id_of(text: str) -> str:
    """Return the full id for `text`: ``w003`` means ``SSO.W003``."""
    prefix, _, code = text.rpartition(".")
    prefix = prefix.lower()
    return f"{_PREFIXES.get(prefix, prefix)}.{code.upper()}"


def is_of_django(rule_id: str) -> bool:
    """Whether `rule_id` belongs to a Django system check, which has its own hint."""
    return rule_id.startswith("sso_middleware.")


def found(rule_id: str, message: str, remedy: str = "") -> Finding:
    """Return a finding for rule `rule_id`, with `remedy` instead of the rule's hint if it is given."""
    return Finding(RULES[rule_id], message, remedy)


def counts(findings: Iterable[Finding], ignored: Collection[str] = ()) -> bool:
    """Whether any finding is an error or a warning and not ignored."""
    return any(finding.rule.severity != "info" and finding.rule.id not in ignored for finding in findings)
