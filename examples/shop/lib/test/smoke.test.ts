import assert from "node:assert/strict";
import { test } from "node:test";
import { format, money, priceCart } from "../src/index.ts";

test("one item costs its price and the tax", () => {
  const totals = priceCart([{ sku: "tea", unitPrice: money(500), quantity: 1 }]);
  assert.equal(format(totals.gross), "EUR 5.95");
});
