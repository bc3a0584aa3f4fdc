"""A Help Desk account and the hand-off to it.

The claims and parameters follow the vendor's page "How to Integrate Help Desk SSO With Web
Application".
"""

from __future__ import annotations

import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, ClassVar, Self, cast
from urllib.parse import quote

from sso_middleware._secret import Sealed, Secret
from sso_middleware._text import exact
from sso_middleware._urls import with_query
from sso_middleware.errors import ConfigError, ShortTokenWarning
from sso_middleware.helpdesk import forwarding
from sso_middleware.helpdesk.emails import check_email
from sso_middleware.helpdesk.settings import from_variables, problems_of
from sso_middleware.helpdesk.tokens import SHORTEST_TOKEN, further_claims, signer


class Handoff(Sealed):
    """A signed redirect to the Help Desk, valid for one visitor, once. It cannot be pickled.

    Attributes:
        url: where to send the browser; anyone who opens it is signed in, so keep it out of logs.
        token: the JWT in it.
        email: the address it signs.
        iat: issued at, in whole seconds since the epoch.
        jti: the token's unique identifier.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ("url", "token", "email", "iat", "jti")
    __slots__ = __match_args__
    _shown = ("iat", "jti")

    url: str
    token: str
    email: str
    iat: int
    jti: str

    def __init__(self, url: str, token: str, email: str, iat: int, jti: str) -> None:
        self._seal(url=url, token=token, email=email, iat=iat, jti=jti)


class HelpDesk(Sealed):
    """The settings of a Help Desk account; signs hand-offs to it.

    Immutable, and safe to share between threads and across a fork. It does not reveal the SSO Token;
    `copy.copy` and `copy.deepcopy` return the object itself, and pickling raises `TypeError`.

    Args:
        sso_token: SSO Token, from the vendor's panel.
        sso_auth_url: SSO Auth URL, from the vendor's panel.
        account_id: Account ID, from the vendor's panel; a `str` or an `int`, kept as `str`.
        auth_url: the Auth URL as registered in the vendor's panel; sent byte for byte.
        logout_url: the Logout URL registered there, if any.
        forward_params: the names of the Auth URL's query parameters to pass on to the Help Desk; one
            `str`, or several.
        backdate: seconds (0 to 30) to subtract from ``iat``, for a server clock that runs fast.
        allow_http: permit ``http://`` URLs outside loopback.

    Raises:
        ConfigError: a setting is wrong; the error lists all of them.

    Warns:
        ShortTokenWarning: the SSO Token has fewer than 32 bytes. It works anyway.
    """

    _shown = (
        "sso_auth_url",
        "account_id",
        "auth_url",
        "logout_url",
        "forward_params",
        "backdate",
        "allow_http",
    )
    __slots__ = (*_shown, "_sign", "_url_head", "_url_tail")

    sso_auth_url: str
    account_id: str
    auth_url: str
    logout_url: str | None
    forward_params: tuple[str, ...]
    backdate: int
    allow_http: bool
    _sign: Callable[[str], str]
    _url_head: str
    _url_tail: str

    def __init__(
        self,
        *,
        sso_token: str,
        sso_auth_url: str,
        account_id: str | int,
        auth_url: str,
        logout_url: str | None = None,
        forward_params: str | Iterable[str] = (),
        backdate: int = 0,
        allow_http: bool = False,
    ) -> None:
        held: Secret[Any] = Secret(exact(Secret(sso_token)()))  # `from_variables` passes a Secret
        del sso_token  # keep out of tracebacks
        settings: dict[str, Any] = {
            "sso_auth_url": exact(sso_auth_url),
            "account_id": exact(account_id),
            "auth_url": exact(auth_url),
            "logout_url": exact(logout_url),
            "forward_params": _names(forward_params),
            "backdate": backdate,
            "allow_http": allow_http,
        }
        if problems := problems_of(sso_token=held, **settings):
            raise ConfigError(problems)
        sign, is_short = signer(held)
        if is_short:
            warnings.warn(
                f"sso_token is shorter than the {SHORTEST_TOKEN} bytes that HS256 requires (RFC 7518, "
                "section 3.2): check that you copied it completely from the vendor's panel",
                ShortTokenWarning,
                stacklevel=2,
            )
        if isinstance(settings["account_id"], int):
            settings["account_id"] = str(int(settings["account_id"]))
        self._seal(**settings, _sign=sign)
        tail = f"&account_id={quote(self.account_id, safe='')}&auth_url={quote(self.auth_url, safe='')}"
        self._seal(_url_head=with_query(self.sso_auth_url, "token="), _url_tail=tail)

    def __eq__(self, other: object) -> bool:  # tokens cannot be compared
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @classmethod
    def from_env(cls, variables: Mapping[str, Any] | None = None, prefix: str = "HELPDESK_") -> Self:
        """Make a HelpDesk from environment variables, or from a mapping with the same names.

        With the default prefix it reads ``HELPDESK_SSO_TOKEN`` (or ``HELPDESK_SSO_TOKEN_FILE``, a
        file; one trailing newline is removed), ``HELPDESK_SSO_AUTH_URL``,
        ``HELPDESK_ACCOUNT_ID``, ``HELPDESK_AUTH_URL``, ``HELPDESK_LOGOUT_URL``,
        ``HELPDESK_FORWARD_PARAMS`` (names, separated by commas), ``HELPDESK_BACKDATE`` and
        ``HELPDESK_ALLOW_HTTP`` (1/true/yes/on or 0/false/no/off). An empty value counts as not set.

        Args:
            variables: the mapping to read, such as Flask's ``app.config``; default `os.environ`.
            prefix: what the names start with.

        Raises:
            ConfigError: lists every variable that is missing or wrong.
        """
        held = Secret(os.environ if variables is None else variables)
        del variables  # keep out of tracebacks
        return cls(**from_variables(held, prefix))

    def handoff(
        self,
        email: str,
        *,
        claims: Mapping[str, Any] | None = None,
        forward: Mapping[str, str] | None = None,
        iat: int | None = None,
        jti: str | None = None,
    ) -> Handoff:
        """Sign a hand-off for `email`; call this again for each visit.

        Args:
            email: the visitor's verified address, passed on verbatim.
            claims: extra claims for the token, JSON values by name. The vendor documents none.
            forward: values for any of `forward_params`, by name: printable, at most 1,024 characters.
            iat: issued at, in whole seconds since the epoch; for tests. Default: now, less
                `backdate`.
            jti: the unique identifier; for tests. Default: 32 random hex characters.

        Raises:
            InvalidEmail: `email` is not an address that may be signed.
            ConfigError: `claims` or `forward` cannot be sent; the message shows no value.
        """
        if not claims and not forward:
            return Handoff(*self._signed(email, iat, jti))
        held, further = Secret(email), Secret(claims or {})
        del email, claims  # keep out of tracebacks: a mapping may be the application's own class, and raise
        more = further_claims(further)
        query = forwarding.encoded(forwarding.checked(forward, self.forward_params)) if forward else ""
        return Handoff(*self._signed(held(), iat, jti, more, f"&{query}" if query else ""))

    def handoff_url(self, email: str) -> str:
        """Return the URL of a new hand-off for `email`: ``handoff(email).url``."""
        return self._signed(email, None, None)[0]  # making a Handoff would take a tenth longer

    def _signed(
        self, email: str, iat: int | None, jti: str | None, claims: str = "", query: str = ""
    ) -> tuple[str, str, str, int, str]:
        email = check_email(email)
        if iat is None:
            iat = int(time.time()) - self.backdate
        if jti is None:
            jti = secrets.token_bytes(16).hex()
        # Same result as json.dumps: an address that passed the check has nothing to escape.
        text = f'{{"email":"{email}","iat":{iat:d},"jti":{encode_basestring_ascii(jti)}{claims}}}'
        token = self._sign(text)
        return f"{self._url_head}{token}{self._url_tail}{query}", token, email, iat, jti


def _names(forward_params: Any) -> Any:
    """Return `forward_params` as a tuple; return anything but names unchanged, for `problems_of`."""
    if isinstance(forward_params, str):
        return (exact(forward_params),)
    if not isinstance(forward_params, Iterable):
        return forward_params
    return tuple(map(exact, cast("Iterable[object]", forward_params)))
