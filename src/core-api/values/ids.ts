import { createHash, randomBytes } from "node:crypto";
import { ApiError } from "./errors.ts";

/** An API object: its GraphQL type, and otherwise plain data. */
export interface ApiObject {
  readonly type: string;
}

const digests = new WeakMap<object, string>();

/**
 * Returns the SHA-256 of a recipe: every field by name and value. Each object is hashed once, children first and
 * without recursion, so that a chain of ten thousand edits needs no deep stack.
 */
export function recipeDigest(recipe: object): string {
  const stack: object[] = [recipe];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const known = digests.has(top);
    const missing = known ? [] : childrenOf(top).filter((child) => !digests.has(child));
    if (missing.length > 0) {
      stack.push(...missing);
      continue;
    }
    if (!known) digests.set(top, createHash("sha256").update(ownText(top)).digest("hex"));
    stack.pop();
  }
  return digests.get(recipe)!;
}

function childrenOf(value: object): object[] {
  return Object.values(value).filter((child): child is object => typeof child === "object" && child !== null);
}

function ownText(value: object): string {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (!Array.isArray(value)) fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    Array.isArray(value),
    ...fields.map(([name, field]: [string, unknown]) =>
      typeof field === "object" && field !== null ? [name, "#", digests.get(field)] : [name, field],
    ),
  ]);
}

/**
 * Types whose recipe can be guessed (`env://NAME`, the path of a socket, a port). Knowing the recipe must not give
 * access to the object.
 */
const unguessable = new Set(["Secret", "Socket", "Service"]);

/** Limit on the text in a session's recipes, which include the contents of files. */
const maxKeptChars = 512 * 1024 * 1024;

/** Object ids of one session. An id is a handle that means nothing in another session. */
export class IdRegistry {
  private keptChars = 0;
  private readonly kept = new WeakSet<object>();
  private readonly nonce = randomBytes(16).toString("hex");
  private readonly objects = new Map<string, ApiObject>();

  idOf(object: ApiObject): string {
    const recipe = recipeDigest(object);
    const digest = unguessable.has(object.type)
      ? createHash("sha256").update(this.nonce).update(recipe).digest("hex")
      : recipe;
    const id = `${object.type}@sha256:${digest}`;
    if (!this.objects.has(id)) this.keep(object);
    this.objects.set(id, object);
    return id;
  }

  /** Counts an object's text. Throws an `ApiError` when the session's objects hold more text than allowed. */
  private keep(object: object): void {
    const open = [object];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      if (this.kept.has(each)) continue;
      this.kept.add(each);
      for (const field of Object.values(each) as unknown[])
        if (typeof field === "string") this.keptChars += field.length;
      open.push(...childrenOf(each));
    }
    if (this.keptChars > maxKeptChars)
      throw new ApiError(
        `the objects of this session hold more than ${maxKeptChars} characters: files that large belong into a directory of the host`,
      );
  }

  /**
   * Returns the object with an id. Throws an `ApiError` when the id is unknown or, if a type is given, the object has
   * another type.
   */
  load(id: string, type?: string): ApiObject {
    const object = this.objects.get(id);
    if (object === undefined) {
      throw new ApiError(
        `unknown id ${JSON.stringify(shorten(id))}: ids are handles of the session that gave them, they are not valid in another session`,
      );
    }
    if (type !== undefined && object.type !== type) {
      throw new ApiError(`id ${JSON.stringify(shorten(id))} is a ${object.type}, but a ${type} is expected`);
    }
    return object;
  }
}

function shorten(id: string): string {
  return id.length > 100 ? `${id.slice(0, 100)}…` : id;
}
