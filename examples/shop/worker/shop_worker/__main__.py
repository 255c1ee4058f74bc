"""`python -m shop_worker < orders.jsonl` prints the report."""

import sys

from shop_worker.orders import BadExport, read_orders
from shop_worker.report import render


def main() -> int:
    try:
        sys.stdout.write(render(read_orders(sys.stdin)))
    except BadExport as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
