"""Events and log records: what happened, and who must not be in the log."""

from __future__ import annotations

import copy
import logging
import pickle
import time

import pytest

from clients import DESK, JANE, SSO_TOKEN, jane, make_desk, nobody
from sso_middleware import HandoffRefused, Logout, ResolverUnavailable, SSOEvent

PATH = "/sso/helpdesk"


def refuse(source):
    raise HandoffRefused("no_licence")


def down(source):
    raise ResolverUnavailable("down")


LOGIN = {"login_url": "/login"}
LOGOUT = {"logout": Logout(lambda source: [])}

# what is done, and outcome, reason, email of the event it makes
CASES = {
    "handed off": (jane, {}, ("GET", PATH), ("handed_off", None, JANE)),
    "to login": (nobody, LOGIN, ("GET", PATH), ("anonymous", None, None)),
    "left to the app": (nobody, {}, ("GET", PATH), ("anonymous", None, None)),
    "refused": (refuse, {}, ("GET", PATH), ("refused", "no_licence", None)),
    "invalid": (lambda source: "joe", {}, ("GET", PATH), ("refused", "invalid_email", None)),
    "no email": (lambda source: "", {}, ("GET", PATH), ("refused", "no_email", None)),
    "unavailable": (down, {}, ("GET", PATH), ("unavailable", "unavailable", None)),
    "head": (jane, {}, ("HEAD", PATH), ("ignored", "head", None)),
    "post": (jane, LOGIN, ("POST", PATH), ("ignored", "post", None)),
    "put": (jane, LOGIN, ("PUT", PATH), ("ignored", "method_not_allowed", None)),
    "signed out": (jane, LOGOUT, ("GET", "/sso/logout"), ("signed_out", None, None)),
    "post to logout": (jane, LOGOUT, ("POST", "/sso/logout"), ("ignored", "method_not_allowed", None)),
    "head to logout": (jane, LOGOUT, ("HEAD", "/sso/logout"), ("ignored", "head", None)),
}
DETAILS = {"invalid": "malformed", "no email": "empty"}  # only in the log, and only where there is one
LEVELS = {"ignored": logging.DEBUG, "refused": logging.WARNING, "unavailable": logging.WARNING}


def records_of(caplog):
    return [record for record in caplog.records if record.name == "sso_middleware"]


@pytest.mark.parametrize("case", CASES)
def test_event_and_log_record(site, caplog, case):
    """Each thing that happens is one event and one log record, of the right level, without an address."""
    resolve_email, options, (method, path), (outcome, reason, email) = CASES[case]
    events = []
    with caplog.at_level(logging.DEBUG, "sso_middleware"):
        reply = site(resolve_email, options=options | {"on_event": events.append}).request(method, path)

    (event,) = events
    jti = reply.claims["jti"] if outcome == "handed_off" else None
    assert event == SSOEvent(outcome, reason, path, "4711", email, jti)

    record, *others = records_of(caplog)
    assert len(others) == (case == "left to the app")  # the warning that is said once
    assert record.levelno == LEVELS.get(outcome, logging.INFO)
    assert {name: value for name, value in vars(record).items() if name.startswith("sso_")} == {
        "sso_outcome": outcome,
        "sso_reason": reason,
        "sso_path": path,
        "sso_account_id": "4711",
        "sso_jti": jti,
        **({"sso_detail": DETAILS[case]} if case in DETAILS else {}),
    }
    assert outcome in record.getMessage()
    assert "@" not in str(vars(record)) + record.getMessage()


@pytest.mark.parametrize(
    ("address", "reason", "detail"),
    [
        ("", "no_email", "empty"),
        ("j\u00e4ne@example.com", "invalid_email", "not_ascii"),
        (f"jane@{'a.' * 125}example", "invalid_email", "too_long"),
        (f"{'j' * 65}@example.com", "invalid_email", "local_part_too_long"),
        ("jane@example.com ", "invalid_email", "malformed"),
    ],
)
def test_why_an_address_is_not_acceptable(site, caplog, address, reason, detail):
    """The log says why an address cannot be signed, in its own field and in the line, and not what it is."""
    events = []
    site(lambda source: address, options={"on_event": events.append}).get(PATH)
    (record,) = records_of(caplog)
    assert (record.sso_reason, record.sso_detail, events[0].reason) == (reason, detail, reason)
    assert record.getMessage().endswith(f" detail='{detail}'")
    assert not address or address not in str(vars(record)) + record.getMessage()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Sec-Purpose", "prefetch")], ("ignored", "prefetch", None)),
        ([("Sec-Fetch-Mode", "cors")], ("ignored", "embedded", None)),
        ([("Cookie", "sso_handoffs=NOW.7")], ("refused", "loop", JANE)),
    ],
)
def test_event_of_headers(site, headers, expected):
    """Speculation, embedding and the loop are events, too."""
    events = []
    headers = [(name, value.replace("NOW", str(int(time.time())))) for name, value in headers]
    site(jane, options={"on_event": events.append}).get(PATH, headers=headers)
    assert [(event.outcome, event.reason, event.email) for event in events] == [expected]


