"""Texts and patterns searched many at a time: always what one search each would find."""

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules import finders
from hub.rules.finders import Finder, Grams, PatternSets, Rebuild
from hub.rules.text import Pattern, PatternRefused, literal_of

ATOMS = st.sampled_from(
    ["abc", "a", "B", ".", r"\d", r"\bfoo", "[a-c]", "[^]x]", "(bar)", "(?:ba|r)", "^", "$",
     r"\.", "é", "(?P<n>baz)", r"\x41", r"\pL", "[[:alpha:]]", "(a(bcd)e)"]
)  # fmt: skip
QUANTIFIED = st.builds(
    str.__add__, ATOMS, st.sampled_from(["", "", "", "+", "*", "?", "{2}", "{0,2}"])
)
PATTERNS = st.builds(
    lambda parts, glue: glue.join(parts), st.lists(QUANTIFIED, min_size=1, max_size=5),
    st.sampled_from(["", "", "", "|"]),
)  # fmt: skip
TEXTS = st.text(st.sampled_from("abcdefBr.é1A zoo"), max_size=30)


def compiled(pattern, *, ignore_case=False):
    try:
        return Pattern(pattern, ignore_case=ignore_case)
    except PatternRefused:
        return None


@given(PATTERNS, TEXTS, st.booleans())
@example("a+bcd", "aabcd", False)
@example("(abc)+def", "abcabcdef", False)
@example("xabc|def", "def", False)
@example("(?i)abc", "ABC", False)
def test_the_literal_of_a_pattern_is_in_every_match(pattern, text, ignore_case):
    made = compiled(pattern, ignore_case=ignore_case)
    if made is None or not made.search(text):
        return
    literal = literal_of(made)

    assert literal is None or literal in (text.casefold() if ignore_case else text)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("error", "error"),
        (r"\bdisk\b.* full", " full"),
        ("(?:connection) lost", "connection"),
        ("(abc)+x", "abc"),
        ("(abc)?x", None),
        ("abc|xyz", None),
        ("ab", None),
        ("a.b.c", None),
        ("(?i)error", None),
        (r"\Qerror\E", None),
        ("x{0}abc", "abc"),
        ("abcd*", "abc"),
        ("abcd{3}", "abc"),
        (r"abc\.def", "abc.def"),
        ("[abc]def[]g]hij", "def"),
    ],
)
def test_literals_that_patterns_need(pattern, literal):
    assert literal_of(Pattern(pattern, ignore_case=False)) == literal


@pytest.mark.parametrize("written", ["abc)def", "(abc", "(" * 60 + "abc" + ")" * 60, "a{2}{3}bcd"])
def test_what_the_reader_does_not_understand_has_no_literal(written):
    odd = Pattern("x", ignore_case=False)
    odd.pattern = written

    assert literal_of(odd) is None


def test_literals_are_folded_and_plain_where_case_is_ignored():
    assert literal_of(Pattern("ERROR", ignore_case=True)) == "error"
    assert literal_of(Pattern("straße", ignore_case=True)) is None


def test_patterns_are_equal_by_what_they_say():
    one, other = Pattern("a", ignore_case=True), Pattern("a", ignore_case=True)

    assert one == other
    assert one != Pattern("a", ignore_case=False)
    assert one != "a"
    assert repr(one) == "Pattern('a', ignore_case=True)"


# --------------------------------------------------------------------------- many texts

NEEDLES = st.lists(
    st.text("ab", min_size=1, max_size=80) | st.text("abc", min_size=1, max_size=4),
    unique=True, max_size=60,
)  # fmt: skip
HAY = st.text(st.sampled_from("abc"), max_size=120)


@pytest.mark.parametrize("build", [finders._Automaton, Grams])
@given(NEEDLES, HAY)
def test_all_needles_of_a_text_are_found(build, needles, text):
    found = build(needles).find(text)

    assert sorted(found) == sorted(one for one in needles if one in text)


@pytest.mark.parametrize("build", [finders._Automaton, Grams])
@pytest.mark.parametrize("length", [1, 5, 6, 7, 12, 64, 65, 200])
def test_a_needle_is_found_wherever_it_stands(build, length):
    needle = "".join("abcdefghij"[at % 10] for at in range(length))
    finder = build([needle, "missing", needle + "!"])

    for before in (0, 1, 5, 6, 7):
        for after in (0, 1, 5, 6, 7):
            assert finder.find("x" * before + needle + "y" * after) == [needle]
    assert finder.find(needle[:-1]) == []
    assert finder.find(needle[1:]) == []
    assert finder.find("") == []


