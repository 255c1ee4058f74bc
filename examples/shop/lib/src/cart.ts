import { add, money, times } from "./money.ts";
import type { Money } from "./money.ts";

export interface Line {
  readonly sku: string;
  readonly unitPrice: Money;
  readonly quantity: number;
}

export interface Totals {
  readonly net: Money;
  readonly discount: Money;
  readonly tax: Money;
  readonly gross: Money;
}

/** Value-added tax on what is left after the discount. */
export const taxRate = 0.19;

/** From this net amount on, an order gets the volume discount. */
export const discountFromCents = 10_000;
export const discountRate = 0.1;

/** Prices a cart: net, volume discount, tax and what the customer pays. */
export function priceCart(lines: readonly Line[], currency = "EUR"): Totals {
  const net = lines.reduce((sum, line) => add(sum, linePrice(line)), money(0, currency));
  const discount = net.cents >= discountFromCents ? times(net, discountRate) : money(0, currency);
  const taxed = add(net, times(discount, -1));
  const tax = times(taxed, taxRate);
  return { net, discount, tax, gross: add(taxed, tax) };
}

function linePrice(line: Line): Money {
  if (!Number.isInteger(line.quantity) || line.quantity < 1) {
    throw new RangeError(`${line.sku}: quantity must be a whole number from 1, not ${line.quantity}`);
  }
  return times(line.unitPrice, line.quantity);
}
