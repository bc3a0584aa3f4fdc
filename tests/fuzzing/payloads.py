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
        "/https://%09/",
        "/http://",
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
    # A host after nothing, after rubbish, or after what a check takes for the user's part.
    *("/\\/\\/", "\\/\\/", "<>//", "/<>//", "//%2fx", "/%2f%2f%2f", "https://.", "https://%5c", "https:///"),
    *("//;@", "///\\;@", "////\\;@", "http://;@", "https://:@", "//app.example.com@https:///"),
    # Encoded, for code that decodes percents or the escapes of a programming language once more.
    *("%68%74%74%70%73%3a%2f%2f", "/%68%74%74%70%73%3a%2f%2f", "%2568ttps://", "http%73://"),
    *(r"\u002f\u002f", r"/\u002f", r"\x2f\x2f", r"\57\57", r"\h\t\t\p\s\:\/\/", r"\u0068ttps:\x2f\57"),
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
    f"user@app.example.com@{_EVIL}",
    f"app.example.com+&@{_EVIL}#+@app.example.com",
    f"app.example.com:80%40{_EVIL}",
    f"app.example.com%2e{_EVIL}",
    "%65%76%69%6c%2e%65%78%61%6d%70%6c%65",
    "%65vil%2eexample",
    "evil\u3002example",
    "evil%E3%80%82example",
    "\u24d4vil.example",
    "evil%00.example",
    "3405803785",
    "0xcb007109",
    "0313.0.0161.011",
    "0xcb.0.28937",
    "00313.0x0.0000161.00000011",
    "0xcb.0x0.0x71.0x9",
    "0313.0x0.28937",
    "00313.28937",
    "user:pass@3405803785",
    "app.example.com@0xcb007109",
    "XY>.7d8T@[::ffff:203.0.113.9]",
    "472.257.369.265",
    "[::ffff:203.0.113.9]",
    "[::203.0.113.9]",
    "xn--evl-cua.example",
]
_TAILS = [
    "",
    "/",
    "//",
    "/%2e%2e",
    "/%2e%2e%2f",
    "/%2f..",
    "/%2f%2e%2e",
    "/..;/",
    "?app.example.com",
    "#/sso",
    "%23.app.example.com",
]
#: What lets the site itself stand where a host is looked for.
_SEEMING = [
    ":80#@app.example.com/",
    ":80?@app.example.com/",
    "\\@app.example.com",
    "\\.app.example.com",
    "\\tapp.example.com/",
    "/https://app.example.com/",
    "%2f%2f.app.example.com/",
    "%2f%3fapp.example.com",
    "%3f.app.example.com/",
    "%5c%5c.app.example.com/",
]

#: Nothing to do with a host: code, data, and a header of the attacker's own.
_OTHERS = [
    *("javascript:alert(1)", "javascript:alert(1);", "JavaScript:alert(1)", "java\tscript:alert(1)"),
    *(f"java{blank}script:alert(1)" for blank in ("%09", "%0a", "%0d", "%0d%0a", "%20", "%00")),
    *("java%0d%0ascript%0d%0a:alert(0)", "%19javascript:alert(1)", "\x01javascript:alert(1)"),
    *("javascript://app.example.com/%0aalert(1)", "javascript://%0aalert(1)"),
    *("javascript://app.example.com?%a0alert%281%29", "javascripT://any%0D%0A%0D%0Awindow.alert(1)"),
    *(
        "javascript://https://app.example.com/?z=%0Aalert(1)",
        "jaVAscript://app.example.com//%0d%0aalert(1);//",
    ),
    *("/%09/javascript:alert(1)", "/%5cjavascript:alert(1)", "//%5cjavascript:alert(1);"),
    *("//javascript:alert(1)", "/javascript:alert(1)//", '";alert(0);//', "<>javascript:alert(1);"),
    *(f"/x:1/:///{control}javascript:alert(1)/" for control in ("%01", "%00", "%0b", "%1f", "%7f", "\x01")),
    *("javascript&colon;alert(1)", "jav&#97;script:alert(1)", "jav%26%2397;script:alert(1)"),
    *("%6a%61%76%61%73%63%72%69%70%74%3aalert(1)", "%256aavascript%253aalert(1)"),
    "%19jav%09asc%09ript:https%20://app.example.com/%250aalert%25281%2529",
    *(
        r"\u006Aavascript:alert(1)",
        r"\u006A\u0061\u0076\u0061script\u003Aalert(1)",
        r"\u{6a}avascript:alert(1)",
    ),
    *(
        r"\x6Aavascript:alert(1)",
        r"\x6A\x61\x76\x61script\x3Aalert(1)",
        r"\152\141\166\141script\072alert(1)",
    ),
    *(r"\j\a\v\a\s\cript\:\alert\(1\)", r"ja\nva\tscript\r:alert(1)", r"\6a avascript:alert(1)"),
    *("data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHA+", "vbscript:x"),
    "data:app.example.com;text/html;charset=UTF-8,<iframe/src=x>y</iframe>",
    *("/%0d%0aLocation: //evil.example", "/\r\nLocation: //evil.example", "/%0aSet-Cookie:a=b"),
    *("/\u560d\u560aX: y", "/%E5%98%8D%E5%98%8ALocation:%2f%2fevil.example"),
    '/"><script>alert(1)</script>',
    *(
        f"{path}?next={address}&url={address}&redirect_uri={address}"
        for path in ("/", "/login")
        for address in ("//evil.example", "/\\/evil.example", "Https://evil.example")
    ),
    *("/redirect?to=https://evil.example", "/away/false?wanted=http://evil.example"),
    *("/sso/../../..//evil.example", "mailto:x@evil.example", "intent://x#Intent;end"),
]


def payloads() -> list[str]:
    """Return all of them, without repetition, in a fixed order."""
    combined = [opener + host + tail for opener, host, tail in product(_OPENERS, _HOSTS[:4], _TAILS)]
    combined += [opener + host for opener, host in product(_OPENERS, _HOSTS[4:])]
    combined += [opener + _EVIL + tail for opener, tail in product(_OPENERS, _SEEMING)]
    return [*dict.fromkeys(combined + _OTHERS)]
