/**
 * Secret that clients of the control socket must send. Each daemon creates a new one and stores it in its state folder,
 * readable by its user only. Access to the socket or its path is therefore not enough.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type http from "node:http";
import path from "node:path";
import { writeFileAtomically } from "../../tree/index.ts";

const header = "authorization";
const scheme = "Bearer ";

const secretFile = (state: string): string => path.join(state, "control.secret");

/** Creates the daemon's secret. Call this before listening. */
export function makeControlSecret(state: string): string {
  const secret = randomBytes(32).toString("hex");
  writeFileAtomically(secretFile(state), secret, 0o600);
  return secret;
}

/**
 * Returns the header for a client to send. Empty when there is no readable secret, as with daemons from before it
 * existed.
 */
export function controlHeaders(state: string): Record<string, string> {
  try {
    return { [header]: scheme + readFileSync(secretFile(state), "utf8") };
  } catch {
    return {};
  }
}

/** Reports whether a request carries the secret. Compares in constant time. */
export function showsSecret({ headers }: http.IncomingMessage, secret: string): boolean {
  const shown = headers[header] ?? "";
  return timingSafeEqual(digest(shown), digest(scheme + secret));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
