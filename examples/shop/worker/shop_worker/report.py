"""The daily report: what was sold, how often, and the turnover."""

from collections import Counter
from collections.abc import Iterable

from tabulate import tabulate

from shop_worker.orders import Order


def turnover_cents(orders: Iterable[Order]) -> int:
    return sum(order.gross_cents for order in orders)


def best_sellers(orders: Iterable[Order], limit: int = 3) -> list[tuple[str, int]]:
    """The most ordered articles; equal counts in the order of their names."""
    counts = Counter(sku for order in orders for sku in order.skus)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def render(orders: Iterable[Order]) -> str:
    orders = list(orders)
    table = tabulate(best_sellers(orders), headers=["article", "orders"], tablefmt="github")
    return f"{table}\n\n{len(orders)} orders, turnover {turnover_cents(orders) / 100:.2f}\n"
