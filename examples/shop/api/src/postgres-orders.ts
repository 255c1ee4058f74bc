import postgres from "postgres";
import type { Line } from "@shop/pricing";
import { orderOf, type Order, type OrderBook } from "./orders.ts";

/** Orders in PostgreSQL, in the table of db/migrations. */
export class PostgresOrders implements OrderBook {
  readonly #sql: postgres.Sql;

  /** `url` as `postgres://user@host:port/database`. */
  constructor(url: string) {
    this.#sql = postgres(url, { onnotice: () => undefined });
  }

  async place(lines: readonly Line[]): Promise<Order> {
    const { skus, grossCents } = orderOf(lines);
    const [order] = await this.#sql<Order[]>`
      INSERT INTO orders (skus, gross_cents) VALUES (${skus}, ${grossCents})
      RETURNING id, skus, gross_cents AS "grossCents"`;
    return order!;
  }

  async find(id: number): Promise<Order | undefined> {
    if (!Number.isInteger(id)) return undefined;
    const [order] = await this.#sql<Order[]>`SELECT id, skus, gross_cents AS "grossCents" FROM orders WHERE id = ${id}`;
    return order;
  }

  async all(): Promise<readonly Order[]> {
    return this.#sql<Order[]>`SELECT id, skus, gross_cents AS "grossCents" FROM orders ORDER BY id`;
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 5 });
  }
}
