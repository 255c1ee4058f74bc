import { execFile } from "node:child_process";
import { createHmac, scrypt, type BinaryLike, type ScryptOptions } from "node:crypto";
import path from "node:path";
import { promisify } from "node:util";
import { homeFolder, readRegular, UnfitFile } from "../../paths/index.ts";
import { isTooShortToMask, SecretMask, tooShortToMask } from "../../text/index.ts";
import { volatilePrefix } from "../solve/compile-exec.ts";
import { ApiError } from "../values/errors.ts";
import type { Secret } from "../values/values.ts";

const run = promisify(execFile);
const slowHash = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

const maxChars = 1024 * 1024;

/**
 * Plaintexts of one session's secrets. They leave it only when BuildKit asks for an id, which it does when an exec
 * starts. Ids occur in LLB and in cache keys. An id is a slow hash of the plaintext, so that a weak secret cannot be
 * guessed from it (as on a Dagger engine, a changed secret runs the exec again), or a hash of the cache key that the
 * user chose.
 */
export class SecretVault {
  private readonly plaintexts = new Map<string, Buffer>();
  private readonly resolved = new Map<string, Promise<{ id: string; plaintext: Buffer }>>();
  private readonly aliases = new Map<string, string>();
  private readonly volatiles = new Map<string, Buffer>();
  private readonly env: Record<string, string>;
  private readonly workdir: string;
  private readonly onNotice: (text: string) => void;
  /** Mask of all secrets that the session knows, for output and logs. */
  readonly mask: SecretMask;

  constructor(
    { env, workdir, mask = new SecretMask() }: { env: Record<string, string>; workdir: string; mask?: SecretMask },
    onNotice: (text: string) => void,
  ) {
    this.env = env;
    this.workdir = workdir;
    this.mask = mask;
    this.onNotice = onNotice;
  }

  /** Stores the secret of `setSecret`, which is given by its plaintext. */
  async set(name: string, plaintext: string): Promise<Secret> {
    const content = Buffer.from(plaintext);
    this.learn(name, content);
    const id = await secretId(`set:${name}`, content);
    this.plaintexts.set(id, content);
    return { type: "Secret", id, name, uri: "" };
  }

  /** Returns the secret's id in LLB and its plaintext. A URI is read once per session. */
  async resolve(secret: Secret): Promise<{ id: string; plaintext: Buffer }> {
    if (secret.uri === "") return { id: secret.id, plaintext: this.plaintexts.get(secret.id)! };
    const key = JSON.stringify([secret.uri, secret.name]);
    let pending = this.resolved.get(key);
    if (pending === undefined) {
      pending = this.readUri(secret);
      this.resolved.set(key, pending);
      pending.catch(() => this.resolved.delete(key));
    }
    return await pending;
  }

  private async readUri(secret: Secret): Promise<{ id: string; plaintext: Buffer }> {
    const { location, cacheKey } = splitCacheKey(secret.uri);
    const plaintext = await this.read(location);
    this.learn(location, plaintext);
    const named = secret.name !== "" ? secret.name : cacheKey;
    const id =
      named === undefined
        ? await secretId(location, plaintext)
        : `secret-${createHmac("sha256", "cache-key").update(named).digest("hex")}`;
    this.plaintexts.set(id, plaintext);
    return { id, plaintext };
  }

  /**
   * Stores a variable that must not affect cache keys. BuildKit puts the id into the key and asks for the value by
   * nothing else, so the id is derived from the name and from `command`, which stands for what the key contains anyway:
   * commands that run at the same time then get their own values. Equal commands share the last value of the session.
   */
  setVolatile(name: string, value: string, command: string): string {
    const id = `${volatilePrefix}${name}-${command}`;
    this.volatiles.set(id, Buffer.from(value));
    return id;
  }

  /** Lets BuildKit ask for a secret by the name that a Dockerfile uses. */
  alias(name: string, id: string): void {
    this.aliases.set(name, id);
  }

