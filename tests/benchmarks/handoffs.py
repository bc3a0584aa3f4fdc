"""The whole hand-off, application called directly: what it takes without a server."""

from __future__ import annotations

from account import EMAILS, PATH, WrongAnswerError, check_url
from measuring import Effort, Sampler, asgi_calls, ratio, spread, take_turns, wsgi_calls
from report import Goal, Section, Table
from routes import APPLICATIONS, pairs
from traffic import asgi_answer, environ, scope, wsgi_answer

VISITORS = EMAILS[:50]


def section(effort: Effort) -> Section:
    result = Section("handoff")
    for protocol in ("ASGI", "WSGI"):
        names = [name for name, application in APPLICATIONS.items() if application.protocol == protocol]
        series = take_turns({name: _sampler(name) for name in names}, effort)
        rows = {}
        for name, times in series.items():
            rival = APPLICATIONS[name].rival
            by_hand = ratio(series[rival], times).median if rival else None
            rows[name] = (spread(times).median / 1000, by_hand)
        result.tables.append(
            Table(f"Hand-off, called directly, {protocol}", ("call, us", "by hand / ours"), rows)
        )
        for ours, rival in pairs(names):
            result.goals.append(
                Goal(f"direct: {rival} / {ours}", ratio(series[rival], series[ours]), at_least=1)
            )
    return result


def _sampler(name: str) -> Sampler:
    """Check that the application hands off, and make a sampler of it."""
    application = APPLICATIONS[name]
    app = application.make()
    request = scope if application.protocol == "ASGI" else environ
    requests = [request(PATH, **application.headers(email)) for email in VISITORS]
    # A framework writes into its scope, so that each call has a new one.
    if application.protocol == "ASGI":
        check_answer(name, asgi_answer(app, dict(requests[0])), VISITORS[0])
        return asgi_calls(lambda scope, *rest: app(dict(scope), *rest), requests)
    check_answer(name, wsgi_answer(app, dict(requests[0])), VISITORS[0])
    return wsgi_calls(lambda environ, *rest: app(dict(environ), *rest), requests)


def check_answer(who: str, answer: tuple[int, dict[str, str], bytes], email: str) -> None:
    """Raise `WrongAnswerError` unless this is a redirect that hands off `email`."""
    status, headers, _ = answer
    if status not in (302, 303):
        raise WrongAnswerError(f"{who} answers {status}")
    check_url(who, headers["location"], email)
