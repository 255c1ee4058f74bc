/**
 * The daemon's log: one file, which is moved aside once when it reaches its maximum size. Tokens and environments are
 * never written, and secrets of sessions are masked. On a full disk, lines are lost and nothing else happens.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import type { SecretMask } from "../../text/index.ts";

const maxSizeBytes = 8 * 1024 * 1024;
/** How long after a session's end its secrets stay masked, for messages that arrive late. */
const forgetAfterMs = 60_000;

export interface Log {
  readonly file: string;
  write(source: string, text: string): void;
  /** Returns a text with all secrets masked. */
  masked(text: string): string;
  /** Masks a session's secrets from now on. Call the returned function when the session has ended. */
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
        // There is no other place to report that the log cannot be written.
      }
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
