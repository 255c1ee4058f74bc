from shop_worker.orders import Order
from shop_worker.report import best_sellers, render, turnover_cents

ORDERS = [Order(1, ("tea", "cup"), 1190), Order(2, ("tea",), 595), Order(3, ("pot",), 2380)]


def test_the_turnover_is_the_sum_of_the_orders():
    assert turnover_cents(ORDERS) == 4165


def test_best_sellers_come_first_and_ties_by_name():
    assert best_sellers(ORDERS) == [("tea", 2), ("cup", 1), ("pot", 1)]


def test_the_report_has_a_table_and_the_turnover():
    report = render(ORDERS)
    assert "| tea" in report
    assert report.endswith("3 orders, turnover 41.65\n")
