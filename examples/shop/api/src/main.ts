import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { MemoryOrders } from "./orders.ts";
import { PostgresOrders } from "./postgres-orders.ts";

const port = Number(process.env.PORT ?? 8080);
const database = process.env.DATABASE_URL;
const orders = database === undefined ? new MemoryOrders() : new PostgresOrders(database);
const server = serve({ fetch: createApp(orders).fetch, port, hostname: process.env.HOST ?? "0.0.0.0" }, (info) => {
  console.log(`shop api on port ${info.port}`);
});

// Open connections would keep the process, and with it the restart that `node --watch` waits for.
process.once("SIGTERM", () => {
  server.close();
  void orders.close();
});
