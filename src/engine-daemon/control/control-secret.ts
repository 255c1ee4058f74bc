/**
 * What a client of the control socket shows beside reaching it: a secret that each daemon makes anew and leaves in its
 * state folder for its user alone. Who was handed the socket, or found a way to its path, still can't read that file.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type http from "node:http";
import path from "node:path";
import { writeFileAtomically } from "../../tree/index.ts";

const header = "authorization";
const scheme = "Bearer ";

const secretFile = (state: string): string => path.join(state, "control.secret");

/** Makes the secret of this daemon, before it listens. */
export function makeControlSecret(state: string): string {
  const secret = randomBytes(32).toString("hex");
  writeFileAtomically(secretFile(state), secret, 0o600);
  return secret;
}

/** The header that a client sends; none where there is no secret to read: a daemon of before there was one. */
export function controlHeaders(state: string): Record<string, string> {
  try {
    return { [header]: scheme + readFileSync(secretFile(state), "utf8") };
  } catch {
    return {};
  }
}

/** Compares in constant time. */
export function showsSecret({ headers }: http.IncomingMessage, secret: string): boolean {
  const shown = headers[header] ?? "";
  return timingSafeEqual(digest(shown), digest(scheme + secret));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
