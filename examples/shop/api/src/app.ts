import { format, money, priceCart } from "@shop/pricing";
import type { Line } from "@shop/pricing";
import { Hono } from "hono";
import { MemoryOrders, type OrderBook } from "./orders.ts";

/** The shop's HTTP interface. */
export function createApp(orders: OrderBook = new MemoryOrders()): Hono {
  const app = new Hono();
  app.get("/health", (context) => context.json({ status: "ok" }));

  app.post("/price", async (context) => {
    const lines = readLines(await context.req.json().catch(() => undefined));
    if (lines === undefined) return context.json({ error: "expected {lines: [{sku, unitCents, quantity}]}" }, 400);
    const totals = priceCart(lines);
    return context.json({ grossCents: totals.gross.cents, text: format(totals.gross) });
  });

  app.post("/orders", async (context) => {
    const lines = readLines(await context.req.json().catch(() => undefined));
    if (lines === undefined || lines.length === 0) return context.json({ error: "an order needs lines" }, 400);
    return context.json(await orders.place(lines), 201);
  });

  app.get("/orders/:id", async (context) => {
    const order = await orders.find(Number(context.req.param("id")));
    return order === undefined ? context.json({ error: "no such order" }, 404) : context.json(order);
  });

  /** One order a line: what the worker reads. */
  app.get("/orders", async (context) => {
    const all = await orders.all();
    return context.text(all.map((order) => `${JSON.stringify(order)}\n`).join(""));
  });
  return app;
}

function readLines(body: unknown): Line[] | undefined {
  if (typeof body !== "object" || body === null || !("lines" in body) || !Array.isArray(body.lines)) return undefined;
  const lines: Line[] = [];
  for (const line of body.lines as Record<string, unknown>[]) {
    const { sku, unitCents, quantity } = line;
    if (typeof sku !== "string" || typeof unitCents !== "number" || typeof quantity !== "number") return undefined;
    if (!Number.isInteger(unitCents) || !Number.isInteger(quantity)) return undefined;
    lines.push({ sku, unitPrice: money(unitCents), quantity });
  }
  return lines;
}
