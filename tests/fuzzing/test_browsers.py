"""The oracle for redirects is itself held against a real parser: the URL class of Node.js."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from clients import make_desk
from fuzzing.browsers import BASE, destination, stays
from fuzzing.payloads import payloads
from fuzzing.targets import corpus
from sso_middleware import ConfigError, Logout

ASK_NODE = """
const [base, ...references] = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(references.map((reference) => {
  try {
    const { protocol, origin } = new URL(reference, base);
    return { protocol, origin };
  } catch {
    return null;
  }
})));
"""


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("/x", "https://app.example.com"),
        ("", "https://app.example.com"),
        ("?x", "https://app.example.com"),
        ("https:evil.example", "https://app.example.com"),
        ("https:/evil.example", "https://app.example.com"),
        ("http:evil.example", "http://evil.example"),
        ("//evil.example", "https://evil.example"),
        ("/\t/evil.example", "https://evil.example"),
        (" \\\\EVIL.example:443/", "https://evil.example"),
        ("/\\a@b@evil.example:80?x", "https://evil.example:80"),
        ("https:////evil.example", "https://evil.example"),
        ("java\nscript:x", "javascript:"),
        ("1a:x", "https://app.example.com"),
    ],
)
def test_destination(reference, expected):
    """The cases of the standard that matter."""
    assert destination(reference) == expected


def ask_node(references):
    """Return protocol and origin of each, as a browser has them; `None` for what it would not open."""
    result = subprocess.run(
        ["node", "--eval", ASK_NODE],
        input=json.dumps([BASE, *references]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(result.stdout)
    assert len(answers) == len(references)
    return answers


def known(*names):
    """All payloads, and all texts of these corpora; without what JSON cannot say to Node.js."""
    texts = payloads() + [text for name in names for _, texts in corpus(name) for text in texts]
    return [text for text in dict.fromkeys(texts) if text.encode("utf-8", "ignore").decode() == text]


needs_node = [
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js"),
]


class TestAsNodeHasIt:
    pytestmark = needs_node

    def test_destinations(self):
        """What is taken for staying never leaves in Node.js; where it is said where to, that is right."""
        references = known("logins", "prefixes")
        valid = [
            (text, answer["origin"])
            for text, answer in zip(references, ask_node(references), strict=True)
            if answer and answer["protocol"] in ("http:", "https:")
        ]
        assert len(valid) > 3000
        site = "https://app.example.com"
        assert [text for text, origin in valid if stays(text) and origin != site] == []
        too_careful = [text for text, origin in valid if origin == site and not stays(text)]
        assert [text for text in too_careful if "%" not in text and "\\" not in text] == []
        elsewhere = [  # but for hosts that IDNA turns into this one
            (text, origin)
            for text, origin in valid
            if origin.endswith("://evil.example") and "evil.example" in text
        ]
        assert len(elsewhere) > 500
        assert [text for text, origin in elsewhere if not destination(text).startswith(origin)] == []

    def test_settings(self):
        """A browser opens what is accepted; only whether a host's number is an IPv4 one goes unchecked."""
        accepted = [text for text in known("accounts", "logins") if _is_accepted(text)]
        assert len(accepted) > 1000
        refused = [text for text, answer in zip(accepted, ask_node(accepted), strict=True) if not answer]
        assert [text for text in refused if not re.search(r"\.(0x[0-9a-f]+|[0-9]+)$", text)] == []


def _is_accepted(text):
    try:
        Logout(bool, then=text)
    except ConfigError:
        try:
            make_desk(auth_url=text, allow_http=True)
        except ConfigError:
            return False
    return True
