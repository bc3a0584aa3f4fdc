"""Every finding `check` can give: a stable id, what it means and how to fix it.

They follow the model of Django's system checks: an id, a severity and a hint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]

_SEVERITIES: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}


class Rule(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        id: ``SSO.`` and a letter for the severity and a number; never used for anything else. Django's
            system checks have ``sso_middleware.`` in front.
        title: what is wrong, in a few words.
        why: what comes of it.
        hint: how to fix it.
    """

    id: str
    title: str
    why: str
    hint: str

    @property
    def severity(self) -> Severity:
        """Error and warning make `check` fail; info does not."""
        return _SEVERITIES[self.id.rpartition(".")[2][0]]


class Finding(NamedTuple):
    """A rule that is broken here, and how."""

    rule: Rule
    message: str

    def as_json(self) -> dict[str, str]:
        """Return what ``--json`` prints."""
        return {
            "id": self.rule.id,
            "severity": self.rule.severity,
            "message": self.message,
            "hint": self.rule.hint,
        }


_WALK_RULES = (
    Rule(
        "SSO.E040",
        "The application raised an error or did not answer",
        "The visitor sees the server's error page.",
        "Mend what the error says; a missing session means that its middleware is not outside of "
        "SSOMiddleware, and a RecursionError that an application wraps itself: it is app.wsgi_app = "
        "SSOMiddleware(app.wsgi_app, ...).",
    ),
    Rule(
        "SSO.E041",
        "The request does not reach SSOMiddleware",
        "Something outside answers first, or the middleware is mounted somewhere else.",
        "Move SSOMiddleware further out, or check mount prefixes and --root-path. In Django, 400 means "
        "that the host of the Auth URL is not in ALLOWED_HOSTS.",
    ),
    Rule(
        "SSO.E042",
        "A visitor without a cookie is handed off",
        "Anybody who opens the Auth URL is signed in as that address.",
        "Make the resolver return None when nobody is signed in.",
    ),
    Rule(
        "SSO.E043",
        "An anonymous visitor meets no login page",
        "Who comes from the Help Desk without being signed in to the application cannot go on.",
        "Set login_url (in Django LOGIN_URL; for the admin's login /admin/login/) to your login page, or "
        "give the application a route at the Auth URL that logs in.",
    ),
    Rule(
        "SSO.E044",
        "The answer was changed on its way out",
        "Something outside of SSOMiddleware rewrites it, and the redirect no longer leads where "
        "it was to lead.",
        "Put SSOMiddleware outside of what rewrites redirects.",
    ),
    Rule(
        "SSO.E045",
        "The signed-in visitor counts as anonymous",
        "The resolver does not find the session the cookie stands for.",
        "Check that the cookie is fresh and whole, that the session middleware is outside, and "
        "that the resolver reads the key your login sets.",
    ),
    Rule(
        "SSO.E046",
        "The visitor is refused",
        "SSOMiddleware shows the visitor a page with a reason in place of the Help Desk.",
        "Act on the reason. email_not_verified: this user's address is not verified, and others may go; or "
        "verified= names something else. no_email: it has no address. invalid_email: it has none that may be "
        "signed, and the log says why. "
        "Others are your resolver's own.",
    ),
    Rule(
        "SSO.E047",
        "The Logout URL leads nowhere",
        "The Help Desk sends visitors there after they log out.",
        "Give SSOMiddleware logout=Logout(...), with a page of yours for then=, or the application a route "
        "there.",
    ),
    Rule(
        "SSO.W048",
        "An identity header of the visitor's own making is believed",
        "Whoever reaches the application's port past the proxy signs in as anybody; some servers "
        "let a header spelt with underscores through, even past a proxy that strips the genuine "
        "one.",
        "Believe the header from your proxy's address only, or with a secret the proxy adds: "
        "sso_middleware.resolvers.proxy.trusted_header. If nothing but the proxy can reach the port: "
        "--ignore SSO.W048.",
    ),
    Rule(
        "SSO.I049",
        "An identity header counts if it comes from the proxy",
        "A visitor's own is refused (untrusted_proxy), as it should be. What the proxy lets through is "
        "believed.",
        "The proxy has to take these headers, and that of its secret, out of every request before it "
        "sets them itself, spelt with underscores, too. With trusted_proxies, nobody else may connect "
        "from there, and the server has to leave the peer's address alone (uvicorn: --no-proxy-headers).",
    ),
    Rule(
        "SSO.E050",
        "The login page sends visitors round in a circle",
        "Who comes from the Help Desk without being signed in is sent to and fro until the browser gives up.",
        "Let the login page show its form to whoever is not signed in, whatever their way back is.",
    ),
    Rule(
        "SSO.I051",
        "The way back is wrapped into another redirect",
        "The login page sends visitors on, with itself as the way back: after signing in they return to it, "
        "and only if it then follows its own parameter do they reach the Help Desk.",
        "Set login_url to the page with the form. Fine if your login page passes on who is signed in.",
    ),
    Rule(
        "SSO.E052",
        "The Logout URL leads back to the Auth URL, or in a circle",
        "Whoever logs out of the Help Desk is handed off to it again, or never arrives: nobody can sign out.",
        "Let the Logout URL end the session and lead to a page that is open to everybody.",
    ),
    Rule(
        "SSO.W053",
        "The Logout URL wants a sign-in first",
        "Who logs out of the Help Desk and is not signed in to the application any more is asked to sign in.",
        "Open the Logout URL to everybody: take it out of what asks for a sign-in, such as login_required.",
    ),
    Rule(
        "SSO.I054",
        "The application answers the Logout URL itself",
        "Whether that ends the session was not tried.",
        "Sign in, open the Logout URL, and see whether you are signed out of the application. "
        "logout=Logout(...) lets SSOMiddleware end the session there.",
    ),
)

