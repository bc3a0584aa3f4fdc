"""For each claim of the threat model (.github/SECURITY.md): a change that makes it false, and who notices.

`old` stands in the file exactly once; with `new` in its place the test fails, and is no error.
When code moves, adapt `old` and `new` here; when a claim goes, its row in SECURITY.md goes with it.
"""

from __future__ import annotations

from typing import NamedTuple


class Breakage(NamedTuple):
    """One change of the package that makes one claim false.

    Attributes:
        threat: the number of the row in SECURITY.md.
        path: the file to change.
        old: text that is in it exactly once.
        new: what to put in its place.
        test: the test that fails then.
    """

    threat: str
    path: str
    old: str
    new: str
    test: str


PACKAGE = "sso_middleware"
ANSWERS = "tests/gate/test_answers.py"
CLAIMS = "tests/threats/test_claims.py"
EMAIL = "tests/helpdesk/test_email.py"
EVENTS = "tests/gate/test_events.py"
HELPDESK = "tests/helpdesk/test_helpdesk.py"
INVISIBLE = "tests/test_invisible.py"
TRACKERS = "tests/test_error_trackers.py"
INTERCEPTION = "tests/gate/test_interception.py"
LOGIN_LOGOUT = "tests/gate/test_login_logout.py"
RESOLVERS = "tests/adapters/test_resolvers.py"
SANDBOX = "tests/sandbox/test_sandbox.py"
VERIFIER = "tests/sandbox/test_verifier.py"

ASSERTION = "tests/resolvers/test_assertion.py"
BOTTLE = "tests/resolvers/test_bottle.py"
COMBINING = "tests/resolvers/test_combining.py"
DJANGO = "tests/django/test_django_users.py"
DJANGO_IDENTITY = "tests/django/test_django_identity.py"
DJANGO_OUTSIDE = "tests/django/test_django_outside.py"
FLASK = "tests/resolvers/test_flask.py"
PROXY = "tests/resolvers/test_proxy.py"
STARLETTE = "tests/resolvers/test_starlette.py"
VERIFICATION = "tests/resolvers/test_verification.py"

