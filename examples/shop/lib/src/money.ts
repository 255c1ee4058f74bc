/** An amount in the smallest unit of its currency: whole cents, never a fraction. */
export interface Money {
  readonly cents: number;
  readonly currency: string;
}

export function money(cents: number, currency = "EUR"): Money {
  if (!Number.isSafeInteger(cents)) throw new RangeError(`not a whole number of cents: ${cents}`);
  return { cents, currency };
}

export function add(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new TypeError(`cannot add ${b.currency} to ${a.currency}`);
  return money(a.cents + b.cents, a.currency);
}

/** Multiplies and rounds half up, the way an invoice does. */
export function times(amount: Money, factor: number): Money {
  return money(Math.round(amount.cents * factor), amount.currency);
}

/** `EUR 12.05` */
export function format(amount: Money): string {
  const sign = amount.cents < 0 ? "-" : "";
  const cents = Math.abs(amount.cents);
  return `${amount.currency} ${sign}${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}
