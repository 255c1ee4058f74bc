"""`python -m shop_worker.service http://api:8080` prints the report whenever the shop's orders change."""

import sys
import time
import urllib.error
import urllib.request

from shop_worker.orders import read_orders
from shop_worker.report import render

EVERY_SECONDS = 1


def main(api: str) -> None:
    last = None
    while True:
        try:
            with urllib.request.urlopen(f"{api}/orders", timeout=10) as response:
                export = response.read().decode()
        except (urllib.error.URLError, TimeoutError) as error:
            print(f"{api} does not answer: {error}", file=sys.stderr, flush=True)
        else:
            if export != last:
                print(render(read_orders(export.splitlines())), flush=True)
                last = export
        time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
