"""What goes over the wire agrees with what PagerDuty publishes."""

import pytest
from pd_deviations import DEVIATIONS, REPAIRS
from pd_folder import vendor_folder
from pd_judgement import judged
from pd_scenario import played_with_operations
from pd_sweep import operations, swept

needs_vendor_data = pytest.mark.skipif(
    vendor_folder() is None,
    reason="VENDOR_DATA does not name the folder with PagerDuty's published documents",
)


@needs_vendor_data
def test_every_request_and_every_answer_is_as_published():
    found = judged(vendor_folder())

    assert found.failures == []
    assert len(found.shapes) >= 40


def test_no_operation_of_the_simulator_is_left_out():
    asked = {one for _, names in (swept(), played_with_operations()) for one in names}

    assert set() == operations() - asked


def test_every_difference_has_its_reason():
    for one in [*REPAIRS, *DEVIATIONS]:
        assert len(one.reason) > 20
