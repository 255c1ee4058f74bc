/** JSON that remembers where each value stands, for errors with `line:column`. `JSON.parse` does not say. */

export interface PlacedJson {
  value: unknown;
  /** Path of a value (`dependencies.0.name`, the root is "") -> offset of its first character. */
  offsets: Map<string, number>;
}

export class JsonSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Parses strict JSON; throws `JsonSyntaxError` with the offset of what does not belong. */
export function parsePlacedJson(text: string): PlacedJson {
  const parser = new Parser(text);
  const value = parser.document();
  return { value, offsets: parser.offsets };
}

/** 1-based `line:column` of an offset. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

class Parser {
  readonly offsets = new Map<string, number>();
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): unknown {
    const value = this.value("");
    this.space();
    if (this.at < this.text.length) this.fail("nothing may follow the closing brace");
    return value;
  }

  private value(path: string): unknown {
    this.space();
    this.offsets.set(path, this.at);
    const first = this.text[this.at];
    if (first === "{") return this.object(path);
    if (first === "[") return this.array(path);
    if (first === '"') return this.string();
    const word = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(
      this.text.slice(this.at, this.at + 40),
    )?.[0];
    if (word === undefined) this.fail(first === undefined ? "the file ends too early" : "a value was expected here");
    this.at += word.length;
    return JSON.parse(word);
  }

  private object(path: string): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.at++;
    if (this.skip("}")) return result;
    do {
      this.space();
      if (this.text[this.at] !== '"') this.fail("a name in double quotes was expected here");
      const name = this.string();
      if (!this.skip(":")) this.fail(`":" was expected after "${name}"`);
      result[name] = this.value(path === "" ? name : `${path}.${name}`);
    } while (this.skip(","));
    if (!this.skip("}")) this.fail('"," or "}" was expected here');
    return result;
  }

  private array(path: string): unknown[] {
    const result: unknown[] = [];
    this.at++;
    if (this.skip("]")) return result;
    do {
      result.push(this.value(`${path}.${result.length}`));
    } while (this.skip(","));
    if (!this.skip("]")) this.fail('"," or "]" was expected here');
    return result;
  }

  private string(): string {
    const literal = /^"(?:[^"\\\n]|\\.)*"/.exec(this.text.slice(this.at))?.[0];
    if (literal === undefined) this.fail("this string has no closing quote");
    try {
      const value = JSON.parse(literal) as string;
      this.at += literal.length;
      return value;
    } catch {
      return this.fail("this string has an invalid escape or control character");
    }
  }

  private skip(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? "")) this.at++;
  }

  private fail(message: string): never {
    throw new JsonSyntaxError(message, this.at);
  }
}