_PREFIXES = {"": "SSO", "sso": "SSO"}  # Django's stays as it is

RULES = {
    rule.id: rule
    for rule in (
        # The settings.
        Rule(
            "SSO.W001",
            "The SSO Token is short",
            "HS256 asks for a key of 32 bytes or more (RFC 7518, section 3.2). The vendor does not "
            "say how long an SSO Token is, so a short one may be whole, or cut off while it was "
            "copied.",
            "Compare its end with the vendor's panel. If it is whole: --ignore SSO.W001.",
        ),
        Rule(
            "SSO.W003",
            "The SSO Token looks like an MD5 digest",
            "32 hexadecimal digits are what md5 gives. The vendor's Knowledge Base product wants its "
            "key md5'd; for the Help Desk its documentation says that the SSO Token signs, and that "
            "it does so as it stands is assumed.",
            "Use the SSO Token as the panel shows it. If the panel shows these 32 characters: "
            "--ignore SSO.W003.",
        ),
        Rule(
            "SSO.W004",
            "The SSO Token looks like base64 of something",
            "Kubernetes secrets and some vaults show values in base64. That the SSO Token signs as "
            "the panel shows it, undecoded, is assumed.",
            "Compare it with the panel, and decode it if they differ. If they are the same: --ignore "
            "SSO.W004.",
        ),
        Rule(
            "SSO.W005",
            "The SSO Token looks like a placeholder",
            "Whoever guesses the token can sign in to the Help Desk as anybody.",
            "Copy the SSO Token from the vendor's panel: Settings -> Security -> Single sign-on.",
        ),
        Rule(
            "SSO.W006",
            "A URL is http",
            "Anybody on the way can read the signed token and use it first.",
            "Use https, here and in the vendor's panel, and drop allow_http.",
        ),
        Rule(
            "SSO.E007",
            "SSO Auth URL and Auth URL point to the same place",
            "The visitor would be sent from the application to the application, until the browser gives up.",
            "SSO Auth URL: copy it from the vendor's panel. Auth URL: the path of your application "
            "that this package takes over, entered in the panel.",
        ),
        Rule(
            "SSO.I008",
            "No Logout URL is set",
            "The vendor's panel has a field for it: where users are sent after they log out of the "
            "Help Desk.",
            "Set logout_url and enter it in the panel, or enter a logout page your application already has.",
        ),
        Rule(
            "SSO.E009",
            "The Logout URL points to where visitors sign in",
            "Whoever logs out of the Help Desk is handed off to it again: nobody can sign out.",
            "Logout URL: a page of your application that ends its session, entered in the panel.",
        ),
        # The application.
        Rule(
            "SSO.E020",
            "No SSOMiddleware is found in the application",
            "Either the application is not wrapped, or something around it hides what it wraps.",
            "Name the object your server runs, after wrapping. `sso-middleware init` prints the lines.",
        ),
        Rule(
            "SSO.E021",
            "No intercepted path can match the Auth URL",
            "The Auth URL in the panel is where the Help Desk turns to, and there the application "
            "answers, not the middleware.",
            "Make the path of auth_url and paths= the same, or leave paths out.",
        ),
        Rule(
            "SSO.E022",
            "The path of the Logout URL is not taken over",
            "After logging out of the Help Desk the visitor comes to a path that does not end the session.",
            "Make the path of logout_url and Logout(path=...) the same, or leave path out.",
        ),
        Rule(
            "SSO.I023",
            "The intercepted path fits only behind a proxy that strips a prefix",
            "The Auth URL has more in front than the middleware sees.",
            "Fine if your proxy takes that prefix off; then let the application know it, with --root- "
            "path here.",
        ),
        Rule(
            "SSO.W024",
            "A session middleware is on the wrong side",
            "SSOMiddleware answers before it runs, so a resolver finds no session there, and every "
            "visitor looks anonymous or fails.",
            "Put the session middleware outside of SSOMiddleware: first in Starlette's "
            "middleware=[...], last of FastAPI's add_middleware calls, around the SSOMiddleware in "
            "WSGI. A resolver that reads the cookie itself is not concerned: --ignore SSO.W024.",
        ),
        Rule(
            "SSO.I025",
            "The account is chosen by a callable",
            "Its settings are known at a visit only, so they are not checked here.",
            "Run `sso-middleware check` without an application for each account, with --prefix.",
        ),
        Rule(
            "SSO.W026",
            "The session cookie is SameSite=Strict",
            "Browsers leave such a cookie out when a visitor comes from another site, so whoever comes from "
            "the Help Desk looks anonymous.",
            'Use "Lax": SESSION_COOKIE_SAMESITE in Flask and Quart, same_site of Starlette\'s '
            "SessionMiddleware. If the resolver reads another cookie: --ignore SSO.W026.",
        ),
        Rule(
            "SSO.W027",
            "The application runs functions of its own before each view",
            "A resolver reads the session without them. If one of them ends a session, asks for a second "
            "factor or chooses another user, the views know that, and the resolver does not.",
            "If none of them decides who is signed in: --ignore SSO.W027. Otherwise let the getter of "
            "context_email run them: return None if app.preprocess_request() returns a response (await it in "
            "Quart), and the user of your views if not. Or return handoff_response(...) from a view.",
        ),
        Rule(
            "SSO.W028",
            "Two ProxyFix are in a row",
            "Each takes the client's address from the same X-Forwarded-For. The inner one records what the "
            "outer one found there as the peer, so that anyone who reaches the application can choose the "
            "peer that trusted_header compares with trusted_proxies.",
            "Keep one ProxyFix, with x_for= set to the number of proxies. Some platforms and extensions add "
            "one themselves.",
        ),
        *_WALK_RULES,
        # The network.
        Rule(
            "SSO.E060",
            "The SSO Auth URL cannot be reached",
            "Browsers reach it from elsewhere, so this may be this machine's network only.",
            "Check the host name against the vendor's panel, and the network of this machine.",
        ),
        Rule(
            "SSO.E061",
            "TLS to the SSO Auth URL fails",
            "A browser would show a warning in place of the Help Desk.",
            "Check the host name against the vendor's panel, and the certificates of this machine.",
        ),
        Rule(
            "SSO.W062",
            "The SSO Auth URL answers with an error",
            "What it answers without a token is not documented, and a refusal would be no surprise; "
            "404, 410 or a server error suggests a wrong address.",
            "Copy the SSO Auth URL from the vendor's panel again.",
        ),
        Rule(
            "SSO.W063",
            "This machine's clock and the Help Desk's differ",
            "A token from the future, or too old, may be refused. How much the vendor tolerates is "
            "not documented.",
            "Synchronise this machine's clock (NTP); backdate=... helps against a clock that runs ahead.",
        ),
        Rule(
            "SSO.E064",
            "The Help Desk does not accept the hand-off",
            "The visitor is not signed in to the Help Desk, with these settings nor with the variants tried.",
            "Copy the SSO Token, the Account ID and the SSO Auth URL from the vendor's panel again, compare "
            "its Auth URL with auth_url, and check that the address belongs to a user of the Help Desk. "
            "`sso-middleware url` prints a hand-off to open in a browser.",
        ),
        Rule(
            "SSO.E065",
            "The Help Desk accepts the hand-off with another setting",
            "The visitor is not signed in to the Help Desk until the setting is changed.",
            "Change it, and run this check again. With the md5 of the SSO Token as sso_token: --ignore "
            "SSO.W003.",
        ),
        Rule(
            "SSO.W066",
            "Whether the Help Desk accepts the hand-off cannot be told",
            "Nothing that was seen shows that the visitor is signed in, nor that the hand-off was refused.",
            "Open the URL that `sso-middleware url` prints in a private window of a browser, and look.",
        ),
    )
}


def rule_id_of(text: str) -> str:
    """Return the id that `text` means: ``w003`` is ``SSO.W003``."""
    prefix, _, code = text.rpartition(".")
    prefix = prefix.lower()
    return f"{_PREFIXES.get(prefix, prefix)}.{code.upper()}"


def is_of_django(rule_id: str) -> bool:
    """Whether `rule_id` is that of a system check, which Django explains by its hint."""
    return rule_id.startswith("sso_middleware.")


def found(rule_id: str, message: str) -> Finding:
    """Return the finding that rule `rule_id` is broken."""
    return Finding(RULES[rule_id], message)


def counts(findings: Iterable[Finding], ignored: Collection[str] = ()) -> bool:
    """Whether one of the findings is an error or a warning that is not ignored."""
    return any(finding.rule.severity != "info" and finding.rule.id not in ignored for finding in findings)
