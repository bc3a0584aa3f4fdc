"""The verifier while the wall clock steps to and fro, under the application and the Help Desk alike.

Time proper runs on; the clock that both read is set forwards and backwards between and within hand-offs.
"""

from __future__ import annotations

import random
import tracemalloc

import pytest
from scale import scaled

from clients import AUTH_URL, DESK, SSO_TOKEN
from sso_middleware.sandbox import HandoffRejected, HandoffVerifier

pytestmark = pytest.mark.reliability

NOW = 1_800_000_000
FRESHNESS, LEEWAY = 60, 10
STEPS = [0, 1, 5, 30, 70, 1000, 86_400, -1, -5, -30, -69, -70, -71, -1000, -86_400]
WALKS = scaled(10, 50)
HAND_OFFS = scaled(3_000, 30_000)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def verifier_by(clock, **options):
    return HandoffVerifier(
        sso_token=SSO_TOKEN,
        account_id="4711",
        auth_url=AUTH_URL,
        freshness=FRESHNESS,
        leeway=LEEWAY,
        clock=clock,
        **options,
    )


def verdict(verifier, url):
    try:
        verifier.verify(url)
    except HandoffRejected as rejected:
        return rejected.code
    return "accepted"


def url_by(clock, number=0):
    return DESK.handoff(f"visitor-{number}@example.com", iat=int(clock())).url


@pytest.mark.parametrize("seed", range(WALKS))
def test_random_steps(seed):
    """However the clock steps, no hand-off is accepted twice, and none is lost that is fresh."""
    chance = random.Random(seed)
    clock = Clock()
    verifier = verifier_by(clock)
    furthest = clock.now
    used = []
    lost = accepted = 0
    for number in range(200):
        clock.now += chance.choice(STEPS)
        if chance.random() < 0.1:
            clock.now = furthest  # a time server has corrected it
        url, issued = url_by(clock, number), clock.now
        clock.now += chance.choice([0, 0, 1, FRESHNESS, -1, -LEEWAY])  # while the visitor is on the way
        furthest = max(furthest, clock.now)
        came_out = verdict(verifier, url)
        if came_out == "accepted":
            accepted += 1
            used.append(url)
        else:
            lost += 1
            assert came_out == "stale"
            assert furthest - issued > FRESHNESS + LEEWAY
        for replay in chance.sample(used, min(4, len(used))):
            assert verdict(verifier, replay) in ("replayed", "stale")
    for clock.now in (NOW, furthest, *(furthest - step for step in (1, 60, 70, 71, 1000, 86_400))):
        assert {verdict(verifier, url) for url in used} <= {"replayed", "stale"}
    assert accepted > 20
    assert lost > 20


@pytest.mark.parametrize("step", [-1, -LEEWAY, -FRESHNESS, -FRESHNESS - LEEWAY])
def test_step_back_within_freshness_and_leeway(step):
    """A step back by no more than freshness and leeway loses no hand-off, before, across or after it."""
    clock = Clock()
    verifier = verifier_by(clock)
    assert verdict(verifier, url_by(clock)) == "accepted"
    across = url_by(clock)
    clock.now += step
    assert verdict(verifier, across) == "accepted"
    for _ in range(-step + 1):  # until time is where it was
        url = url_by(clock)
        assert verdict(verifier, url) == "accepted"
        assert verdict(verifier, url) == "replayed"
        assert verdict(verifier, across) == "replayed"
        clock.now += 1


def test_step_back_before_the_first_hand_off():
    """A verifier that has seen nothing yet tolerates a step back by the leeway, and no more."""
    clock = Clock()
    urls = [url_by(clock), url_by(clock)]
    clock.now -= LEEWAY
    assert verdict(verifier_by(clock), urls[0]) == "accepted"
    clock.now -= 1
    assert verdict(verifier_by(clock), urls[1]) == "issued_in_future"


def test_step_far_back_lasts_until_time_has_caught_up():
    """Further back hand-offs are refused, nothing is reopened, and all is well once time has caught up."""
    clock = Clock()
    verifier = verifier_by(clock)
    used = url_by(clock)
    assert verdict(verifier, used) == "accepted"
    clock.now -= 1000
    while clock.now < NOW - FRESHNESS - LEEWAY:
        assert verdict(verifier, url_by(clock)) == "stale"
        assert verdict(verifier, used) == "replayed"
        clock.now += 10
    for _ in range(20):
        assert verdict(verifier, url_by(clock)) == "accepted"
        assert verdict(verifier, used) in ("replayed", "stale")
        clock.now += 10


@pytest.mark.parametrize("step", [FRESHNESS, FRESHNESS + LEEWAY, 1000, 86_400 * 365])
def test_step_forwards(step):
    """A step forwards loses at most what was on the way, and never again opens what was used before."""
    clock = Clock()
    verifier = verifier_by(clock)
    used, on_the_way = url_by(clock), url_by(clock)
    assert verdict(verifier, used) == "accepted"
    clock.now += step
    expected = "accepted" if step <= FRESHNESS + LEEWAY else "stale"
    assert verdict(verifier, on_the_way) == expected
    assert verdict(verifier, url_by(clock)) == "accepted"
    clock.now -= step  # a time server corrects it
    assert verdict(verifier, used) in ("replayed", "stale")
    assert verdict(verifier, on_the_way) in ("replayed", "stale")


def test_memory():
    """What is remembered of used hand-offs is purged as time goes on, whatever steps the clock makes."""
    clock = Clock()
    verifier = verifier_by(clock)
    chance = random.Random(1)
    sizes = []
    tracemalloc.start()
    try:
        for number in range(HAND_OFFS):
            if number % 2 == 0:
                clock.now += 1
            if number % 100 == 0:
                clock.now += chance.choice([-30, -1, 0, 5, 30])
            if number % (HAND_OFFS // 10) == 0:
                sizes.append(tracemalloc.get_traced_memory()[0])
            assert verdict(verifier, url_by(clock, number)) == "accepted"
    finally:
        tracemalloc.stop()
    window = 2 * (FRESHNESS + LEEWAY)  # hand-offs of which a replay must be told
    assert max(sizes) - sizes[1] < 700 * window, sizes  # bytes


def test_memory_is_bounded_while_the_clock_stands_still():
    """With as many remembered as may be, more are refused and none forgotten, until time goes on."""
    clock = Clock()
    verifier = verifier_by(clock, remembered=100)
    used = [url_by(clock, number) for number in range(100)]
    assert {verdict(verifier, url) for url in used} == {"accepted"}
    for step in (0, -1, -30, FRESHNESS + LEEWAY):
        clock.now = NOW + step
        assert verdict(verifier, url_by(clock)) == "replayed"
        assert {verdict(verifier, url) for url in used} == {"replayed"}
    clock.now = NOW + FRESHNESS + LEEWAY + 1
    assert {verdict(verifier, url_by(clock, number)) for number in range(100)} == {"accepted"}
    assert {verdict(verifier, url) for url in used} == {"stale"}
    clock.now = NOW
    assert {verdict(verifier, url) for url in used} == {"stale"}