def test_needles_that_end_on_many_others_are_found_without_many_matches():
    needles = ["a" * n for n in range(1, 400)]
    built = finders._Automaton(needles)

    assert len(built.find("a" * 1_000)) == 399
    assert len(built._heads) == 8


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefgh"))), HAY, st.booleans())
def test_a_finder_is_right_at_any_moment(steps, text, settled):
    finder = finders.needles()
    for at in range(40):
        finder.add(f"x{at}")
    if settled:
        finder.settle()
    known = set()
    for adding, one in steps:
        if adding:
            finder.add(one)
            known.add(one)
        elif one in known:
            finder.remove(one)
            known.discard(one)

    assert sorted(finder.find(text)) == sorted(one for one in known if one in text)
    assert len(finder) == 40 + len(known)


def test_rebuilding_keeps_what_came_and_went_meanwhile():
    finder = finders.needles()
    for at in range(100):
        finder.add(f"<{at}>")
    job = Rebuild(finder)
    job.build()
    finder.add("new")
    finder.remove("<7>")
    job.install()

    assert finder.find("<7> <8> new") == ["new", "<8>"]
    assert not finder.stale


def test_a_finder_builds_by_itself_when_it_can_not_wait():
    finder = finders.needles()
    for at in range(2_000):
        finder.add(f"<{at}>")
    assert finder.stale

    assert finder.find("a <5> b") == ["<5>"]
    assert not finder.stale


def test_a_finder_of_things_that_are_gone_is_stale():
    finder = finders.needles()
    for at in range(200):
        finder.add(f"<{at}>")
    finder.settle()
    for at in range(150):
        finder.remove(f"<{at}>")

    assert finder.stale


def test_few_needles_are_looked_for_one_by_one():
    finder = finders.needles()
    finder.add("a")
    finder.settle()

    assert finder._built is None
    assert finder.find("abc") == ["a"]


# --------------------------------------------------------------------------- many patterns


@given(st.lists(PATTERNS, max_size=20), TEXTS)
def test_all_patterns_of_a_text_are_found(written, text):
    made = {
        one for raw in written for case in (True, False) if (one := compiled(raw, ignore_case=case))
    }

    found = PatternSets(list(made)).find(text)

    assert len(found) == len(set(found))
    assert set(found) == {one for one in made if one.search(text)}


def test_more_patterns_than_one_set_holds():
    made = [Pattern(f"^[{n % 7}-9]{n:04}$", ignore_case=False) for n in range(1_201)]
    built = PatternSets(made)

    assert len(built._shards) == 3
    assert built.find("91200") == [made[1200]]


def test_a_set_that_ran_out_of_memory_is_replaced_by_single_searches():
    made = [Pattern(one, ignore_case=False) for one in ("^a", "b$", "c")]
    built = PatternSets(made)
    silent = re2.Set.SearchSet()
    silent.Compile()
    built._shards = [(silent, made)]

    assert built.find("ab") == made[:2]


def test_patterns_without_a_set_are_searched_one_by_one():
    made = [Pattern(one, ignore_case=False) for one in ("^a", "b$")]
    built = PatternSets([])
    built._shards = [(None, made)]

    assert built.find("ac") == made[:1]


def test_a_set_that_is_too_large_is_halved():
    made = [Pattern(f"[a-z]{{{n},900}}x", ignore_case=False) for n in range(2, 60)]

    shards = finders._shards(made, 1 << 20)

    assert len(shards) > 1
    assert [one for _, some in shards for one in some] == made


def test_few_patterns_that_are_too_large_are_searched_one_by_one():
    made = [Pattern(f"[a-z]{{{n},900}}x", ignore_case=False) for n in range(2, 8)]

    assert finders._shards(made, 1 << 14) == [(None, made)]


def test_a_text_may_hold_anything():
    assert PatternSets([Pattern("\x00", ignore_case=False)]).find("a\x00b")
    assert Pattern("(?s)^.$", ignore_case=False).search("\n")


def test_finders_take_any_kind_of_build():
    finder: Finder[str] = Finder(Grams, lambda text, one: one in text)
    for at in range(20):
        finder.add(f"needle{at:02}")
    finder.settle()

    assert finder.find("a needle07 in hay") == ["needle07"]
