"""The sandbox and the pytest plugin: what users write, and what a type checker has to refuse."""

from __future__ import annotations

from typing import Any, assert_type

import pytest

from sso_middleware import HelpDesk
from sso_middleware.pytest_plugin import HelpDeskSandbox
from sso_middleware.sandbox import HandoffRejected, HandoffVerifier, Sandbox, VerifiedHandoff


def test_support_link(helpdesk_sandbox: HelpDeskSandbox, client: Any) -> None:
    assert_type(helpdesk_sandbox.helpdesk, HelpDesk)
    verified = helpdesk_sandbox.verify(client.get("/sso"))
    assert_type(verified, VerifiedHandoff)
    assert_type(verified.email, str)
    assert_type(helpdesk_sandbox.base_url, str | None)
    helpdesk_sandbox.fail_next("replayed", times=2)
    with pytest.raises(HandoffRejected):
        helpdesk_sandbox.verify("https://acme.example/sso")
    helpdesk_sandbox.reset()

    helpdesk_sandbox.fail_next("no such code")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    helpdesk_sandbox.fail_next("replayed", 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    helpdesk_sandbox.base_url.rstrip("/")  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def test_served() -> None:
    sandbox = Sandbox(auth_url="http://localhost:8000/sso", freshness=60)
    with sandbox.run() as base_url:
        assert_type(base_url, str)


verifier = HandoffVerifier(
    sso_token="a made-up token of thirty-two bytes", account_id=4711, auth_url="https://app.example/sso"
)
assert_type(verifier.verify("https://acme.example/sso"), VerifiedHandoff)

HandoffVerifier("token", 4711, "https://app.example/sso")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
HandoffVerifier(sso_token="token", account_id=4711)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
verifier.verify(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Sandbox(auth_url=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
