"""The oracle for redirects is itself held against a real parser: the URL class of Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from fuzzing.browsers import BASE, destination, stays
from fuzzing.payloads import payloads
from fuzzing.targets import corpus

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


@pytest.mark.node
@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_as_node_has_it():
    """What the oracle takes for staying never leaves in Node.js; where it says where to, that is right."""
    references = payloads()
    references += [text for name in ("logins", "prefixes") for _, texts in corpus(name) for text in texts]
    references = [text for text in references if text.encode("utf-8", "ignore").decode() == text]
    result = subprocess.run(
        ["node", "--eval", ASK_NODE],
        input=json.dumps([BASE, *references]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(result.stdout)
    assert len(answers) == len(references)
    valid = [
        (text, answer["origin"])
        for text, answer in zip(references, answers, strict=True)
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
