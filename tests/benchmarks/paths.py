"""Whether 1,000 intercepted paths cost more than one, on the way through and at a hand-off."""

from __future__ import annotations

from account import EMAILS, help_desk
from measuring import Effort, asgi_calls, less, ratio, spread, take_turns, wsgi_calls
from passthrough import BARE, ROOT, asgi, ours_asgi, ours_wsgi, wsgi
from report import Goal, Section, Table
from routes import asgi_user, wsgi_user
from traffic import bare_asgi, bare_wsgi, environ, scope

from sso_middleware.asgi import SSOMiddleware as ASGIMiddleware
from sso_middleware.wsgi import SSOMiddleware as WSGIMiddleware

MANY = [f"/sso/account-{number}" for number in range(1000)]
ONE, THOUSAND = "1 path", "1,000 paths"
COUNTS = {ONE: MANY[:1], THOUSAND: MANY}
FLAT = 1.1


def section(effort: Effort) -> Section:
    result = Section("paths")
    for title, root_path in (("ASGI", ""), ("ASGI under a root_path", ROOT)):
        apps = {name: ours_asgi(root_path, paths=paths) for name, paths in COUNTS.items()}
        _add_passthrough(result, title, take_turns(asgi({BARE: bare_asgi, **apps}, root_path), effort))
    wsgi_apps = {name: ours_wsgi(paths=paths) for name, paths in COUNTS.items()}
    _add_passthrough(result, "WSGI", take_turns(wsgi({BARE: bare_wsgi, **wsgi_apps}), effort))

    desk = help_desk()
    scopes = [scope(MANY[0], X_User=email) for email in EMAILS[:50]]
    environs = [environ(MANY[0], X_User=email) for email in EMAILS[:50]]
    hits = {
        "ASGI": {
            name: asgi_calls(ASGIMiddleware(bare_asgi, desk, asgi_user, paths=paths), scopes)
            for name, paths in COUNTS.items()
        },
        "WSGI": {
            name: wsgi_calls(WSGIMiddleware(bare_wsgi, desk, wsgi_user, paths=paths), environs)
            for name, paths in COUNTS.items()
        },
    }
    for protocol, contenders in hits.items():
        title = f"{protocol}, hand-off"
        series = take_turns(contenders, effort)
        rows = {name: (spread(times).median / 1000, None) for name, times in series.items()}
        result.tables.append(Table(f"Intercepted paths, {title}", ("call, us", "added, us"), rows))
        _add_goal(result, title, series)
    return result


def _add_passthrough(result: Section, title: str, series: dict[str, list[float]]) -> None:
    bare = series.pop(BARE)
    added = {name: less(times, bare) for name, times in series.items()}
    rows = {name: (spread(series[name]).median / 1000, spread(added[name]).median / 1000) for name in series}
    result.tables.append(
        Table(f"Intercepted paths, {title}, passed through", ("call, us", "added, us"), rows)
    )
    _add_goal(result, f"{title}, passed through (added)", added)


def _add_goal(result: Section, title: str, series: dict[str, list[float]]) -> None:
    result.goals.append(
        Goal(f"{title}: {THOUSAND} / {ONE}", ratio(series[THOUSAND], series[ONE]), at_most=FLAT)
    )
