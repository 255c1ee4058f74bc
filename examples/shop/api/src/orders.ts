import { priceCart } from "@shop/pricing";
import type { Line } from "@shop/pricing";

export interface Order {
  id: number;
  skus: string[];
  grossCents: number;
}

/** Orders in memory, numbered from 1. */
export class OrderBook {
  readonly #orders: Order[] = [];

  place(lines: readonly Line[]): Order {
    const order = {
      id: this.#orders.length + 1,
      skus: lines.map((line) => line.sku),
      grossCents: priceCart(lines).gross.cents,
    };
    this.#orders.push(order);
    return order;
  }

  find(id: number): Order | undefined {
    return this.#orders[id - 1];
  }

  all(): readonly Order[] {
    return this.#orders;
  }
}
