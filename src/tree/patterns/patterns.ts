import path from "node:path";
import { compileTokens, type GlobToken } from "./glob-matcher.ts";
import { badPattern, checkPatternLength, scanGlob, wildcardCharacters, type GlobDialect } from "./globs.ts";

/**
 * Path patterns with the semantics of moby/patternmatcher, which BuildKit, Docker and Dagger use: a pattern matches a
 * path or one of its parents; the last matching pattern decides; `!` makes an exception; `**` crosses folders.
 */
export class PatternMatcher {
  private readonly patterns: Pattern[] = [];
  /** Whether any pattern is an exception (`!`). */
  readonly hasExceptions: boolean;
  /** Shared state of folders that no pattern matches. */
  private none: MatchState | undefined;

  constructor(patterns: readonly string[]) {
    for (const text of patterns) {
      const pattern = parsedPattern(text);
      if (pattern !== undefined) this.patterns.push(pattern);
    }
    this.hasExceptions = this.patterns.some((pattern) => pattern.exception);
  }

  get isEmpty(): boolean {
    return this.patterns.length === 0;
  }

  /**
   * Returns which patterns match `file`, given those that matched its parent; a pattern that matched a folder applies
   * to everything below it. If nothing is added, the parent's state itself is returned, which most of ten thousand
   * folders share.
   */
  matchBelow(file: string, parent: MatchState | undefined): MatchState {
    let byPattern = parent?.byPattern;
    let matched = false;
    for (let index = 0; index < this.patterns.length; index++) {
      const pattern = this.patterns[index]!;
      if (byPattern?.[index] !== 1) {
        // An inclusion adds nothing to a match, and an exception removes nothing without one.
        if (pattern.exception !== matched || !pattern.test(file)) continue;
        if (byPattern === undefined || byPattern === parent?.byPattern) byPattern = this.copyOf(byPattern);
        byPattern[index] = 1;
      }
      matched = !pattern.exception;
    }
    if (parent !== undefined && byPattern === parent.byPattern) return parent;
    if (byPattern === undefined) return (this.none ??= { matched: false, byPattern: this.copyOf(undefined) });
    return { matched, byPattern };
  }

  private copyOf(byPattern: Uint8Array | undefined): Uint8Array {
    return byPattern?.slice() ?? new Uint8Array(this.patterns.length);
  }

  /** Returns `matchBelow(...).matched` without creating the state, for files, which have no children. */
  matchesBelow(file: string, parent: MatchState | undefined): boolean {
    let matched = false;
    for (let index = 0; index < this.patterns.length; index++) {
      const pattern = this.patterns[index]!;
      if (parent !== undefined && parent.byPattern[index] === 1) matched = !pattern.exception;
      else if (pattern.exception === matched && pattern.test(file)) matched = !pattern.exception;
    }
    return matched;
  }

  /**
   * Reports whether the path or one of its parents matches; for single paths, outside a walk that keeps the parents'
   * state.
   */
  matches(file: string): boolean {
    let state: MatchState | undefined;
    for (let slash = file.indexOf("/"); slash >= 0; slash = file.indexOf("/", slash + 1)) {
      state = this.matchBelow(file.slice(0, slash), state);
    }
    return this.matchesBelow(file, state);
  }

  /** Reports whether a pattern of this kind could match something inside the folder, so that a walk has to enter it. */
  mayMatchInside(folder: string, kind: "inclusion" | "exception"): boolean {
    const segments = segmentsOf(folder);
    return this.patterns.some(
      (pattern) => pattern.exception === (kind === "exception") && pattern.mayMatchInside(segments),
    );
  }
}

let lastFolder = "";
let lastSegments: string[] = [""];

/** Cached, as a walk tests a thousand filters on one folder. */
function segmentsOf(folder: string): string[] {
  if (folder !== lastFolder) [lastFolder, lastSegments] = [folder, folder.split("/")];
  return lastSegments;
}

/** Patterns that matched a folder, passed on to the matching of its children. */
export interface MatchState {
  matched: boolean;
  byPattern: Uint8Array;
}

interface Pattern {
  exception: boolean;
  test(file: string): boolean;
  mayMatchInside(segments: string[]): boolean;
}

/** Cached, as a thousand inputs of a project have the same exclusions. */
const parsed = new Map<string, Pattern | undefined>();
const mostParsed = 1000;

function parsedPattern(text: string): Pattern | undefined {
  if (parsed.has(text)) return parsed.get(text);
  const pattern = parsePattern(text);
  if (parsed.size >= mostParsed) parsed.clear();
  parsed.set(text, pattern);
  return pattern;
}

function parsePattern(text: string): Pattern | undefined {
  let pattern = text.trim();
  if (pattern === "") return undefined;
  const exception = pattern.startsWith("!");
  if (exception) pattern = pattern.slice(1);
  if (pattern === "") throw badPattern(text);
  checkPatternLength(pattern);
  // Normalized as by the reader of .dockerignore: cleaned, relative to the root, without a trailing slash.
  pattern = path.posix.normalize(pattern).replace(/^\/+/, "").replace(/\/+$/, "");
  if (pattern === "" || pattern === ".") return { exception, test: () => pattern === "", mayMatchInside: () => false };
  return { exception, test: compile(pattern), mayMatchInside: insideTest(pattern) };
}

/** Handles the common shapes directly: a literal, `folder/**`, and `**` before a literal. */
function compile(pattern: string): (file: string) => boolean {
  if (!wildcardCharacters.test(pattern)) return (file) => file === pattern;
  const head = pattern.slice(0, -2);
  if (pattern.endsWith("**") && !wildcardCharacters.test(head)) return (file) => file.startsWith(head);
  const tail = pattern.slice(2);
  if (pattern.startsWith("**") && tail !== "" && !wildcardCharacters.test(tail)) {
    if (!tail.startsWith("/")) return (file) => file.endsWith(tail);
    const whole = tail.slice(1);
    return (file) => file === whole || file.endsWith(tail);
  }
  return compileTokens(tokensOf(pattern));
}

/** Dialect of .dockerignore: `**` stands for any folders, wherever it occurs. */
const dockerDialect: GlobDialect = {
  negations: "^",
  stars(pattern, index) {
    if (pattern[index + 1] !== "*") return { tokens: [{ kind: "in-segment" }], next: index + 1 };
    const next = index + (pattern[index + 2] === "/" ? 3 : 2);
    return { tokens: [{ kind: next >= pattern.length ? "rest" : "folders" }], next };
  },
};

function tokensOf(pattern: string): GlobToken[] {
  const tokens = scanGlob(pattern, dockerDialect);
  if (tokens === undefined) throw badPattern(pattern);
  return tokens;
}

/** Compares the pattern's leading segments with a folder's; from a `**` on, anything may match. */
function insideTest(pattern: string): (segments: string[]) => boolean {
  const tests = pattern.split("/").map((segment) => (segment.includes("**") ? undefined : compile(segment)));
  return (segments) => {
    for (let index = 0; index < tests.length; index++) {
      const test = tests[index];
      if (test === undefined || index >= segments.length) return true;
      if (!test(segments[index]!)) return false;
    }
    // The pattern matches the folder or a parent, so it applies to everything inside.
    return true;
  };
}
