"""Tags: what is asked, what is answered, and who has the last word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.catalog import Tag, TagStatus
from puddle.server.domain.tagging import MAX_TAGS, answers, definition
from puddle.server.errors import Invalid


def tag(label="team", **fields):
    return Tag(id=label, label=label, created=0, updated=0, **fields)


def test_the_administrator_wins_over_the_user_and_the_user_over_the_default():
    asked = [tag(label, default_value="default") for label in ("a", "b", "c")]
    typed = [("b", "user"), ("c", "user")]
    fixed = (("c", "fixed"), ("d", "fixed"))
    assert answers(typed, asked, fixed) == (("a", "default"), ("b", "user"), ("c", "fixed"), ("d", "fixed"))


VALUES = st.one_of(st.none(), st.sampled_from(["x", "y"]))


@given(VALUES, VALUES, VALUES, st.booleans())
def test_one_label_for_all_ways_to_answer_it(default, typed, fixed, required):
    asked = [tag(default_value=default or "", required=required)]

    def pairs(value):
        return (("team", value),) if value else ()

    best = fixed or typed or default
    if required and not best:
        with pytest.raises(Invalid, match="required"):
            answers(pairs(typed), asked, pairs(fixed))
    else:
        assert answers(pairs(typed), asked, pairs(fixed)) == pairs(best)


@pytest.mark.parametrize(
    ("asked", "value", "rule"),
    [
        (tag(input_type="number"), "twelve", "is a number"),
        (tag(input_type="number"), "1e5", "is a number"),
        (tag(input_type="number"), "١٢", "is a number"),
        (tag(input_type="number"), "1" * 31, "is a number"),
        (tag(pattern="[a-z]{2}"), "abc", "pattern"),
        (tag(pattern="a|b"), "ab", "pattern"),
        (tag(options=("red", "blue")), "green", "one of red, blue"),
        (tag(), "x" * 257, "256 characters"),
        (tag(), "a\nb", "control"),
        (tag(required=True), "  ", "required"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_by_its_label(asked, value, rule):
    with pytest.raises(Invalid, match=rule) as refused:
        answers([("team", value)], [asked])
    assert refused.value.meta["field"] == "tags.team"


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (tag(input_type="number"), "-0.5"),
        (tag(pattern="[a-z]{2}"), "ab"),
        (tag(options=("red", "blue")), "red"),
        (tag(), "Ünïcode 🎉"),
    ],
)
def test_an_answer_that_fits_is_kept(asked, value):
    assert answers([("team", value)], [asked]) == (("team", value),)


def test_an_empty_answer_is_none_and_takes_the_default():
    assert answers([("team", "")], [tag(default_value="x")]) == (("team", "x"),)
    assert answers([("team", "")], [tag()]) == ()


def test_labels_nobody_defined_are_refused_and_the_known_ones_told():
    with pytest.raises(Invalid, match="out of: cost, team"):
        answers([("tema", "x")], [tag(), tag("cost")])
    with pytest.raises(Invalid, match="no tag is defined"):
        answers([("team", "x")], [tag(status=TagStatus.DELETED, required=True)])


def test_a_label_is_answered_once():
    with pytest.raises(Invalid, match="once"):
        answers([("team", "x"), ("team", "x")], [tag()])


def test_there_are_not_too_many():
    many = [(f"t{number}", "x") for number in range(MAX_TAGS + 1)]
    with pytest.raises(Invalid, match="at most 40"):
        answers(many, [tag(label) for label, _ in many])
    with pytest.raises(Invalid, match="at most 40"):
        answers([], [tag(label, default_value="x") for label, _ in many])


def test_a_definition_is_kept_as_it_was_meant():
    given_tag = tag(" cost".strip(), options=(" red", "blue", "blue"), default_value="red ", pattern="[a-z]+")
    assert definition(given_tag) == replace(given_tag, options=("red", "blue"), default_value="red")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "-x"}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\n"}, "label"),
        ({"label": "Puddle-system"}, "label"),
        ({"label": "aws:x"}, "label"),
        ({"input_type": "date"}, "input_type"),
        ({"pattern": "(a"}, "pattern"),
        ({"pattern": r"(a)\1"}, "pattern"),
        ({"options": ("",)}, "options"),
        ({"options": ("x",) * 101}, "options"),
        ({"options": ("x",), "input_type": "number"}, "options"),
        ({"options": ("x", "1"), "pattern": "[a-z]"}, "options"),
        ({"options": ("x",), "default_value": "y"}, "default_value"),
        ({"pattern": "[a-z]", "default_value": "1"}, "default_value"),
    ],
)
def test_a_definition_that_cannot_be_answered_is_refused(wrong, field):
    with pytest.raises(Invalid) as refused:
        definition(replace(tag(), **wrong))
    assert refused.value.meta["field"] == field
