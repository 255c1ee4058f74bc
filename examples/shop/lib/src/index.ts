export { add, format, money, times } from "./money.ts";
export type { Money } from "./money.ts";
export { discountFromCents, discountRate, priceCart, taxRate } from "./cart.ts";
export type { Line, Totals } from "./cart.ts";
