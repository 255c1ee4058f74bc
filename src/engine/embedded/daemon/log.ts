/**
 * The daemon's log: one file, kept below a size by moving it aside once. Tokens and environments never go in. A disk that
 * is full costs lines, nothing else.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import path from "node:path";

const maxSizeBytes = 8 * 1024 * 1024;

export interface Log {
  readonly file: string;
  write(source: string, text: string): void;
}

export function openLog(state: string): Log {
  const file = path.join(state, "engine.log");
  let sizeBytes = sizeOf(file);
  return {
    file,
    write(source, text) {
      const time = new Date().toISOString();
      const lines = text
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
