"""What differs between two states of a ruleset."""

import copy
import itertools

from hypothesis import given
from hypothesis import strategies as st

from hub.rulesets.bodies import (
    body_of,
    checksum,
    copied,
    marked_edited,
    meaning,
    named_alike,
    rules_of,
)
from hub.rulesets.diff import changes_between, diff


def words(rule) -> str:
    return f"does {rule.get('does')}"


def rule(key: str, does: object = 1, **more) -> dict:
    return {"id": key, "name": f"rule {key}", "does": does, **more}


def test_equal_rules_do_not_differ():
    assert diff([rule("a"), rule("b")], [rule("a"), rule("b")], words).is_empty


def test_added_removed_moved_and_changed_rules_are_told_apart():
    old = [rule("a"), rule("b"), rule("c"), rule("d")]
    new = [rule("c"), rule("a"), rule("b", 2), rule("e")]

    found = diff(old, new, words)

    assert [one.line for one in found.rules] == [
        "- 4. rule d: does 1",
        "↕ rule c: from place 3 to 1",
        "~ rule b: was “does 1”, is “does 2”",
        "+ 4. rule e: does 1",
    ]


def test_what_differs_is_told_member_by_member():
    old = [rule("a", "x"), rule("b")]
    new = [rule("a", "y", note="n"), rule("c")]

    found = diff(old, new, words)

    assert [one.text for one in found.rules] == [
        "- 2. rule b\n    does 1",
        '~ rule a\n    /does: "x" → "y"\n    /note: + "n"',
        "+ 2. rule c\n    does 1",
    ]


def test_a_changed_member_is_named_by_pointer():
    old = rule("a", when={"all": [{"field": "x", "value": 1}]})
    new = rule("a", when={"all": [{"field": "x", "value": 2}, {"field": "y"}]})

    (found,) = diff([old], [new], words).of("changed")

    assert [(one.op, one.pointer, one.before, one.after) for one in found.changes] == [
        ("replace", "/when/all/0/value", 1, 2),
        ("add", "/when/all/1", None, {"field": "y"}),
    ]


def test_the_place_is_not_a_change_of_its_own():
    assert diff([rule("a", position=10)], [rule("a", position=20)], words).is_empty


def test_true_and_one_are_different():
    assert not diff([rule("a", True)], [rule("a", 1)], words).is_empty


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values, json_values)
def test_applying_the_changes_gives_the_new_value(old, new):
    assert same(apply(copy.deepcopy(old), list(changes_between(old, new))), new)


@given(json_values)
def test_a_value_does_not_differ_from_itself(value):
    assert list(changes_between(value, copy.deepcopy(value))) == []


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_moving_what_is_told_as_moved_gives_the_new_order(old, new):
    found = diff([rule(one) for one in old], [rule(one) for one in new], words)

    moved = {one.id for one in found.of("moved")}
    stayed = [one for one in new if one not in moved]
    assert stayed == [one for one in old if one not in moved]
    assert bool(moved) == (list(old) != list(new))


def apply(value, changes):
    holder = {"": value}
    for change in changes:
        parts = [
            part.replace("~1", "/").replace("~0", "~") for part in change.pointer.split("/")[1:]
        ]
        place, last = holder, ""
        for part in parts:
            place = place[last]
            last = int(part) if isinstance(place, list) else part
        if change.op == "remove":
            del place[last]
        elif change.op == "add" and isinstance(place, list):
            place.insert(last, change.after)
        else:
            place[last] = change.after
    return holder[""]


def same(one, other) -> bool:
    return repr(sort(one)) == repr(sort(other))


def sort(value):
    if isinstance(value, dict):
        return {key: sort(value[key]) for key in sorted(value)}
    return [sort(one) for one in value] if isinstance(value, list) else value


# bodies


def numbered():
    count = itertools.count(1)
    return lambda: f"id-{next(count)}"


def test_a_body_gives_ids_and_places():
    body = body_of([{"name": "one"}, {"name": "two", "id": "kept"}], numbered())

    assert [(one["id"], one["position"]) for one in rules_of(body)] == [("id-1", 10), ("kept", 20)]


def test_a_second_rule_with_the_same_id_gets_its_own():
    body = body_of([{"id": "x"}, {"id": "x"}], numbered())

    assert [one["id"] for one in rules_of(body)] == ["x", "id-1"]


@given(st.lists(st.builds(rule, st.sampled_from("abc"), st.integers(0, 3)), max_size=4))
def test_making_a_body_twice_changes_nothing(rules):
    once = body_of(rules, numbered())

    assert checksum(body_of(rules_of(once), numbered())) == checksum(once)


def test_copies_have_ids_of_their_own_and_forget_their_template():
    (copy_,) = copied([rule("a", from_template={"template": "t"})], numbered())

    assert copy_["id"] == "id-1"
    assert "from_template" not in copy_


def test_editing_a_rule_of_a_template_marks_it():
    origin = {"template": "t", "version": 1, "key": "k"}
    before = [rule("a", from_template=origin), rule("b", from_template=origin)]
    after = [rule("a", 2, from_template=origin), rule("b", from_template=origin, position=90)]

    first, second = marked_edited(before, after)

    assert first["from_template"]["edited"] is True
    assert "edited" not in second["from_template"]


def test_rules_without_an_id_keep_that_of_their_name():
    given_ = [{"name": "rule a", "does": 5}, {"name": "new"}]

    first, second = named_alike([rule("a")], given_)

    assert first["id"] == "a"
    assert "id" not in second
    assert meaning(first) == {"name": "rule a", "does": 5}
