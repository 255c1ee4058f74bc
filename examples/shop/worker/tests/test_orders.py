import pytest

from shop_worker.orders import BadExport, Order, read_orders


@pytest.mark.smoke
def test_an_export_is_read_line_by_line():
    lines = ['{"id": 1, "skus": ["tea"], "grossCents": 595}\n', "\n"]
    assert list(read_orders(lines)) == [Order(1, ("tea",), 595)]


def test_a_broken_line_is_named():
    with pytest.raises(BadExport, match="line 2"):
        list(read_orders(['{"id": 1, "skus": [], "grossCents": 0}', "{"]))


def test_an_order_without_a_total_is_refused():
    with pytest.raises(BadExport, match="grossCents"):
        list(read_orders(['{"id": 1, "skus": []}']))
