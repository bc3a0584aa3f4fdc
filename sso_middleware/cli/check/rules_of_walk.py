"""The rules for what visits show: see rules.py for the others."""

from __future__ import annotations

from sso_middleware.cli.check.rule import Rule

WALK_RULES = (
    Rule(
        "SSO.E040",
        "The application raised an error or did not answer",
        "The visitor sees the server's error page.",
        "Fix what the error says. A missing session means that its middleware is not outside of "
        "SSOMiddleware. A RecursionError means that an application wraps itself: write app.wsgi_app = "
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
        "A visitor who comes from the Help Desk and is not signed in to the application cannot go on.",
        "login_url: set it to your login page (in Django LOGIN_URL; for the admin's login /admin/login/), or "
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
        "resolve_email: read the cookie and the key that your login sets. Check that the cookie is fresh and "
        "whole, and that the session middleware is outside.",
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
        "logout: pass logout=Logout(...) to SSOMiddleware, or give the application a route there.",
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
    Rule(
        "SSO.W055",
        "The login form loses the way back",
        "A visitor who comes from the Help Desk signs in, stays in the application, and never reaches the "
        "Help Desk.",
        'resume_at: set it to the path where your login lands, such as "/". If your login keeps the way back '
        "in the session: --ignore SSO.W055.",
    ),
    Rule(
        "SSO.E056",
        "The login page's form-action blocks the redirect to the Help Desk",
        "Chromium applies form-action to every redirect that follows a form (CSP Level 3): the button looks "
        "dead to visitors who come from the Help Desk.",
        "Content-Security-Policy: add the origin of the SSO Auth URL to form-action on the login page.",
    ),
    Rule(
        "SSO.W057",
        "The login page is outside the mount prefix",
        "The application is mounted below a prefix and does not get other requests. gunicorn answers them "
        "with 500.",
        'login_url: write it app-relative, such as "/login"; the mount prefix is put in front. If another '
        "application answers there: --ignore SSO.W057.",
    ),
)
