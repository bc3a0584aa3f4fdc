"""Addresses that have led visitors away from other sites, put together from the ideas behind them.

The yardstick is the list that oauth2-proxy keeps (testdata/openredirects.txt): every trick in it has its
place here, in parts that are combined with one another.
"""

from __future__ import annotations

from itertools import product

_EVIL = "evil.example"

#: What makes a browser, a proxy or a sloppy check see a host where the others see a path.
_OPENERS = [
    *("/" * count for count in range(1, 7)),
    *("\\" * count for count in range(1, 4)),
    *(
        "/\\",
        "\\/",
        "/\\/",
        "//\\",
        "///\\",
        "/\\\\",
        "/;",
        "///;",
        "//\\;",
        "////\\;",
        "/.",
        "/./\\",
        "/../\\",
    ),
    *(f"/{blank}{slash}" for blank in "\t\n\r\v\f \x00\x1f\x85\u2028" for slash in "/\\"),
    *("\t//", " //", "\x01//", "/\t\t/\t/", "/\t/\t\\", "\r\n//", "/\n\t/"),
    *(
        "/%09/",
        "//%09/",
        "///%09/",
        "////%09/",
        "/%5c",
        "//%5c",
        "///%5c",
        "////%5c",
        "/%2f",
        "/%2f/",
        "/%2f%2f",
    ),
    *(
        "/%2f%5c%2f",
        "/%252f%252f",
        "/%0a/",
        "/%0d/",
        "/%00/",
        "/%20/",
        "/%c0%af",
        "/%e2%80%a8/",
        "%2f%2f",
        "%5c%5c",
    ),
    *("/x/..//", "/x/../\\", "/.//", "/..//", "/%2e%2e//", "//%2e/", "/..;//", "/x//"),
    *("http://", "https://"),
    *("http:", "https:", "http:/", "https:/", "http:\\", "https:\\\\", "http:///", "https:////", "HtTpS:"),
    *(
        "h\tttps://",
        "https\n://",
        "\x19https://",
        "https%3a//",
        "https:%2f%2f",
        "https:/%5c/",
        "https://%09/",
    ),
    *(
        "/https://",
        "/https:///",
        "//https:///",
        "//https://",
        "/http:",
        "/https:/%5c",
        "/https://%5c",
        "///https:",
    ),
    *("ftp://", "file://", "ws://", "blob:https://", "filesystem:https://", "view-source:https://"),
    *(
        "\u3031",
        "\u3035",
        "\u30fd",
        "\u309d",
        "\u30fc",
        "\uff70",
        "/\u3033",
        "\u2215",
        "/\u2044",
        "\uff0f\uff0f",
    ),
    *(
        "/\uff3c",
        "\ufe68\ufe68",
        ".",
        "@",
        ":",
        ";",
        "?",
        "#",
        "//?",
        "//#",
        "/%23",
        "~",
        "-",
        "",
        "&",
        "=",
        "*",
    ),
]
#: The host, also as part of what only seems to be the site, and as numbers (203.0.113.9).
_HOSTS = [
    _EVIL,
    f"app.example.com@{_EVIL}",
    f"app.example.com.{_EVIL}",
    f"user:pass@{_EVIL}:80",
    f"app.example.com+@{_EVIL}",
    f"app.example.com%40{_EVIL}",
    f"app.example.com\\@{_EVIL}",
    f"app.example.com\t@{_EVIL}",
    f"app.example.com#@{_EVIL}",
    f"XY>.7\\d8T\\2@{_EVIL}",
    "evil\u3002example",
    "evil%E3%80%82example",
    "\u24d4vil.example",
    "evil%00.example",
    "3405803785",
    "0xcb007109",
    "0313.0.0161.011",
    "0xcb.0.28937",
    "00313.0x0.0000161.00000011",
    "472.257.369.265",
    "[::ffff:203.0.113.9]",
    "[::203.0.113.9]",
    "xn--evl-cua.example",
]
_TAILS = [
    "",
    "/",
    "/%2e%2e",
    "/%2f..",
    "/..;/",
    "?app.example.com",
    "#/sso",
    "%23.app.example.com",
]

#: Nothing to do with a host: code, data, and a header of the attacker's own.
_OTHERS = [
    *(
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "java%0d%0ascript%0d%0a:alert(0)",
    ),
    *(
        "\x01javascript:alert(1)",
        "%19javascript:alert(1)",
        "javascript://app.example.com/%0aalert(1)",
        "/%09/javascript:alert(1)",
    ),
    *(
        "//javascript:alert(1)",
        "/javascript:alert(1)//",
        "javascript&colon;alert(1)",
        "jav&#97;script:alert(1)",
        '";alert(0);//',
    ),
    *(
        "<>javascript:alert(1);",
        "data:text/html,<script>alert(1)</script>",
        "data:text/html;base64,PHA+",
        "vbscript:x",
    ),
    *(
        "/%0d%0aLocation: //evil.example",
        "/\r\nLocation: //evil.example",
        "/%0aSet-Cookie:a=b",
        "/\u560d\u560aX: y",
    ),
    *(
        "/%E5%98%8D%E5%98%8ALocation:%2f%2fevil.example",
        '/"><script>alert(1)</script>',
        "/login?next=//evil.example",
    ),
    *(
        "/redirect?to=https://evil.example",
        "/sso/../../..//evil.example",
        "mailto:x@evil.example",
        "intent://x#Intent;end",
    ),
]


def payloads() -> list[str]:
    """Return all of them, without repetition, in a fixed order."""
    combined = [opener + host + tail for opener, host, tail in product(_OPENERS, _HOSTS[:4], _TAILS)]
    combined += [opener + host for opener, host in product(_OPENERS, _HOSTS[4:])]
    return [*dict.fromkeys(combined + _OTHERS)]
