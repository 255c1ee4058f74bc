import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";

const port = Number(process.env.PORT ?? 8080);
const server = serve({ fetch: createApp().fetch, port, hostname: process.env.HOST ?? "0.0.0.0" }, (info) => {
  console.log(`shop api on port ${info.port}`);
});

process.once("SIGTERM", () => server.close());
