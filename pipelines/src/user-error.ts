/** An error that the user can fix. It is shown as its message only, without a stack or a line of this module. */
export class UserError extends Error {
  /** The source position that fastloop prints before the message. Empty, so that none is printed. */
  readonly place = "";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.stack = "";
  }
}
