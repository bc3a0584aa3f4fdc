"""Hints for the framework that an application uses."""

from __future__ import annotations

from typing import Any

from sso_middleware.cli.check.app.located import layers
from sso_middleware.cli.check.rule import Finding

_FRAMEWORKS = ("fastapi", "starlette", "quart", "flask", "django", "pyramid", "bottle")
_INIT = "`sso-middleware init {0}` prints the lines."
_ADD = f"SSOMiddleware: add it with app.add_middleware(SSOMiddleware, ...). {_INIT}"
_WRAP = f"app.{{1}}_app: set app.{{1}}_app = SSOMiddleware(app.{{1}}_app, ...). {_INIT}"
_SERVE = f"SSOMiddleware: set application = SSOMiddleware({{1}}, ...), and serve application. {_INIT}"
_LAX = 'SESSION_COOKIE_SAMESITE: set it to "Lax". If the resolver reads another cookie: --ignore SSO.W026.'
_SAME_SITE = (
    'same_site: pass same_site="lax" to SessionMiddleware. If the resolver reads another cookie: '
    "--ignore SSO.W026."
)
_NOT_CONCERNED = "If the resolver reads the cookie itself: --ignore SSO.W024."

_HINTS = {
    "SSO.E020": {
        "fastapi": _ADD.format("fastapi"),
        "starlette": _ADD.format("starlette"),
        "flask": _WRAP.format("flask", "wsgi"),
        "quart": _WRAP.format("quart", "asgi"),
        "django": f'MIDDLEWARE: add "sso_middleware.django.SSOMiddleware". {_INIT.format("django")}',
        "pyramid": _SERVE.format("pyramid", "config.make_wsgi_app()"),
        "bottle": _SERVE.format("bottle", "app"),
    },
    "SSO.E041": {
        "django": "ALLOWED_HOSTS: add the host of the Auth URL if the answer is 400. Otherwise move "
        "sso_middleware.django.SSOMiddleware up in MIDDLEWARE, above the middleware that answers first.",
    },
    "SSO.E043": {
        "django": "LOGIN_URL: set it to your login page, a path or the name of a URL; for the admin's login "
        "/admin/login/.",
    },
    "SSO.E047": {
        "django": 'HELPDESK_SSO: add "logout": True, or give the project a page at the Logout URL.',
    },
    "SSO.E047 then": {
        "django": "LOGOUT_REDIRECT_URL: set it to a page that anyone can open.",
    },
    "SSO.W024": {
        "fastapi": "app.add_middleware: add the session middleware after SSOMiddleware, because the last "
        f"one added is outermost. {_NOT_CONCERNED}",
        "starlette": "middleware: put the session middleware before SSOMiddleware, because the first one "
        f"is outermost. {_NOT_CONCERNED}",
    },
    "SSO.W026": {
        "fastapi": _SAME_SITE,
        "starlette": _SAME_SITE,
        "flask": _LAX,
        "quart": _LAX,
        "django": _LAX,
    },
}


def framework_of(app: Any) -> str:
    """Return the framework of `app`, or ""."""
    for _, node in layers(app, mounts=True):
        for base in type(node).__mro__:
            package = base.__module__.partition(".")[0]
            if package in _FRAMEWORKS:
                return package
    return ""


def fitted(findings: list[Finding], framework: str) -> list[Finding]:
    """Return `findings` with hints for `framework`."""
    return [_fit(finding, framework) for finding in findings]


def _fit(finding: Finding, framework: str) -> Finding:
    key = f"{finding.rule.id} {finding.remedy.partition(':')[0]}".strip()
    hint = _HINTS.get(key, {}).get(framework)
    return finding._replace(remedy=hint) if hint else finding
