/**
 * The daemon's log: one file, kept below a size by moving it aside once. Tokens and environments never go in, and secrets
 * of sessions are masked. A disk that is full costs lines, nothing else.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import type { SecretMask } from "../../text/index.ts";

const maxSizeBytes = 8 * 1024 * 1024;
/** What is said of a session when it has ended comes within this time. */
const forgetAfterMs = 60_000;

export interface Log {
  readonly file: string;
  write(source: string, text: string): void;
  /** The text as it may be told. */
  masked(text: string): string;
  /** Masks a session's secrets from here on; the function that is returned says that the session has ended. */
  hide(mask: SecretMask): () => void;
}

export function openLog(state: string): Log {
  const file = path.join(state, "engine.log");
  let sizeBytes = sizeOf(file);
  const masks = new Set<SecretMask>();
  const masked = (text: string): string => [...masks].reduce((result, mask) => mask.text(result), text);
  return {
    file,
    masked,
    hide(mask) {
      masks.add(mask);
      return () => void setTimeout(() => masks.delete(mask), forgetAfterMs).unref();
    },
    write(source, text) {
      const time = new Date().toISOString();
      const lines = masked(text)
        .trimEnd()
        .split("\n")
        .map((line) => `${time} ${source}: ${line}\n`)
        .join("");
      try {
        if (sizeBytes + lines.length > maxSizeBytes) {
          renameSync(file, `${file}.1`);
          sizeBytes = 0;
        }
        appendFileSync(file, lines, { mode: 0o600 });
        sizeBytes += lines.length;
      } catch {
        // Whoever is told here that the log can't be written has only the log to say so.
      }
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
