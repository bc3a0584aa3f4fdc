"""Rules for the settings of a Help Desk account, and reading them from variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sso_middleware._secret import Secret
from sso_middleware._text import invisible_problem
from sso_middleware._urls import query_names, url_problem
from sso_middleware.errors import ConfigError
from sso_middleware.helpdesk.forwarding import names_problem
from sso_middleware.helpdesk.tokens import signing_key

LONGEST_BACKDATE = 30  # seconds

#: The parameters of the hand-off, in the order they are sent.
HANDOFF_PARAMETERS = ("token", "account_id", "auth_url")

_LARGEST_ACCOUNT_ID = 10**18
#: The start of a line in an environment file. A token may hold an equals sign: base64 ends with it.
_COPIED_LINE = re.compile(r"(?:export\s+)?(?:\w*(?:sso_token|account_id)|helpdesk_\w+)\s*[=:]", re.IGNORECASE)
_QUOTED = re.compile(r"""(["'`]).*\1""", re.DOTALL)
_NAMES = (
    "sso_token",
    "sso_auth_url",
    "account_id",
    "auth_url",
    "logout_url",
    "forward_params",
    "backdate",
    "allow_http",
)
_IN_VARIABLES = {"allow_http": "must be one of 1, true, yes, on, 0, false, no, off, or empty"}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def problems_of(**given: Any) -> dict[str, str]:
    """Return what is wrong with the given settings, by name.

    The names are those of `HelpDesk`'s parameters. The SSO Token is a `Secret`.
    """
    http = given.get("allow_http") is True
    forwarded = given.get("forward_params", ())
    checks: dict[str, Callable[[Any], str | None]] = {
        "sso_token": _token_problem,
        "sso_auth_url": lambda url: _sso_auth_url_problem(url, forwarded, allow_http=http),
        "account_id": _account_id_problem,
        "auth_url": lambda url: url_problem(url, allow_http=http),
        "logout_url": lambda url: None if url is None else url_problem(url, allow_http=http),
        "forward_params": lambda names: names_problem(names, HANDOFF_PARAMETERS),
        "backdate": _backdate_problem,
        "allow_http": lambda value: None if isinstance(value, bool) else "must be True or False",
    }
    found = {name: checks[name](value) for name, value in given.items()}
    return {name: problem for name, problem in found.items() if problem}


def _token_problem(sso_token: Secret[Any]) -> str | None:
    if not isinstance(sso_token(), str):
        return "must be a str: the SSO Token from the vendor's panel"
    if not sso_token():
        return "is empty: copy the SSO Token from the vendor's panel"
    if sso_token() != sso_token().strip():
        return "starts or ends with white space, which makes every signature invalid: remove it"
    if _COPIED_LINE.match(sso_token()):
        return "is a whole line NAME=value: remove everything up to the equals sign"
    if _QUOTED.fullmatch(sso_token()):
        return (
            "is in quotation marks, which are part of the key (Docker's --env-file keeps them): remove them"
        )
    try:
        signing_key(sso_token)
    except UnicodeEncodeError:
        pass  # a surrogate, reported below
    except ValueError as problem:
        return str(problem)
    return invisible_problem(sso_token())


def _sso_auth_url_problem(sso_auth_url: object, forwarded: Any, *, allow_http: bool) -> str | None:
    problem = url_problem(sso_auth_url, allow_http=allow_http)
    if problem or not isinstance(sso_auth_url, str):
        return problem
    if not sso_auth_url.isascii():
        return "must be ASCII: percent-encode other characters, and write the host in punycode"
    forwarded = () if names_problem(forwarded, ()) else forwarded
    taken = sorted(query_names(sso_auth_url).intersection({*HANDOFF_PARAMETERS, *forwarded}))
    if taken:
        return f"already has {', '.join(taken)} in its query: copy only the SSO Auth URL"
    return None


def _account_id_problem(account_id: object) -> str | None:
    if isinstance(account_id, bool) or not isinstance(account_id, str | int):
        return "must be a str or an int: the Account ID from the vendor's panel"
    if isinstance(account_id, int) and not 0 <= account_id < _LARGEST_ACCOUNT_ID:
        return "must be between 0 and 10**18 - 1, or a str"
    text = str(account_id)
    if not text or text != text.strip():
        return "must not be empty, nor start or end with white space"
    if _COPIED_LINE.match(text) or _QUOTED.fullmatch(text):
        return "must be the value alone: remove NAME= and any quotation marks"
    return invisible_problem(text)


def _backdate_problem(backdate: object) -> str | None:
    if type(backdate) is int and 0 <= backdate <= LONGEST_BACKDATE:
        return None
    return f"must be a whole number of seconds from 0 to {LONGEST_BACKDATE}"


def from_variables(variables: Secret[Mapping[str, Any]], prefix: str) -> dict[str, Any]:
    """Return the settings in `variables` whose names start with `prefix`; the SSO Token as a `Secret`.

    An empty value counts as not set.

    Raises:
        ConfigError: lists every variable that is missing or wrong.
    """
    problems: dict[str, str] = {}

    def get(name: str) -> Any:
        return None if variables().get(f"{prefix}{name}") == "" else variables().get(f"{prefix}{name}")

    settings: dict[str, Any] = {name: get(name.upper()) for name in _NAMES if name != "sso_token"}
    settings["forward_params"] = _listed(settings["forward_params"])
    settings["backdate"] = _integer(settings["backdate"])
    settings["allow_http"] = _boolean(settings["allow_http"])
    settings["sso_token"] = Secret(get("SSO_TOKEN"))
    token_file = Secret(get("SSO_TOKEN_FILE"))  # may be the token itself, by mistake
    if token_file() is not None and settings["sso_token"]() is not None:
        problems["sso_token_file"] = f"is set, and {prefix}SSO_TOKEN too: set only one of them"
    elif token_file() is not None:
        try:
            settings["sso_token"] = _read_token(token_file)
        except ValueError as error:
            problems["sso_token_file"] = str(error)

    found = problems_of(**settings)
    if "sso_token" in found and token_file() is not None:
        problems.setdefault("sso_token_file", found.pop("sso_token"))
    for name, problem in found.items():
        text = _IN_VARIABLES.get(name) or problem.replace("allow_http", f"{prefix}ALLOW_HTTP")
        is_missing = (settings[name]() if name == "sso_token" else settings[name]) is None
        problems[name] = "is not set" if is_missing else text
    if problems:
        raise ConfigError({f"{prefix}{name.upper()}": problem for name, problem in problems.items()})
    return settings


def _read_token(path: Secret[Any]) -> Secret[str]:
    # Show neither the path nor the OSError's text: if the token is in the wrong variable, both hold it.
    try:
        text = Path(str(path())).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"names a file that cannot be read ({error.strerror})") from None
    except ValueError:
        raise ValueError("names a file that is not UTF-8 text, or is not a file name") from None
    if "\0" in text:
        raise ValueError("names a file that is not UTF-8 text, but UTF-16: it has NUL characters")
    line = text.removesuffix("\n")
    return Secret(line if line == text else line.removesuffix("\r"))


def _listed(value: object) -> object:
    if value is None:
        return ()
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


def _integer(value: object) -> object:
    if value is None:
        return 0
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value) else value


def _boolean(value: object) -> object:
    text = "" if value is None else str(value).lower()
    if text in _TRUE:
        return True
    return False if text in _FALSE or not text else value
