"""The rules of the walk; rules.py has the others."""

from __future__ import annotations

from sso_middleware.cli.check.rule import Rule

WALK_RULES = (
    Rule(
        "SSO.E040",
        "The application raised an error or did not answer",
        "The visitor sees the server's error page.",
        "Fix the error. If the session is missing, its middleware is not outside SSOMiddleware. A "
        "RecursionError means that the application wraps itself: set app.wsgi_app = "
        "SSOMiddleware(app.wsgi_app, ...).",
    ),
    Rule(
        "SSO.E041",
        "The request does not reach SSOMiddleware",
        "Something outside answers first, or the middleware is mounted somewhere else.",
        "Move SSOMiddleware further out, or check the mount prefixes and --root-path. In Django, 400 means "
        "that ALLOWED_HOSTS lacks the host of the Auth URL.",
    ),
    Rule(
        "SSO.E042",
        "A visitor without a cookie is handed off",
        "Anyone who opens the Auth URL is signed in with that address.",
        "resolve_email: return None if no user is signed in.",
    ),
    Rule(
        "SSO.E043",
        "An anonymous visitor gets no login page",
        "A visitor from the Help Desk who is not signed in to the application cannot continue.",
        "login_url: set it to your login page (in Django LOGIN_URL; for the admin's login /admin/login/), or "
        "add a route at the Auth URL that logs visitors in.",
    ),
    Rule(
        "SSO.E044",
        "The redirect to the Help Desk was changed",
        "Something outside SSOMiddleware rewrites its response, so the redirect leads elsewhere.",
        "Move SSOMiddleware outside the code that rewrites redirects.",
    ),
    Rule(
        "SSO.E045",
        "The signed-in visitor is treated as anonymous",
        "The resolver does not find the session of the cookie.",
        "resolve_email: read the cookie and the key that your login sets. Check that the cookie is current "
        "and complete, and that the session middleware is outside SSOMiddleware.",
    ),
    Rule(
        "SSO.E046",
        "The visitor is refused",
        "SSOMiddleware shows the visitor a page with a reason instead of the Help Desk.",
        "Fix the cause. email_not_verified: this user's address is not verified, or verified= names the "
        "wrong field. no_email: this user has no address. invalid_email: the address cannot be signed, and "
        "the log says why. Your resolver defines other reasons.",
    ),
    Rule(
        "SSO.E047",
        "The Logout URL leads nowhere",
        "The Help Desk sends visitors there after they log out.",
        "logout: pass logout=Logout(...) to SSOMiddleware, or add a route at the Logout URL.",
    ),
    Rule(
        "SSO.W048",
        "A forged identity header is trusted",
        "Anyone who bypasses the proxy can sign in as any user. Some servers also accept the header spelled "
        "with underscores, which a proxy may not strip.",
        "resolve_email: trust the header only from your proxy's address, or with a secret that the proxy "
        "adds: sso_middleware.resolvers.proxy.trusted_header. If only the proxy can reach the port: "
        "--ignore SSO.W048.",
    ),
    Rule(
        "SSO.I049",
        "An identity header is trusted if it comes from the proxy",
        "A header from a visitor is refused (untrusted_proxy), as it should be. What the proxy passes on is "
        "trusted.",
        "Make the proxy remove these headers and its secret's header from every request before it sets them, "
        "including spellings with underscores. With trusted_proxies, only the proxy may connect from "
        "there, and the server must not change the peer's address (uvicorn: --no-proxy-headers).",
    ),
    Rule(
        "SSO.E050",
        "The login page redirects in a loop",
        "A visitor from the Help Desk who is not signed in is redirected until the browser gives up.",
        "Show the login form to every visitor who is not signed in, whatever `next` is.",
    ),
    Rule(
        "SSO.I051",
        "The return address is nested in another one",
        "The login page redirects to another one, with itself as the return address. Visitors only reach the "
        "Help Desk if it follows its own parameter when they return.",
        "login_url: set it to the page with the form, unless your login page redirects signed-in visitors.",
    ),
    Rule(
        "SSO.E052",
        "The Logout URL leads back to the Auth URL, or in a loop",
        "Users who log out of the Help Desk are handed off again or redirected forever, so they cannot "
        "sign out.",
        "logout_url: make it end the session and redirect to a page that anyone can open.",
    ),
    Rule(
        "SSO.W053",
        "The Logout URL requires a login",
        "Users who log out of the Help Desk after their session has ended are asked to sign in.",
        "logout_url: allow anonymous visitors, for example by removing login_required.",
    ),
    Rule(
        "SSO.I054",
        "The application answers the Logout URL itself",
        "It was not tested whether this ends the session.",
        "Sign in, open the Logout URL, and check that you are signed out of the application. With "
        "logout=Logout(...), SSOMiddleware ends the session.",
    ),
    Rule(
        "SSO.W055",
        "The login form loses the return address",
        "A visitor from the Help Desk signs in but stays in the application.",
        'resume_at: set it to the path your login redirects to, such as "/". If your login keeps the return '
        "address in the session: --ignore SSO.W055.",
    ),
    Rule(
        "SSO.E056",
        "The login page's form-action blocks the redirect to the Help Desk",
        "Chromium applies form-action to every redirect after a form (CSP Level 3): for visitors from the "
        "Help Desk, the button does nothing.",
        "Content-Security-Policy: add the origin of the SSO Auth URL to form-action on the login page.",
    ),
    Rule(
        "SSO.W057",
        "The login page is outside the mount prefix",
        "The application is mounted below a prefix and gets no other requests. gunicorn answers them "
        "with 500.",
        'login_url: make it app-relative, such as "/login"; the mount prefix is added. If another '
        "application answers there: --ignore SSO.W057.",
    ),
)