def test_bad_prefix(site):
    """A mount prefix that no redirect can carry is an event, too."""
    events = []
    options = {"paths": "/sso", "on_event": events.append, "login_url": "/login"}
    site(nobody, options=options).get("/sso", prefix="//evil")
    assert [(event.outcome, event.reason, event.path) for event in events] == [
        ("refused", "bad_prefix", "//evil/sso")
    ]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_the_application_answers_is_no_event(site, method):
    """Neither another method without login_url nor another path is one."""
    events = []
    pages = site(jane, options={"on_event": events.append})
    pages.request(method, PATH)
    pages.get("/other")
    assert events == []


def test_account_of_a_chosen_helpdesk(site):
    """With a callable helpdesk the account is known once it is chosen."""
    events = []
    pages = site(
        jane, lambda source, email: make_desk(account_id=42), {"paths": PATH, "on_event": events.append}
    )
    pages.get(PATH)
    pages.request("HEAD", PATH)
    assert [event.account_id for event in events] == ["42", None]


@pytest.mark.parametrize("error", [HandoffRefused("no_account"), ResolverUnavailable()])
def test_address_when_no_helpdesk_is_chosen(site, error):
    """What the resolver found out is in the event, also if the helpdesk callable then refuses."""
    events = []

    def choose(source, email):
        raise error

    site(jane, choose, {"paths": PATH, "on_event": events.append}).get(PATH)
    assert [(event.email, event.account_id) for event in events] == [(JANE, None)]


def test_an_event_is_a_value():
    """It can be compared, kept in a set, matched and pickled, and has no __dict__ to walk."""
    event = SSOEvent(outcome="handed_off", reason=None, path=PATH, account_id="4711", email=JANE, jti="j")
    assert pickle.loads(pickle.dumps(event)) == event
    assert len({event, copy.copy(event), SSOEvent("handed_off", None, PATH)}) == 2
    match event:
        case SSOEvent("handed_off", None, path):
            assert path == PATH
        case _:
            pytest.fail("no match")
    with pytest.raises(TypeError):
        vars(event)


def test_repr_without_address():
    """An event in somebody's log line does not show the address; and nobody can change it."""
    event = SSOEvent("handed_off", None, PATH, "4711", JANE, "j")
    assert "jane" not in repr(event)
    with pytest.raises(AttributeError):
        event.email = "x"


def test_error_in_on_event(site, caplog):
    """It is logged by type and place, without its text, and does not reach the visitor."""

    def on_event(event):
        raise RuntimeError(f"cannot store {event.email}")

    with caplog.at_level(logging.ERROR, "sso_middleware"):
        assert site(jane, options={"on_event": on_event}).get(PATH).is_handoff
    (record,) = records_of(caplog)
    assert "RuntimeError" in record.getMessage()
    assert "in on_event" in record.getMessage()
    assert JANE not in caplog.text + str(vars(record))
    assert record.exc_info is None


def test_path_cannot_break_the_log(site, caplog):
    """A mount prefix with a line break makes no second line."""
    with caplog.at_level(logging.INFO, "sso_middleware"):
        site(jane, options={"paths": "/sso"}).get("/sso", prefix="/a\r\nfake=1")
    (record,) = records_of(caplog)
    assert len(record.getMessage().splitlines()) == 1
    assert record.sso_path == "/a%0D%0Afake=1/sso"


def test_no_log_holds_a_secret(site, caplog):
    """At no level does any logger show a token, hand-off URL, SSO Token or address."""
    with caplog.at_level(logging.DEBUG):
        reply = site(jane).get(PATH)
        site(lambda source: "joe@exämple.com").get(PATH)
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for secret in (reply.query["token"][0], "token=", SSO_TOKEN, JANE, "joe@"):
        assert secret not in logged


def test_null_handler():
    """The library configures no logging but a NullHandler."""
    (handler,) = logging.getLogger("sso_middleware").handlers
    assert isinstance(handler, logging.NullHandler)
    assert DESK.account_id == "4711"


def test_loop_of_a_chosen_account(site):
    """The event of a loop names the account that a callable has chosen."""
    events = []
    pages = site(jane, lambda source, email: DESK, {"paths": "/sso", "on_event": events.append})
    pages.get("/sso", headers=[("Cookie", f"sso_handoffs={int(time.time())}.7")])
    assert [(event.reason, event.account_id) for event in events] == [("loop", DESK.account_id)]
