"""The judge itself: what is counted as lost, duplicated, disordered."""

from bench.faults.vendor import Request
from bench.faults.verdict import judge, takeover_s

ACCEPTED = [("k1", 0), ("k1", 1), ("f1", 0)]


def request(lane: str, seq: int, *, key: str = "", at: float = 0.0) -> Request:
    path = "/once" if lane.startswith("f") else "/post"
    return Request(path, key or f"{lane}/{seq}", lane, seq, at)


ALL = [request("k1", 0), request("k1", 1), request("f1", 0)]


def test_each_event_once_and_in_order_is_good() -> None:
    assert judge(ACCEPTED, ALL).good


def test_an_accepted_event_without_an_effect_is_lost() -> None:
    assert judge(ACCEPTED, ALL[:2]).lost == 1


def test_a_repeated_key_is_no_second_effect_where_the_vendor_drops_it() -> None:
    found = judge(ACCEPTED, [*ALL, request("k1", 1)])

    assert (found.duplicated, found.repeated) == (0, 1)


def test_another_key_for_one_event_is_a_second_effect() -> None:
    assert judge(ACCEPTED, [*ALL, request("k1", 1, key="other")]).duplicated == 1


def test_a_request_again_is_a_second_effect_where_the_vendor_drops_nothing() -> None:
    assert judge(ACCEPTED, [*ALL, request("f1", 0)]).duplicated == 1


def test_an_earlier_event_after_a_later_one_is_disordered() -> None:
    assert judge(ACCEPTED, [request("k1", 1), request("k1", 0), request("f1", 0)]).disordered == 1


def test_what_others_asked_does_not_count() -> None:
    assert judge(ACCEPTED, [*ALL, request("k9", 0)]).good


def test_a_takeover_lasts_until_the_last_lane_goes_on() -> None:
    arrived = [request("k1", 0, at=1.0), request("k1", 1, at=6.0), request("f1", 0, at=5.5)]

    assert takeover_s(arrived, 4.0) == 2.0
