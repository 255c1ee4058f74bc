"""Reads the API's export: one JSON order a line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    id: int
    skus: tuple[str, ...]
    gross_cents: int


class BadExport(ValueError):
    """A line of the export that is no order; says which line."""


def read_orders(lines: Iterable[str]) -> Iterator[Order]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            order = json.loads(line)
            yield Order(int(order["id"]), tuple(order["skus"]), int(order["grossCents"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadExport(f"line {number} is not an order: {error}") from error
