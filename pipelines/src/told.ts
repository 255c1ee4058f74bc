/** A mistake that the user can mend, told as it is: no line of this module is worth a look. */
export class Told extends Error {
  /** What fastloop shows in front of the message; empty: nothing. */
  readonly place = "";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.stack = "";
  }
}
