"""Failed logins: a few are taken, then one waits; nothing grows without bound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.auth.attempts import AttemptLimits, LoginLimiter
from puddle.server.errors import TooMany

NOW = 1_800_000_000
WRONG, RIGHT = "ps_wrong", "ps_right"
TERMS = AttemptLimits(per_key="3 per minute", per_address="5 per minute", remembered=10)


def wait(limiter, key, address, now, secret=WRONG):
    """How long it says to wait; 0 where it lets the attempt pass."""
    try:
        limiter.check(key, secret, address, now)
    except TooMany as refused:
        return refused.meta["retry_after"]
    return 0


def test_after_so_many_failures_a_key_waits_until_the_oldest_is_over():
    limiter = LoginLimiter(TERMS)
    for second in (0, 10, 20):
        limiter.check("pk_1", WRONG, "10.0.0.1", NOW + second)
        limiter.failed("pk_1", WRONG, "10.0.0.1", NOW + second)
    assert wait(limiter, "pk_1", "10.0.0.2", NOW + 20) == 40
    assert wait(limiter, "pk_1", "10.0.0.2", NOW + 59) == 1
    assert wait(limiter, "pk_1", "10.0.0.2", NOW + 60) == 0
    assert wait(limiter, "pk_2", "10.0.0.1", NOW + 20) == 0


def test_an_address_that_tries_many_keys_waits_for_all_of_them():
    limiter = LoginLimiter(TERMS)
    for number in range(5):
        limiter.failed(f"pk_{number}", WRONG, "10.0.0.1", NOW)
    assert wait(limiter, "pk_9", "10.0.0.1", NOW) == 60
    assert wait(limiter, "pk_9", "10.0.0.2", NOW) == 0


def test_a_success_forgives_the_key_and_not_the_address():
    limiter = LoginLimiter(TERMS)
    for key in ("pk_1", "pk_1", "pk_1", "pk_2"):
        limiter.failed(key, WRONG, "10.0.0.1", NOW)
    limiter.succeeded("pk_1", RIGHT)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW) == 0
    limiter.failed("pk_3", WRONG, "10.0.0.1", NOW)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW) == 60
    assert wait(limiter, "pk_1", "10.0.0.2", NOW) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:2"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0:0::1", "2001:db8::2"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_addresses_of_one_client_count_together(one, other):
    limiter = LoginLimiter(TERMS)
    for number in range(5):
        limiter.failed(f"pk_{number}", WRONG, one, NOW)
    assert wait(limiter, "pk_9", other, NOW) == 60
    assert wait(limiter, "pk_9", "2001:db8:0:1::1", NOW) == 0


@given(st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200), st.integers(0, 90)), max_size=40))
@settings(max_examples=30)
def test_memory_is_bounded_whatever_strangers_make_up(failures):
    limiter, now = LoginLimiter(TERMS), NOW
    for key, address, later in failures:
        now += later
        limiter.failed(key, WRONG, address, now)
        for windows, most in ((limiter._keys, 3), (limiter._addresses, 5)):
            assert len(windows) <= 10
            assert all(len(subject) <= 128 and len(times) <= most for subject, times in windows._times.items())
            assert all(times[-1] > now - 60 for times in windows._times.values())


def test_strangers_keys_do_not_make_it_forget_their_address():
    limiter = LoginLimiter(TERMS)
    for number in range(100):
        limiter.failed(f"pk_{number}", WRONG, "10.0.0.1", NOW)
    assert wait(limiter, "pk_new", "10.0.0.1", NOW) == 60


def test_the_refusal_says_how_long_to_wait():
    limiter = LoginLimiter(AttemptLimits(per_key="1 per minute"))
    limiter.failed("pk_1", WRONG, "10.0.0.1", NOW)
    with pytest.raises(TooMany, match="try again in 60 seconds"):
        limiter.check("pk_1", WRONG, "10.0.0.1", NOW)


def test_nobody_is_locked_out_by_others_who_has_logged_in_before():
    """Neither by failures in their name nor by those of a neighbour behind the same address."""
    limiter = LoginLimiter(TERMS)
    limiter.succeeded("pk_1", RIGHT)
    for number in range(10):
        limiter.failed("pk_1", WRONG, f"10.0.0.{number}", NOW)
        limiter.failed(f"pk_{number}", WRONG, "10.0.0.1", NOW)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW, RIGHT) == 0
    assert wait(limiter, "pk_1", "10.0.0.1", NOW, WRONG) == 60
    assert wait(limiter, "pk_2", "10.0.0.1", NOW, RIGHT) == 60, "it is the secret of another key"


def test_a_secret_that_is_not_good_any_more_is_limited_like_all_others():
    limiter = LoginLimiter(TERMS)
    limiter.succeeded("pk_1", RIGHT)
    for _ in range(3):
        limiter.failed("pk_1", RIGHT, "10.0.0.1", NOW)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW, RIGHT) == 60


def test_as_many_good_secrets_are_remembered_as_keys():
    limiter = LoginLimiter(TERMS)
    for number in range(30):
        limiter.succeeded(f"pk_{number}", RIGHT)
    assert len(limiter._good._digests) == 10
    assert RIGHT not in repr(limiter._good._digests)


def test_a_clock_that_is_put_back_locks_nobody_out():
    """Nobody waits for the time to come again at which the clock was wrong."""
    limiter = LoginLimiter(TERMS)
    for _ in range(3):
        limiter.failed("pk_1", WRONG, "10.0.0.1", NOW)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW - 86_400) == 0
    for _ in range(3):
        limiter.failed("pk_1", WRONG, "10.0.0.1", NOW - 86_400)
    assert wait(limiter, "pk_1", "10.0.0.1", NOW - 86_400) == 60


def test_a_limit_that_cannot_be_read_stops_the_start():
    with pytest.raises(ValueError, match="often"):
        LoginLimiter(AttemptLimits(per_key="not too often"))
