import { UserError } from "../errors/index.ts";

/** Characters that make a pattern more than a literal path. */
export const wildcardCharacters = /[*?[\]\\]/;

const regexSpecial = /[.+(){}|$^/-]/;

/** Literal text as part of a regular expression in unicode mode. */
export function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/**
 * One bracket expression that starts at `start` (a `[`): its regular expression and the index after it, or undefined
 * when it is never closed. `negations` are the characters that negate: Go knows `^` only, git also `!`.
 */
export function bracketExpression(
  pattern: string,
  start: number,
  negations: string,
): { source: string; next: number } | undefined {
  let index = start + 1;
  let source = "[";
  if (index < pattern.length && negations.includes(pattern[index]!)) {
    source += "^/";
    index++;
  }
  const first = index;
  for (; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === "]" && index > first) return { source: `${source}]`, next: index + 1 };
    if (character === "[" && pattern[index + 1] === ":") {
      const end = pattern.indexOf(":]", index);
      const named = end < 0 ? undefined : namedClasses[pattern.slice(index + 2, end)];
      if (named !== undefined) {
        source += named;
        index = end + 1;
        continue;
      }
    }
    if (character === "\\" && index + 1 < pattern.length) {
      index++;
      source += escapeInClass(pattern[index]!);
    } else {
      source += character === "-" ? "-" : escapeInClass(character);
    }
  }
  return undefined;
}

const namedClasses: Record<string, string> = {
  alnum: "a-zA-Z0-9",
  alpha: "a-zA-Z",
  blank: " \\t",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  space: "\\s",
  xdigit: "0-9a-fA-F",
  punct: "!-\\/:-@\\[-`\\{-~",
};

function escapeInClass(character: string): string {
  return /[\\\]^[-]/.test(character) || regexSpecial.test(character) ? `\\${character}` : character;
}

/** Compiles; a range that is out of order and the like is the user's error, not ours. */
export function compileGlob(source: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${source}$`, "su");
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

/** The error for a pattern that means nothing. */
export function badPattern(pattern: string, cause?: unknown): UserError {
  return new UserError("config", `the pattern ${JSON.stringify(pattern)} is not valid`, {
    hint: "patterns are those of .dockerignore: * ? [a-z] ** and a leading ! for exceptions",
    cause,
  });
}
