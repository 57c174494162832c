"""What callers send: kept as it should be, or refused with field and rule."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.domain import validation as v
from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.patterns import Pattern
from puddle.server.domain.people import Limits
from puddle.server.errors import Invalid
from tests.effort import lines

OPTIONS = {"30 minutes": 30, "1 hour": 60, "Never": -1}
TYPE = InstanceType(id="t1", text="Small", cloud="local", cloud_name="s.small", price_micros=900_000)


def refused(field, function, *arguments, **named):
    """Assert that it is refused at that field; return the sentence."""
    with pytest.raises(Invalid) as caught:
        function(*arguments, **named)
    assert caught.value.meta["field"] == field
    assert caught.value.meta["rule"]
    return caught.value.sentence


@pytest.mark.parametrize("name", ["a", "a1", "1", "2nd-try", "my-system-2", "a" * 63])
def test_names_of_systems(name):
    assert v.system_name(name) == name


@pytest.mark.parametrize("name", ["", "a-", "-a", "-", "A", "a b", "a_b", "ä", "a" * 64, "a\n", " a", "a\0", "a\ud800"])
def test_names_that_machines_cannot_have(name):
    refused("name", v.system_name, name)


def test_an_installation_may_have_its_own_names_and_words_for_them():
    naming = v.Naming(pattern=Pattern("ds-[0-9]+"), description="is ds- and a number", most=10)
    assert v.system_name("ds-7", naming) == "ds-7"
    assert refused("name", v.system_name, "seven", naming) == "name is ds- and a number"
    refused("name", v.system_name, "ds-12345678", naming)


@given(st.text(max_size=60), st.booleans())
def test_a_text_is_plain_composed_and_trimmed_or_refused(value, several):
    try:
        kept = v.text("note", value, 40, lines=several)
    except Invalid:
        return
    assert len(kept) <= 40
    assert kept == kept.strip() == unicodedata.normalize("NFC", kept)
    assert v.text("note", kept, 40, lines=several) == kept
    assert kept.encode().decode() == kept
    assert not any(unicodedata.category(sign) == "Cc" and not (several and sign in "\n\t") for sign in kept)


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\r", "\n", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"])
def test_signs_that_forge_lines_or_turn_them_around_are_refused(sign):
    refused("name", v.snapshot_name, f"a{sign}b")


def test_a_description_has_lines_and_forgives_browsers_theirs():
    assert v.description("one\r\ntwo\tthree") == "one\ntwo\tthree"
    refused("description", v.description, "a\0b")
    refused("description", v.description, "x" * 1001)


def test_what_looks_the_same_is_the_same():
    assert v.snapshot_name("cafe\u0301") == v.snapshot_name("café")


@pytest.mark.parametrize(
    ("function", "field", "most"),
    [
        (v.snapshot_name, "name", 100),
        (v.key_name, "name", 100),
        (v.display_name, "display_name", 100),
        (v.reason, "reason", 500),
    ],
)
def test_texts_have_a_greatest_length(function, field, most):
    assert function("x" * most) == "x" * most
    refused(field, function, "x" * (most + 1))
    refused(field, function, "x" * 10**6)


@pytest.mark.parametrize("function", [v.snapshot_name, v.key_name])
def test_some_must_not_be_empty(function):
    refused("name", function, " ")


@pytest.mark.parametrize("name", ["ada", "Ada.L", "ada@example.com", "a_b-c+d9"])
def test_names_of_users(name):
    assert v.user_name(name) == name


@pytest.mark.parametrize("name", ["", "-ada", "ada.", "a b", "a\n", "a/b", "é", "x" * 65])
def test_names_users_cannot_have(name):
    refused("name", v.user_name, name)


@pytest.mark.parametrize("address", ["", "ada@example.com", "a+b@x", "o'neil@mail.example.org"])
def test_addresses(address):
    assert v.email(address) == address


@pytest.mark.parametrize("address", ["ada", "@x", "a@", "a b@x", "a@x@y", "a@x\nBcc: b@y", "a@.x", "x" * 250 + "@abcd"])
def test_addresses_nobody_has(address):
    refused("email", v.email, address)


@pytest.mark.parametrize("value", ["sys-1", "i-0abc", "arn:aws:x/y", "m5.large"])
def test_ids(value):
    assert v.identifier("id", value) == value


@pytest.mark.parametrize("value", ["", "a b", "a\0", "-a", "x" * 129, "a\n", "a;b"])
def test_ids_no_program_makes(value):
    refused("id", v.identifier, "id", value)


def test_groups_are_called_as_directories_call_them():
    assert v.group_name("groups", "CN=Data Science,OU=x") == "CN=Data Science,OU=x"
    refused("groups", v.group_name, "groups", "a\nb")
    refused("groups", v.group_name, "groups", "")


def test_disks_only_grow_and_have_an_end():
    assert v.disk_gb(50, most=100, least=50) == 50
    refused("disk_size_gb", v.disk_gb, 49, most=100, least=50)
    refused("disk_size_gb", v.disk_gb, 101, most=100)
    refused("disk_size_gb", v.disk_gb, 0, most=100)


def test_an_idle_interval_is_one_of_the_options():
    assert v.idle_minutes("minutes", 0, OPTIONS, 60) == 60
    assert v.idle_minutes("minutes", -1, OPTIONS, 60) == -1
    sentence = refused("minutes", v.idle_minutes, "minutes", 45, OPTIONS, 60)
    assert sentence == "minutes is one of 30 (30 minutes), 60 (1 hour), -1 (Never)"


def test_extensions_stay_within_the_cap():
    assert v.extension(480, 480) == 480
    refused("minutes", v.extension, 481, 480)
    refused("minutes", v.extension, 0, 480)
    assert "allows no extensions" in refused("minutes", v.extension, 1, 0)


def test_the_span_of_a_report():
    assert v.span(0, 1) == (0, 1)
    refused("end", v.span, 5, 5)
    refused("start", v.span, -1, 5)
    refused("end", v.span, 0, 2**60)


@pytest.mark.parametrize(("written", "kept"), [("0", 0), ("0.9", 900_000), ("0.000001", 1), ("1000000", 10**12)])
def test_prices(written, kept):
    assert v.price("price_decimal", written) == kept


@pytest.mark.parametrize(
    "written",
    ["", "-1", "1e5", "1E+999999999", "NaN", "Infinity", "0.0000001", "1_0", " 1", "١", "1000000.01", "9" * 30],
)
def test_prices_that_cannot_be_kept(written):
    refused("price_decimal", v.price, "price_decimal", written)


def test_limits_are_not_negative_and_an_empty_budget_is_none():
    assert v.limits(1, 2, 3, "50") == Limits(systems=1, running=2, cu=3, budget_micros=50_000_000)
    assert v.limits(0, 0, 0, "") == Limits()
    refused("limits.running", v.limits, 0, -1, 0, "")
    refused("limits.budget_per_month_decimal", v.limits, 0, 0, 0, "-1")


def test_a_key_is_valid_for_so_many_days():
    assert v.valid_days(0) == 0
    refused("valid_days", v.valid_days, -1)
    refused("valid_days", v.valid_days, 3651)


@pytest.mark.parametrize("config", ["", "a = 1\n[b.c]\nd = 'x'\n", "# é\n", "a" + ".a" * 15 + " = 1"])
def test_configurations_are_kept_as_they_are(config):
    assert v.config(config) == config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("a = \n", "line 1, column 5"),
        ("a = 1\na = 2\n", "line 2"),
        ("a\0 = 1", "line 1"),
        ("a = '\x1b'", "line 1"),
        ("\ud800", "surrogates"),
        ("a = " + "[" * 3000, "nested too deeply|line 1"),
        ("a = " + "9" * 5000, "too long"),
        ("#" + "x" * 65536, "65536 bytes"),
        ("#" + "é" * 40000, "65536 bytes"),
        ("a" + ".a" * 16 + " = 1", "16 parts"),
        ("[" + '"\\"" . ' * 16 + "a]", "16 parts"),
        ("x = {" + "'.'." * 16 + "a = 1}", "16 parts"),
    ],
)
def test_configurations_that_are_not_taken_say_where_and_why(config, words):
    assert re.search(words, refused("config", v.config, config))


@pytest.mark.parametrize(
    "config",
    [
        "a" + ".a" * 32000 + " = 1",
        "a" * 65000,
        ('"' + "a" * 60) * 1000,
        "a." * 15 + "a\n",
        ".".join(['"\\""'] * 13000) + " = 1",
        "".join(f"[{'a.' * 14}t{number}]\n{'b.' * 15}b = 1\n" for number in range(900)),
        '"' + '\\"' * 32000,
        "a " * 32000,
    ],
    ids=["deep", "word", "quotes", "short", "escapes", "many", "unclosed", "blanks"],
)
def test_no_configuration_takes_long(config):
    """Lines of Python grow with the characters, and not with their square."""

    def check():
        with suppress(Invalid):
            v.config(config)

    assert lines(check) < 60 * len(config)


def test_an_instance_type_is_kept_clean():
    given_type = replace(TYPE, text=" Small ", allowed_groups=("a", "a", "b"))
    assert v.instance_type(given_type, {"local"}) == replace(TYPE, allowed_groups=("a", "b"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": ""}, "text"),
        ({"cloud": "moon"}, "cloud"),
        ({"cloud_name": "a b"}, "cloud_name"),
        ({"price_micros": -1}, "price_decimal"),
        ({"vcpus": 0.0}, "vcpus"),
        ({"vcpus": float("nan")}, "vcpus"),
        ({"memory_gb": float("inf")}, "memory_gb"),
        ({"memory_gb": -1.0}, "memory_gb"),
        ({"gpu_count": -1}, "gpu_count"),
        ({"gpu_type": "x\n" * 2 + "y"}, "gpu_type"),
        ({"cu": -1}, "cu"),
        ({"allowed_groups": ("a\0",)}, "allowed_groups"),
        ({"allowed_groups": ("a",) * 101}, "allowed_groups"),
    ],
)
def test_an_instance_type_that_cannot_be(wrong, field):
    refused(field, v.instance_type, replace(TYPE, **wrong), {"local"})


@given(st.text(max_size=30))
@settings(max_examples=50)
def test_no_text_makes_a_check_fail_otherwise_than_by_refusing(value):
    for check in (v.system_name, v.user_name, v.email, v.key_name, v.description, v.config, v.reason):
        with suppress(Invalid):
            assert isinstance(check(value), str)
