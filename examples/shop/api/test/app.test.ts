import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../src/app.ts";

const post = (body: unknown) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const tea = { lines: [{ sku: "tea", unitCents: 500, quantity: 2 }] };

test("a cart is priced by the pricing library", async () => {
  const response = await createApp().request("/price", post(tea));
  assert.deepEqual(await response.json(), { grossCents: 1_190, text: "EUR 11.90" });
});

test("a placed order is found by its number", async () => {
  const app = createApp();
  const placed = await app.request("/orders", post(tea));
  assert.equal(placed.status, 201);
  const found = await app.request("/orders/1");
  assert.deepEqual(await found.json(), { id: 1, skus: ["tea"], grossCents: 1_190 });
});

test("an order without lines is refused", async () => {
  assert.equal((await createApp().request("/orders", post({ lines: [] }))).status, 400);
});

test("a body that is not a cart is refused", async () => {
  assert.equal((await createApp().request("/price", post({ lines: [{ sku: 1 }] }))).status, 400);
});

test("an unknown order is not found", async () => {
  assert.equal((await createApp().request("/orders/7")).status, 404);
});
