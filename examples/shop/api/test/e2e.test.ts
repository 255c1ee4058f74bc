// The service as it is deployed: its own process, a real port, real requests.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";

test("a customer prices a cart, orders it and the worker's export has the order", async () => {
  const server = spawn(process.execPath, ["--experimental-strip-types", "--no-warnings", "src/main.ts"], {
    env: { ...process.env, PORT: "0", HOST: "127.0.0.1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface(server.stdout), "line")) as [string];
    const base = `http://127.0.0.1:${line.match(/port (\d+)$/)?.[1]}`;
    const cart = JSON.stringify({ lines: [{ sku: "samovar", unitCents: 10_000, quantity: 1 }] });
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: cart };

    const price = (await (await fetch(`${base}/price`, request)).json()) as { text: string };
    assert.equal(price.text, "EUR 107.10");

    assert.equal((await fetch(`${base}/orders`, request)).status, 201);
    const exported = await (await fetch(`${base}/orders`)).text();
    assert.deepEqual(JSON.parse(exported), { id: 1, skus: ["samovar"], grossCents: 10_710 });
  } finally {
    const closed = once(server, "exit");
    server.kill("SIGTERM");
    await closed;
  }
});
