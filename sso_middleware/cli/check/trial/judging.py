"""Whether the real Help Desk accepted a hand-off, judged by differences; `Trial` makes the hand-offs.

The vendor does not document what an accepted or a refused hand-off looks like, so this module does not rely
on the vendor's pages. Each hand-off uses its own cookies and is compared with three controls that must fail:
one without a token, and two with tokens signed with random keys, before and after the real one. If these two
differ in title or cookies, the pages vary by themselves, and that property is not compared.

A different page does not prove that the visitor is signed in: a Help Desk may have one page for a wrong
signature and another for an unknown address. One of these proves it:

* The visitor opens a page that is closed to a stranger, a browser without cookies. It is the page where the
  hand-off ended or, if its URL carries the token, the start page of that host. The visitor sees the same page
  twice; the stranger gets another URL, status or title.
* Every control is refused with an error status or sent back to the application, so this Help Desk shows when
  it refuses. The real hand-off ends at a page that does not ask for a password, with a cookie that neither a
  control nor a stranger on that page gets.

If a token with a random key passes one of these tests, the verdict is `cannot_tell`. A hand-off is not
accepted if it ends with an error status, back at the application, or like a control at a page that sets no
cookie of the visitor's own. Everything else is `cannot_tell`: a server error, a redirect that is not
followed, another page without proof, and a page with a cookie where everyone ends, because a Help Desk that
accepts every token looks like one that refuses every token without an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

Verdict: TypeAlias = Literal["accepted", "not_accepted", "cannot_tell"]

_UNSPECIFIC = frozenset({429, *range(500, 600)})  # says nothing about the hand-off


class Ending(NamedTuple):
    """Where a hand-off ended.

    Attributes:
        status: the last status; `None` without a response.
        url: the last URL, without query, path parameters and fragment.
        title: the title of the page.
        cookies: the names of the visitor's cookies.
        asks_password: whether the page has a password field.
        came_back: whether it led to the Auth URL or the Logout URL of the application.
        stopped: why a redirect was not followed, or why there is no response; or "".
    """

    status: int | None
    url: str
    title: str = ""
    cookies: tuple[str, ...] = ()
    asks_password: bool = False
    came_back: bool = False
    stopped: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it is a page with a success status (RFC 9110, section 15.3)."""
        return self.status in range(200, 300) and not self.stopped

    @property
    def is_refusal(self) -> bool:
        """Whether it is a client error (RFC 9110, section 15.5) or leads back to the application."""
        return self.came_back or (self.status in range(400, 500) and not self.is_unspecific)

    @property
    def is_unspecific(self) -> bool:
        """Whether the status is about the Help Desk itself (RFC 9110, section 15.6; RFC 6585)."""
        return self.status in _UNSPECIFIC

    @property
    def page(self) -> tuple[int | None, str, str]:
        """What identifies the page."""
        return self.status, self.url, self.title


class Look(NamedTuple):
    """A page as seen by a visitor after a hand-off, by a stranger, and by the visitor again."""

    visitor: Ending
    stranger: Ending
    again: Ending

    @property
    def is_closed(self) -> bool:
        """Whether the visitor can open the page and the stranger cannot."""
        return (
            self.visitor.is_page
            and self.visitor.page == self.again.page
            and self.visitor.page != self.stranger.page
            and (self.stranger.is_page or self.stranger.is_refusal)
        )


def judge(
    ending: Ending, controls: Sequence[Ending], look: Look | None, forged_look: Look | None
) -> tuple[Verdict, str]:
    """Return whether a hand-off was accepted, and why.

    Args:
        ending: where it ended.
        controls: where the three controls ended: without a token, and twice with a random key.
        look: what its visitor sees on that page afterwards; `None` if it did not end at a page.
        forged_look: the same for the first token with a random key.
    """
    if ending.came_back:
        return "not_accepted", "it led back to the application"
    if ending.is_unspecific:
        return "cannot_tell", f"the Help Desk answered {ending.status}, which says nothing about the hand-off"
    if ending.stopped or not (ending.is_page or ending.is_refusal):
        return "cannot_tell", ending.stopped or f"it ended with {ending.status}"
    is_alike = any(alike(ending, control, controls) for control in controls)
    if ending.is_page:
        return _judge_page(ending, controls, look, forged_look, is_alike=is_alike)
    if is_alike:
        return "not_accepted", f"it was refused with {ending.status}, like a control"
    return "not_accepted", (
        f"it was refused with {ending.status}, unlike the controls: the key may be right and something else "
        "wrong, such as the address, auth_url or the clock"
    )


def _judge_page(
    ending: Ending, controls: Sequence[Ending], look: Look | None, forged_look: Look | None, *, is_alike: bool
) -> tuple[Verdict, str]:
    if _is_let_in(controls[1], controls[:1], forged_look):
        return "cannot_tell", "a token signed with a random key also seems to be accepted"
    if is_alike:
        strangers = set(look.stranger.cookies if look else ())
        if ending.asks_password or strangers.issuperset(ending.cookies):
            return "not_accepted", "it ended at the same page as a control"
        return "cannot_tell", (
            "it ended at the same page as a control, with its own cookie: the Help Desk accepts both or "
            "neither"
        )
    if look and look.is_closed:
        return "accepted", f"its visitor can open {look.visitor.url}, which is closed to others"
    cookies_vary = controls[1].cookies != controls[2].cookies
    if not cookies_vary and _is_let_in(ending, controls, look):
        return "accepted", "it ended at a page and set a cookie, and every control was refused"
    return "cannot_tell", (
        "it ended differently from the controls, but nothing shows that its visitor is signed in: this may "
        "be another refusal"
    )


def alike(one: Ending, other: Ending, controls: Sequence[Ending]) -> bool:
    """Whether they are the same, apart from properties that vary by themselves."""
    before, after = controls[1:]
    return (
        (one.status, one.url, one.came_back) == (other.status, other.url, other.came_back)
        and (one.title == other.title or before.title != after.title)
        and (one.cookies == other.cookies or before.cookies != after.cookies)
    )


def _is_let_in(ending: Ending, controls: Sequence[Ending], look: Look | None) -> bool:
    if not look or look.is_closed:
        return look is not None
    known = {name for other in (*controls, look.stranger) for name in other.cookies}
    return (
        all(control.is_refusal for control in controls)
        and not ending.asks_password
        and not known.issuperset(ending.cookies)
    )
