"""Whether the real Help Desk accepted a hand-off, told by differences alone; `Trial` makes the hand-offs.

The vendor documents neither what an accepted nor what a refused hand-off looks like, so nothing here knows
the vendor's pages. Each hand-off is opened by a visitor with cookies of its own, next to three controls that
must fail: one without a token, and two whose tokens are signed with random keys, before and after the real
one. Where these two differ in title or cookies, pages vary by themselves, and that is not compared.

A different page does not show that the visitor is signed in: a Help Desk may have one page for a wrong
signature and another for an unknown address. One of these does:

* The visitor opens a page that is closed to a stranger, a browser without cookies. The page is the one where
  the hand-off ended or, if its URL carries the token, the start page of that host. The visitor sees it twice
  alike; the stranger ends elsewhere, with another status or at another title.
* Every control is refused with an error status or sent back to the application, so this Help Desk says when
  it refuses. The real hand-off ends at a page that does not ask for a password, with a cookie that neither a
  control nor a stranger at that page is given.

If a token with a random key passes one of these tests, nothing can be told. A hand-off is not accepted if it
ends with an error status, back at the application, or as a control does at a page that gives its visitor no
cookie of their own. Everything else cannot be told: a server error, a redirect that is not followed, another
page without such a sign, and a page with a cookie where everyone ends, because a Help Desk that accepts every
token looks the same as one that refuses every token politely.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from sso_middleware.cli.check.sending import Ending

Verdict: TypeAlias = Literal["accepted", "not_accepted", "cannot_tell"]


class Look(NamedTuple):
    """A page, as a visitor sees it after a hand-off, then a stranger, then the visitor again."""

    visitor: Ending
    stranger: Ending
    again: Ending

    @property
    def is_closed(self) -> bool:
        """Whether the visitor opens a page that the stranger does not."""
        return (
            self.visitor.is_page
            and self.visitor.page == self.again.page
            and self.visitor.page != self.stranger.page
            and (self.stranger.is_page or self.stranger.is_refusal)
        )


def judge(
    ending: Ending, controls: Sequence[Ending], look: Look | None, forged_look: Look | None
) -> tuple[Verdict, str]:
    """Say whether a hand-off was accepted, and why.

    Args:
        ending: where it ended.
        controls: where the three controls ended: without a token, and twice with a random key.
        look: what its visitor sees at that page afterwards; `None`: it ended at no page.
        forged_look: the same for the first token with a random key.
    """
    if ending.came_back:
        return "not_accepted", "it led back to the application"
    if ending.is_unspecific:
        return "cannot_tell", f"the Help Desk answered {ending.status}, which is about its own state"
    if ending.stopped or not (ending.is_page or ending.is_refusal):
        return "cannot_tell", ending.stopped or f"it ended with {ending.status}"
    is_alike = any(alike(ending, control, controls) for control in controls)
    if ending.is_page:
        return _judge_page(ending, controls, look, forged_look, is_alike=is_alike)
    if is_alike:
        return "not_accepted", f"it was refused with {ending.status}, as a control was"
    return "not_accepted", (
        f"it was refused with {ending.status}, otherwise than the controls: the key may be right, and "
        "something else wrong, such as the address, auth_url or the clock"
    )


def _judge_page(
    ending: Ending, controls: Sequence[Ending], look: Look | None, forged_look: Look | None, *, is_alike: bool
) -> tuple[Verdict, str]:
    if _is_let_in(controls[1], controls[:1], forged_look):
        return "cannot_tell", "a token that is signed with a random key seems to be let in, too"
    if is_alike:
        strangers = set(look.stranger.cookies if look else ())
        if ending.asks_password or strangers.issuperset(ending.cookies):
            return "not_accepted", "it ended at the same page as a control"
        return "cannot_tell", (
            "it ended at the same page as a control, with a cookie that stays: the Help Desk accepts both or "
            "neither"
        )
    if look and look.is_closed:
        return "accepted", f"its visitor opens {look.visitor.url}, which is closed to others"
    cookies_vary = controls[1].cookies != controls[2].cookies
    if not cookies_vary and _is_let_in(ending, controls, look):
        return "accepted", "it ended at a page and left a cookie, and every control was refused"
    return "cannot_tell", (
        "it ended otherwise than the controls, but nothing shows that its visitor is signed in: this may be "
        "another page that refuses"
    )


def alike(one: Ending, other: Ending, controls: Sequence[Ending]) -> bool:
    """Whether they are the same as far as pages do not vary by themselves."""
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
