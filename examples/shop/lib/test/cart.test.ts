import assert from "node:assert/strict";
import { test } from "node:test";
import { discountFromCents, money, priceCart } from "../src/index.ts";

const lines = (unitCents: number, quantity = 1) => [{ sku: "tea", unitPrice: money(unitCents), quantity }];

test("an order below the threshold has no discount", () => {
  assert.equal(priceCart(lines(discountFromCents - 1)).discount.cents, 0);
});

test("an order at the threshold gets ten per cent off before tax", () => {
  const totals = priceCart(lines(discountFromCents));
  assert.equal(totals.discount.cents, 1_000);
  assert.equal(totals.tax.cents, 1_710);
  assert.equal(totals.gross.cents, 10_710);
});

test("the quantity counts towards the threshold", () => {
  assert.equal(priceCart(lines(2_500, 4)).discount.cents, 1_000);
});

test("a line with no pieces is refused", () => {
  assert.throws(() => priceCart(lines(100, 0)), /quantity/);
});

test("an empty cart is free", () => {
  assert.equal(priceCart([]).gross.cents, 0);
});
