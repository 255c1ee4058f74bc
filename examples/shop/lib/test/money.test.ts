import assert from "node:assert/strict";
import { test } from "node:test";
import { add, format, money, times } from "../src/index.ts";

test("money is kept in whole cents", () => {
  assert.throws(() => money(1.5), RangeError);
});

test("amounts in two currencies do not add up", () => {
  assert.throws(() => add(money(1, "EUR"), money(1, "USD")), TypeError);
});

test("a share of an amount is rounded to a cent", () => {
  assert.equal(times(money(99), 0.19).cents, 19);
});

test("an amount is written with two decimals", () => {
  assert.equal(format(money(1205)), "EUR 12.05");
  assert.equal(format(money(-5)), "EUR -0.05");
});