  /** Returns the plaintext for an id that BuildKit asks for. */
  get(id: string): Buffer | undefined {
    return this.plaintexts.get(id) ?? this.volatiles.get(id) ?? this.plaintexts.get(this.aliases.get(id) ?? "");
  }

  /**
   * Masks the plaintext from now on. Throws an `ApiError` when the session's secrets have too many characters in total.
   */
  private learn(name: string, plaintext: Buffer): void {
    const text = plaintext.toString("utf8");
    if (this.mask.has(text)) return;
    if (this.mask.size + text.length > maxChars)
      throw new ApiError(`the secrets of a session may have ${maxChars} characters in all`);
    if (isTooShortToMask(text) && text.trim() !== "") {
      // The CLI appends a keyed hash to the names that it creates, which means nothing to a reader.
      const shown = name.replace(/#[0-9a-f]{16}$/, "");
      this.onNotice(tooShortToMask(shown));
    }
    this.mask.add(text);
  }

  private async read(uri: string): Promise<Buffer> {
    const separator = uri.indexOf("://");
    const scheme = uri.slice(0, separator);
    const value = uri.slice(separator + 3);
    switch (scheme) {
      case "env": {
        const plaintext = Object.hasOwn(this.env, value) ? this.env[value] : undefined;
        if (plaintext === undefined) throw new ApiError(`secret env var not found: ${JSON.stringify(shorten(value))}`);
        return Buffer.from(plaintext);
      }
      case "file": {
        const name = value.startsWith("~/") ? path.join(homeFolder(this.env), value.slice(2)) : value;
        try {
          return readRegular(path.resolve(this.workdir, name));
        } catch (cause) {
          const { code } = cause as NodeJS.ErrnoException;
          const isAbsent = code === "ENOENT" || code === "ENOTDIR";
          const why = cause instanceof UnfitFile ? cause.message : isAbsent ? "no such file or directory" : code;
          throw new ApiError(`failed to read secret file ${JSON.stringify(shorten(value))}: ${why}`, {}, cause);
        }
      }
      case "cmd":
        try {
          const { stdout } = await run("sh", ["-c", value], {
            cwd: this.workdir,
            env: this.env,
            encoding: "buffer",
            timeout: 60_000,
          });
          return stdout;
        } catch (cause) {
          throw new ApiError(
            `failed to run secret command: exit code ${String((cause as { code?: unknown }).code)}`,
            {},
          );
        }
      default:
        throw new ApiError(
          `unsupported secret provider: ${JSON.stringify(scheme)} (the embedded engine serves env, file and cmd)`,
        );
    }
  }
}

/** Checks a secret's URI early, so that a malformed one fails where it was written. Throws an `ApiError`. */
export function checkSecretUri(uri: string): void {
  const separator = uri.indexOf("://");
  if (separator < 0)
    throw new ApiError(
      `malformed id: ${JSON.stringify(shorten(uri))}: a secret is env://NAME, file://PATH or cmd://COMMAND`,
    );
}

/** Keeps only the first characters: the user may have passed the secret itself instead of its name. */
function shorten(text: string): string {
  return text.length <= 3 ? text : `${text.slice(0, 3)}...`;
}

function splitCacheKey(uri: string): { location: string; cacheKey?: string } {
  const match = /^((?:env|file):\/\/[^?]*)\?cacheKey=([^&]*)$/.exec(uri);
  return match === null ? { location: uri } : { location: match[1]!, cacheKey: decodeURIComponent(match[2]!) };
}

/** Computes the id of a plaintext. The hash is slow on purpose, so it runs asynchronously, off the event loop. */
async function secretId(origin: string, plaintext: Buffer): Promise<string> {
  const hash = await slowHash(plaintext, `fastloop-secret:${origin}`, 16, { N: 4096, r: 8, p: 1 });
  return `secret-${hash.toString("hex")}`;
}