BREAKAGES = [
    # --- The token -------------------------------------------------------------------------------------
    Breakage(  # guessed
        "T1",
        f"{PACKAGE}/helpdesk.py",
        "secrets.token_bytes(16).hex()",
        "__import__('random').randbytes(16).hex()",
        f"{CLAIMS}::test_no_seed_repeats_a_jti",
    ),
    Breakage(  # drawn twice: made of what forked workers share
        "T1",
        f"{PACKAGE}/helpdesk.py",
        "secrets.token_bytes(16).hex()",
        "f'{time.time_ns() // 10**6:032x}'",
        f"{HELPDESK}::TestUniqueness::test_forked_workers",
    ),
    Breakage(
        "T1",
        f"{PACKAGE}/helpdesk.py",
        "secrets.token_bytes(16).hex()",
        "f'{time.time_ns() // 10**6:032x}'",
        f"{HELPDESK}::TestUniqueness::test_threads",
    ),
    Breakage(
        "T2",
        f"{PACKAGE}/settings.py",
        "SHORTEST_TOKEN = 32",
        "SHORTEST_TOKEN = 0",
        f"{HELPDESK}::TestShortToken::test_one_warning_at_construction",
    ),
    Breakage(
        "T2",
        f"{PACKAGE}/settings.py",
        "if sso_token() != sso_token().strip():",
        "if False:",
        f"{HELPDESK}::TestSettings::test_wrong",
    ),
    Breakage(
        "T2",
        f"{PACKAGE}/settings.py",
        "return HS256.prepare_key(sso_token())",
        "return sso_token().encode()",
        f"{HELPDESK}::TestSettings::test_keys_of_other_kinds",
    ),
    Breakage(
        "T2",
        f"{PACKAGE}/text.py",
        '"Cc", "Cf", "Cs"',
        '"Cc", "Cs"',
        f"{INVISIBLE}::test_account",
    ),
    Breakage(
        "T2",
        f"{PACKAGE}/settings.py",
        "if _COPIED_LINE.match(sso_token()):",
        "if False:",
        f"{INVISIBLE}::test_whole_line",
    ),
    Breakage(
        "T3",
        f"{PACKAGE}/helpdesk.py",
        '"alg":"HS256"',
        '"alg":"none"',
        f"{HELPDESK}::TestHandoff::test_claims",
    ),
    Breakage(
        "T3",
        f"{PACKAGE}/helpdesk.py",
        '"sha256"',
        '"md5"',
        f"{HELPDESK}::TestHandoff::test_verified_by_another_implementation",
    ),
    Breakage(
        "T4",
        f"{PACKAGE}/helpdesk.py",
        "iat = int(time.time()) - self.backdate",
        "iat = int(time.time()) + 30 - self.backdate",
        f"{ANSWERS}::TestHandOff::test_signed_in_visitor_is_handed_off",
    ),
    Breakage(
        "T4",
        f"{PACKAGE}/helpdesk.py",
        "iat = int(time.time()) - self.backdate",
        "iat = int(time.time())",
        f"{HELPDESK}::TestHandoff::test_backdate",
    ),
    Breakage(
        "T4",
        f"{PACKAGE}/settings.py",
        "LONGEST_BACKDATE = 30",
        "LONGEST_BACKDATE = 3600",
        f"{HELPDESK}::TestSettings::test_wrong",
    ),
    Breakage(
        "T5",
        f"{PACKAGE}/sandbox/replays.py",
        "return _digest(jti) in self._digests",
        "return False",
        f"{VERIFIER}::test_replay",
    ),
    Breakage(
        "T5",
        f"{PACKAGE}/gate.py",
        "handoff = helpdesk.handoff(email())",
        "handoff = self.__dict__.setdefault(email(), helpdesk.handoff(email()))",
        f"{ANSWERS}::TestHandOff::test_each_hand_off_is_new",
    ),
    # --- Who it is -------------------------------------------------------------------------------------
    Breakage(
        "T6",
        f"{PACKAGE}/resolvers/verification.py",
        "if not is_verified:",
        "if False:",
        f"{VERIFICATION}::TestVerified::test_not_set",
    ),
    Breakage(
        "T6",
        f"{PACKAGE}/resolvers/verification.py",
        'return text.lower() == "true" or _is_moment(text)',
        "return bool(text)",
        f"{VERIFICATION}::TestVerified::test_not_set",
    ),
    Breakage(
        "T6",
        f"{PACKAGE}/resolvers/starlette.py",
        "def session_email(*keys: str, verified: Verified)",
        "def session_email(*keys: str, verified: Verified = True)",
        f"{VERIFICATION}::TestSetting::test_obligatory",
    ),
    Breakage(
        "T7",
        f"{PACKAGE}/resolvers/verification.py",
        'raise HandoffRefused("inactive")',
        "pass",
        f"{FLASK}::test_inactive_user",
    ),
    Breakage(
        "T7",
        f"{PACKAGE}/resolvers/django.py",
        "if is_signed_in(user)",
        "if user.is_authenticated",
        f"{DJANGO}::TestWhoMayGo::test_an_inactive_user_is_refused",
    ),
    Breakage(
        "T7",
        f"{PACKAGE}/resolvers/verification.py",
        'flag_of(user, "is_active")',
        "True",
        f"{VERIFICATION}::TestSession::test_inactive",
    ),
    Breakage(  # a line break at the end
        "T8",
        f"{PACKAGE}/addresses.py",
        "_ADDRESS.fullmatch(email)",
        "_ADDRESS.match(email)",
        f"{EMAIL}::test_refused",
    ),
    Breakage(  # a lookalike becomes somebody else's address
        "T8",
        f"{PACKAGE}/addresses.py",
        "email = value if",
        "email = __import__('unicodedata').normalize('NFKC', value) if",
        f"{EMAIL}::test_refused",
    ),
    Breakage(
        "T8",
        f"{PACKAGE}/addresses.py",
        "return email\n",
        "return email.lower()\n",
        f"{EMAIL}::test_accepted_verbatim",
    ),
    Breakage(
        "T9",
        f"{PACKAGE}/resolvers/combining.py",
        "            if email is not None:",
        "            if email:",
        f"{COMBINING}::TestFirstOf::test_address_missing",
    ),
    Breakage(
        "T9",
        f"{PACKAGE}/resolvers/combining.py",
        "            email = await call(resolver, Secret((source,)))\n            if",
        "            try:\n"
        "                email = await call(resolver, Secret((source,)))\n"
        "            except HandoffRefused:\n"
        "                continue\n"
        "            if",
        f"{COMBINING}::TestFirstOf::test_refusal_ends_the_search",
    ),
    Breakage(
        "T9",
        f"{PACKAGE}/resolvers/combining.py",
        'return email.rpartition("@")[2].lower() in allowed',
        "return email.lower().endswith((*allowed,))",
        f"{COMBINING}::TestRequire::test_only_domains",
    ),
    Breakage(
        "T10",
        f"{PACKAGE}/gate.py",
        "        except HandoffRefused as refusal:",
        "        except (KeyError, PermissionError):\n"
        "            return self._to_login(visit)\n"
        "        except HandoffRefused as refusal:",
        f"{ANSWERS}::TestResolverOutcomes::test_other_errors_propagate",
    ),
    Breakage(
        "T10",
        f"{PACKAGE}/gate.py",
        'return page("unavailable", visit.prefix, ("Retry-After", str(outage.retry_after)))',
        "return self._to_login(visit)",
        f"{ANSWERS}::TestResolverOutcomes::test_unavailable",
    ),
    Breakage(
        "T10",
        f"{PACKAGE}/resolvers/starlette.py",
        "return scope[key]",
        "return scope.get(key) or {}",
        f"{STARLETTE}::test_wrong_order",
    ),
    Breakage(
        "T11",
        f"{PACKAGE}/gate.py",
        "return self._to_helpdesk(visit, helpdesk, email)",
        'return self._to_helpdesk(visit, helpdesk, self.__dict__.setdefault("email", email))',
        f"{CLAIMS}::test_visitors_at_once_get_their_own_addresses",
    ),
    Breakage(
        "T11",
        f"{PACKAGE}/threads.py",
        "return await to_thread.run_sync(partial(function, *args), limiter=_own_limiter())",
        "loop = __import__('asyncio').get_running_loop()\n"
        "    return await loop.run_in_executor(None, partial(function, *args))",
        f"{RESOLVERS}::TestAsync::test_context_variables",
    ),
    Breakage(
        "T11",
        f"{PACKAGE}/django/middleware.py",
        'if not hasattr(request, "user") and hasattr(request, "auser"):',
        'if hasattr(request, "auser"):',
        f"{DJANGO_IDENTITY}::test_a_middleware_decides",
    ),
    Breakage(
        "T11",
        f"{PACKAGE}/resolvers/django.py",
        "if REMOTE_USER in names:",
        "if not names:",
        f"{DJANGO_OUTSIDE}::TestRemoteUser::test_construction",
    ),
    Breakage(
        "T12",
        f"{PACKAGE}/resolvers/django.py",
        '_WRITES = ("save", "create", "delete", "flush", "cycle_key")',
        "_WRITES = ()",
        f"{DJANGO}::TestEachSessionEngine::test_rotating_the_secret_key_signs_nobody_out",
    ),
    Breakage(
        "T12",
        f"{PACKAGE}/resolvers/bottle.py",
        'bottle.BaseRequest({"HTTP_COOKIE": environ.get("HTTP_COOKIE", "")})',
        "bottle.BaseRequest(environ)",
        f"{BOTTLE}::test_environ_is_only_read",
    ),
    Breakage(  # Bottle unpickles what is signed with nothing
        "T13",
        f"{PACKAGE}/resolvers/bottle.py",
        "secret=None if has_secret else",
        "secret=None if True else",
        f"{BOTTLE}::test_empty_secret",
    ),
    # --- The redirect ----------------------------------------------------------------------------------
    Breakage(
        "T14",
        f"{PACKAGE}/answers.py",
        '("Referrer-Policy", "no-referrer")',
        '("Referrer-Policy", "unsafe-url")',
        f"{ANSWERS}::TestHandOff::test_headers_of_a_redirect",
    ),
    Breakage(
        "T14",
        f"{PACKAGE}/answers.py",
        '("Cache-Control", "no-store, private")',
        '("Cache-Control", "private")',
        f"{ANSWERS}::TestPages::test_headers_of_a_page",
    ),
    Breakage(
        "T14",
        f"{PACKAGE}/answers.py",
        '*filter(_may_be_added, more)], b"")',
        "*filter(_may_be_added, more)], location.encode())",
        f"{ANSWERS}::TestHandOff::test_headers_of_a_redirect",
    ),
    Breakage(
        "T15",
        f"{PACKAGE}/answers.py",
        "return Answer(303,",
        "return Answer(307,",
        f"{ANSWERS}::TestMethods::test_post_becomes_get",
    ),
    Breakage(
        "T16",
        f"{PACKAGE}/urls.py",
        "return _PLAIN_PREFIX.fullmatch(prefix) is not None",
        "return True",
        f"{ANSWERS}::TestHostileMountPrefixes::test_no_login_redirect",
    ),
    Breakage(
        "T17",
        f"{PACKAGE}/gate.py",
        "here = encode_path(visit.public_path)",
        'here = (visit.header("X-Forwarded-Host") or "") + encode_path(visit.public_path)',
        f"{LOGIN_LOGOUT}::TestLogin::test_nothing_of_the_request",
    ),
    Breakage(
        "T17",
        f"{PACKAGE}/urls.py",
        'if value.startswith("//"):',
        "if False:",
        f"{LOGIN_LOGOUT}::TestLogin::test_wrong_login_url",
    ),
    Breakage(
        "T18",
        f"{PACKAGE}/logout.py",
        "_FIELD_VALUE.fullmatch(value)",
        "_FIELD_VALUE.match(value)",
        f"{LOGIN_LOGOUT}::TestLogout::test_unusable_headers",
    ),
    Breakage(
        "T18",
        f"{PACKAGE}/urls.py",
        'return quote(path, safe=_PCHAR, errors="replace")',
        "return path",
        f"{CLAIMS}::test_a_path_splits_no_header",
    ),
    Breakage(
        "T19",
        f"{PACKAGE}/interception.py",
        "self.relative[path] = purpose",
        'self.relative[path] = self.relative[path + "/"] = purpose',
        f"{INTERCEPTION}::test_nothing_is_normalised",
    ),
    Breakage(
        "T19",
        f"{PACKAGE}/asgi.py",
        'path.startswith(f"{prefix}/")',
        "path.startswith(prefix)",
        f"{INTERCEPTION}::TestAppRelativePaths::test_root_path_is_taken_off_on_a_segment_boundary",
    ),
    Breakage(
        "T20",
        f"{PACKAGE}/settings.py",
        '"auth_url": url_problem(auth_url, allow_http=http)',
        '"auth_url": url_problem(auth_url, allow_http=True)',
        f"{HELPDESK}::TestSettings::test_wrong",
    ),
    Breakage(
        "T20",
        f"{PACKAGE}/loop.py",
        '"; Secure" if secure else ""',
        '""',
        f"{LOGIN_LOGOUT}::TestLoop::test_cookie",
    ),
    # --- Other sites in the browser --------------------------------------------------------------------
    Breakage(
        "T21",
        f"{PACKAGE}/answers.py",
        '    "Sec-Purpose": ({"prefetch"}',
        '    "Sec-Purpose": ({"something else"}',
        f"{ANSWERS}::TestSpeculation::test_speculative_visit_makes_no_token",
    ),
    Breakage(
        "T21",
        f"{PACKAGE}/gate.py",
        'if visit.method == "HEAD":',
        "if False:",
        f"{ANSWERS}::TestMethods::test_head_makes_no_token",
    ),
    Breakage(
        "T22",
        f"{PACKAGE}/answers.py",
        'return None if own_frame and own_frames else "embedded"',
        "return None",
        f"{ANSWERS}::TestFetchMetadata::test_fetched_or_embedded_makes_no_token",
    ),
    Breakage(
        "T22",
        f"{PACKAGE}/answers.py",
        '"Upgrade": ({"websocket"}',
        '"Upgrade": ({"something else"}',
        f"{ANSWERS}::TestWebSocket::test_handshake",
    ),
    Breakage(
        "T22",
        f"{PACKAGE}/answers.py",
        '("X-Content-Type-Options", "nosniff"),',
        '("X-Content-Type-Options", "nosniff"), ("Access-Control-Allow-Origin", "*"),',
        f"{CLAIMS}::test_every_answer_is_unreadable_to_other_origins",
    ),
    Breakage(
        "T22",
        f"{PACKAGE}/answers.py",
        '("Cross-Origin-Resource-Policy", "same-origin")',
        '("Cross-Origin-Resource-Policy", "cross-origin")',
        f"{ANSWERS}::TestHandOff::test_headers_of_a_redirect",
    ),
    Breakage(
        "T23",
        f"{PACKAGE}/gate.py",
        "email = Secret(check_email(answered()))",
        'email = Secret(check_email(visit.header("From") or answered()))',
        f"{CLAIMS}::test_a_strangers_page_chooses_and_reads_nothing",
    ),
    Breakage(
        "T24",
        f"{PACKAGE}/gate.py",
        "if answer := self._without_a_person(visit, own_frames=False):",
        "if answer := None:",
        f"{LOGIN_LOGOUT}::TestLogout::test_speculative_or_embedded",
    ),
    Breakage(
        "T24",
        f"{PACKAGE}/gate.py",
        "self._without_a_person(visit, own_frames=False)",
        "self._without_a_person(visit, own_frames=True)",
        f"{LOGIN_LOGOUT}::TestLogout::test_frame",
    ),
    Breakage(
        "T25",
        f"{PACKAGE}/answers.py",
        "f\"{prefix if is_plain_prefix(prefix) else ''}/\"",
        'f"{prefix}/"',
        f"{ANSWERS}::TestPages::test_link_never_carries_another",
    ),
    Breakage(
        "T25",
        f"{PACKAGE}/errors.py",
        "_REASON.fullmatch(reason)",
        "_REASON.match(reason)",
        "tests/docs/test_package.py::TestPublicNames::test_reason_of_a_refusal",
    ),
    Breakage(
        "T25",
        f"{PACKAGE}/pages.py",
        "default-src 'none'; style-src",
        "default-src *; style-src",
        f"{ANSWERS}::TestPages::test_headers_of_a_page",
    ),
    Breakage(
        "T26",
        f"{PACKAGE}/pages.py",
        "frame-ancestors 'none'",
        "frame-ancestors *",
        f"{ANSWERS}::TestPages::test_headers_of_a_page",
    ),
    # --- A proxy in front ------------------------------------------------------------------------------
    Breakage(
        "T27",
        f"{PACKAGE}/resolvers/proxy.py",
        "if networks and not _is_from(networks, received):",
        "if False:",
        f"{PROXY}::TestTrustedProxy::test_from_somebody_else",
    ),
    Breakage(
        "T27",
        f"{PACKAGE}/resolvers/proxy.py",
        "if not networks and secret is None:",
        "if False:",
        f"{PROXY}::TestSettings::test_neither",
    ),
    Breakage(
        "T27",
        f"{PACKAGE}/resolvers/headers.py",
        'if "," in value:',
        "if False:",
        f"{PROXY}::TestForgedBesideTheGenuine::test_refused",
    ),
    Breakage(
        "T27",
        f"{PACKAGE}/resolvers/proxy.py",
        "if not compare_digest(told.encode(), secret[1].encode()):",
        "if not secret[1].startswith(told):",
        f"{PROXY}::TestSecret::test_wrong_secret",
    ),
    Breakage(
        "T27",
        f"{PACKAGE}/resolvers/headers.py",
        'key.replace(b"_", b"-") == wanted',
        "key == wanted",
        f"{PROXY}::TestForgedBesideTheGenuine::test_lone_twin",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/assertion.py",
        'options={"require": _REQUIRED}',
        'options={"require": _REQUIRED, "verify_signature": False}',
        f"{ASSERTION}::TestForged::test_public_key_as_the_secret",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/assertion.py",
        "(?:RS|PS|ES)[0-9]{3}K?|EdDSA",
        "(?:RS|PS|ES|HS)[0-9]{3}K?|EdDSA",
        f"{ASSERTION}::TestSettings::test_wrong_setting",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/assertion.py",
        'options={"require": _REQUIRED}',
        'options={"require": _REQUIRED, "verify_aud": False}',
        f"{ASSERTION}::TestForged::test_claims_and_signature",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/assertion.py",
        '_REQUIRED = ["aud", "iss", "exp", "iat"]',
        '_REQUIRED = ["aud", "iss"]',
        f"{ASSERTION}::TestForged::test_claims_and_signature",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/assertion.py",
        'keys.find(head.get("kid"))',
        'KeyServer(head.get("jku") or jwks_url).find(head.get("kid"))',
        f"{ASSERTION}::TestForged::test_key_in_the_assertion",
    ),
    Breakage(
        "T28",
        f"{PACKAGE}/resolvers/keys.py",
        "build_opener(_NoRedirect, _InTime)",
        "build_opener(_InTime)",
        f"{ASSERTION}::TestKeyServerDown::test_redirect",
    ),
    # --- Availability ----------------------------------------------------------------------------------
    Breakage(
        "T29",
        f"{PACKAGE}/resolvers/keys.py",
        "self._next_attempt = self._clock() + _PAUSE",
        "self._next_attempt = self._clock()",
        f"{ASSERTION}::TestKeyServer::test_storm_over_time",
    ),
    Breakage(
        "T29",
        f"{PACKAGE}/resolvers/keys.py",
        "if key is None and self._is_down:",
        "if False:",
        f"{ASSERTION}::TestKeyServerDown::test_storm",
    ),
    Breakage(
        "T30",
        f"{PACKAGE}/resolvers/keys.py",
        "        if key is not None:\n            return key\n",
        "",
        f"{CLAIMS}::test_a_hanging_key_server_holds_up_nobody_whose_key_is_known",
    ),
    Breakage(
        "T31",
        f"{PACKAGE}/threads.py",
        "_THREADS = 8 ",
        "_THREADS = 9 ",
        f"{RESOLVERS}::TestConcurrency::test_eight_threads_per_event_loop",
    ),
    Breakage(
        "T31",
        f"{PACKAGE}/threads.py",
        "places = _places_of_this_loop()",
        "return await to_thread.run_sync(function, *args)",
        f"{RESOLVERS}::TestConcurrency::test_slow_resolvers_starve_nobody_else",
    ),
    Breakage(
        "T31",
        f"{PACKAGE}/threads.py",
        "if started.acquire(blocking=False):\n            places.give_back()",
        "places.give_back()",
        f"{RESOLVERS}::TestCancelled::test_asyncio",
    ),
    Breakage(
        "T32",
        f"{PACKAGE}/addresses.py",
        "if len(email) > _MAX_ADDRESS:",
        "if False:",
        f"{EMAIL}::test_refused",
    ),
    Breakage(
        "T32",
        f"{PACKAGE}/loop.py",
        r"(?:^|[;,])[ \t]*{COOKIE}",
        r"(?:^|[;,])[ \t;]*{COOKIE}",
        f"{CLAIMS}::test_a_hostile_cookie_costs_no_more_than_its_length",
    ),
    Breakage(
        "T33",
        f"{PACKAGE}/loop.py",
        "_LIMIT = 8",
        "_LIMIT = 9",
        f"{LOGIN_LOGOUT}::TestLoop::test_the_eighth_within_20_seconds",
    ),
    Breakage(
        "T33",
        f"{PACKAGE}/gate.py",
        "return self._refuse(visit, reason, error.reason)",
        "return self._to_login(visit)",
        f"{ANSWERS}::TestResolverOutcomes::test_unacceptable_address",
    ),
    Breakage(
        "T33",
        f"{PACKAGE}/loop.py",
        "if not 0 <= now - first <= _WINDOW:",
        "if False:",
        f"{LOGIN_LOGOUT}::TestLoop::test_outside_the_window",
    ),
    Breakage(
        "T34",
        f"{PACKAGE}/wsgi.py",
        "return self.app(environ, start_response)",
        "return self.app({**environ}, start_response)",
        f"{INTERCEPTION}::TestPassThrough::test_wsgi_miss",
    ),
    Breakage(
        "T34",
        f"{PACKAGE}/asgi.py",
        "return await self.app(scope, receive, send)",
        "return await self.app({**scope}, receive, send)",
        f"{INTERCEPTION}::TestPassThrough::test_asgi_miss",
    ),
    # --- Logs and secrets ------------------------------------------------------------------------------
    Breakage(
        "T35",
        f"{PACKAGE}/gate.py",
        'self._report("handed_off", None, visit, helpdesk.account_id, email, handoff.jti)',
        "pass",
        f"{EVENTS}::test_event_and_log_record",
    ),
    Breakage(
        "T35",
        f"{PACKAGE}/events.py",
        '"jti": event.jti,',
        '"jti": event.jti, "email": event.email,',
        f"{EVENTS}::test_no_log_holds_a_secret",
    ),
    Breakage(
        "T35",
        f"{PACKAGE}/events.py",
        "event.path if event.path.isprintable() else encode_path(event.path)",
        "event.path",
        f"{EVENTS}::test_path_cannot_break_the_log",
    ),
    Breakage(
        "T35",
        f"{PACKAGE}/events.py",
        "raised = type(error).__name__, ",
        "raised = repr(error), ",
        f"{EVENTS}::test_error_in_on_event",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/helpdesk.py",
        "return sign, len(key)",
        'return __import__("functools").partial(lambda _, payload: sign(payload), key), len(key)',
        f"{HELPDESK}::TestSecrets::test_helpdesk",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/helpdesk.py",
        "        del sso_token ",
        "        pass ",
        f"{HELPDESK}::TestSecrets::test_tracebacks_with_locals",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/helpdesk.py",
        '_shown = ("iat", "jti")',
        '_shown = ("iat", "jti", "token")',
        f"{HELPDESK}::TestSecrets::test_handoff_repr",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/secret.py",
        'raise TypeError(f"a {type(self)',
        'return object.__reduce_ex__(self, 2)\n        raise TypeError(f"a {type(self)',
        f"{HELPDESK}::TestSettings::test_no_pickle",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/addresses.py",
        'f"resolve_email returned {type(returned()).__name__}; ',
        'f"resolve_email returned {returned()!r}; ',
        f"{ANSWERS}::TestResolverOutcomes::test_something_else",
    ),
    Breakage(
        "T36",
        f"{PACKAGE}/callables.py",
        "        return settle(Secret(await function(*args())))",
        "        values = args()\n        return settle(Secret(await function(*values)))",
        f"{TRACKERS}::test_async_code",
    ),
    # --- Tools and supply chain ------------------------------------------------------------------------
    Breakage(
        "T37",
        f"{PACKAGE}/sandbox/guard.py",
        "elif self._allow_remote or self._is_ours(scope):",
        "elif True:",
        f"{SANDBOX}::test_foreign_names_are_refused",
    ),
    Breakage(
        "T38",
        f"{PACKAGE}/cli/url.py",
        '@click.argument("email")',
        '@click.argument("email")\n@click.option("--sso-token", expose_value=False)',
        f"{CLAIMS}::test_no_command_takes_a_secret_as_an_argument",
    ),
    Breakage(
        "T39",
        ".github/workflows/release.yml",
        "pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33",
        "pypa/gh-action-pypi-publish@release/v1",
        f"{CLAIMS}::test_every_action_is_pinned_by_its_hash",
    ),
    Breakage(
        "T39",
        ".github/workflows/release.yml",
        "permissions: {}",
        "permissions: write-all",
        f"{CLAIMS}::test_workflows_have_no_password_and_no_permission_to_spare",
    ),
    Breakage(
        "T39",
        ".ci/run",
        "/pip-audit ",
        "/true ",
        f"{CLAIMS}::test_ci_looks_for_known_holes",
    ),
]
