import { UserError } from "../../errors/index.ts";
import { anyCharacter, compileTokens, segmentCharacter, type GlobToken } from "./glob-matcher.ts";

/** Characters that make a pattern more than a literal path. */
export const wildcardCharacters = /[*?[\]\\]/;

/** Longer than any path that a kernel accepts. */
export const maxPatternChars = 4096;

/**
 * Parses the bracket expression at `start` (a `[`): returns what it accepts and the index after it; undefined if it is
 * never closed. `negations` are the characters that negate: Go knows only `^`, git also `!`. Throws if a range is out
 * of order.
 */
function bracketExpression(
  pattern: string,
  start: number,
  negations: string,
): { token: GlobToken; next: number } | undefined {
  let index = start + 1;
  let source = "[";
  if (index < pattern.length && negations.includes(pattern[index]!)) {
    source += "^/";
    index++;
  }
  const first = index;
  for (; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === "]" && index > first) {
      const expression = compiled(`^${source}]$`, pattern);
      return { token: { kind: "one", accepts: (text) => expression.test(text) }, next: index + 1 };
    }
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

/**
 * Differences between pattern dialects: the meaning of a run of stars, and the characters that negate a bracket
 * expression.
 */
export interface GlobDialect {
  negations: string;
  /** Returns the tokens of the stars at `index`, and where the pattern continues. */
  stars(pattern: string, index: number): { tokens: readonly GlobToken[]; next: number };
}

/**
 * Parses a pattern; undefined if it ends in a backslash, or a bracket is never closed. Throws if a bracket has a range
 * out of order.
 */
export function scanGlob(pattern: string, dialect: GlobDialect): GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  for (let index = 0; index < pattern.length;) {
    const character = String.fromCodePoint(pattern.codePointAt(index)!);
    if (character === "*") {
      const stars = dialect.stars(pattern, index);
      tokens.push(...stars.tokens);
      index = stars.next;
    } else if (character === "?") {
      tokens.push(segmentCharacter);
      index++;
    } else if (character === "[") {
      const bracket = bracketExpression(pattern, index, dialect.negations);
      if (bracket === undefined) return undefined;
      tokens.push(bracket.token);
      index = bracket.next;
    } else {
      const isEscape = character === "\\";
      if (isEscape && index + 1 >= pattern.length) return undefined;
      const text = isEscape ? String.fromCodePoint(pattern.codePointAt(index + 1)!) : character;
      tokens.push({ kind: "text", text });
      index += text.length + (isEscape ? 1 : 0);
    }
  }
  return tokens;
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
  return /[\\\]^[.+(){}|$/-]/.test(character) ? `\\${character}` : character;
}

/**
 * Compiles a class of one character, which matches in constant time. Throws a `UserError` if a range is out of order.
 */
function compiled(source: string, pattern: string): RegExp {
  try {
    return new RegExp(source, "su");
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

/**
 * Returns a matcher for names without folders, such as branches: `*` is any text, `?` any character, anything else is
 * literal.
 */
export function nameMatcher(pattern: string): (name: string) => boolean {
  checkPatternLength(pattern);
  return compileTokens(
    Array.from(pattern, (character): GlobToken =>
      character === "*" ? { kind: "rest" } : character === "?" ? anyCharacter : { kind: "text", text: character },
    ),
  );
}

/**
 * Returns a pattern in the dialect of .dockerignore that matches exactly this path; spaces at its ends would be
 * trimmed.
 */
export function literalPattern(path: string): string {
  return path.replaceAll(/[*?[\]\\!#]/g, "\\$&").replaceAll(/^\s|\s$/g, "?");
}

/** Returns the error for an invalid pattern. */
export function badPattern(pattern: string, cause?: unknown): UserError {
  return new UserError("config", `the pattern ${JSON.stringify(shortened(pattern))} is not valid`, {
    hint: "patterns are those of .dockerignore: * ? [a-z] ** and a leading ! for exceptions",
    cause,
  });
}

/** Throws a `UserError` if a pattern is longer than any path. */
export function checkPatternLength(pattern: string): void {
  if (pattern.length <= maxPatternChars) return;
  throw new UserError("config", `the pattern ${JSON.stringify(shortened(pattern))} has ${pattern.length} characters`, {
    hint: `a pattern may have ${maxPatternChars}; write several`,
  });
}

function shortened(pattern: string): string {
  return pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern;
}
