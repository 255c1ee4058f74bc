import { priceCart } from "@shop/pricing";
import type { Line } from "@shop/pricing";

export interface Order {
  id: number;
  skus: string[];
  grossCents: number;
}

/** Where orders are kept, numbered from 1. */
export interface OrderBook {
  place(lines: readonly Line[]): Promise<Order>;
  find(id: number): Promise<Order | undefined>;
  all(): Promise<readonly Order[]>;
  close(): Promise<void>;
}

/** What an order is besides its number. */
export function orderOf(lines: readonly Line[]): Omit<Order, "id"> {
  return { skus: lines.map((line) => line.sku), grossCents: priceCart(lines).gross.cents };
}

/** Orders that live as long as the process. */
export class MemoryOrders implements OrderBook {
  readonly #orders: Order[] = [];

  async place(lines: readonly Line[]): Promise<Order> {
    const order = { id: this.#orders.length + 1, ...orderOf(lines) };
    this.#orders.push(order);
    return order;
  }

  async find(id: number): Promise<Order | undefined> {
    return this.#orders[id - 1];
  }

  async all(): Promise<readonly Order[]> {
    return this.#orders;
  }

  async close(): Promise<void> {}
}
