import { UserError } from "../errors/index.ts";

/** `-` alone is a file's name to many programs. */
export const isOption = (word: string): boolean => /^--?[A-Za-z]/.test(word);

export function missingValue(option: string, next: string): UserError {
  const long = option.startsWith("--");
  return new UserError("usage", "a value is missing", {
    place: option,
    hint: `${next} is an option; ${long ? `${option}=${next}` : `${option}${next}`} if that is the value`,
  });
}
