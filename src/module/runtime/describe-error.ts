/** Converts an error of a function body to the form that crosses the process boundary. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { RuntimeError } from "./protocol.ts";

/** Node has already mapped the stack to the sources; only frames inside the module are kept. */
export function describeError(error: unknown, sourceDir: string): RuntimeError {
  if (!(error instanceof Error)) return { message: thrownText(error), name: "Error", frames: [] };
  return {
    message: messageOf(error),
    name: error.name,
    frames: userFrames(error.stack ?? "", sourceDir),
    place: placeOf(error),
    exec: execOf(error),
  };
}

function placeOf({ place }: Error & { place?: unknown }): string | undefined {
  return typeof place === "string" ? place : undefined;
}

/**
 * The SDK wraps errors as "Encountered an unknown error" and Node as "fetch failed"; their cause says what happened.
 */
function messageOf(error: Error): string {
  const { cause } = error;
  const wraps = error.name === "UnknownDaggerError" || error.message === "fetch failed";
  const message =
    wraps && cause instanceof Error ? `${error.message}: ${cause.message}${fenced(cause)}` : error.message;
  // A Dagger engine appends this suffix, which means nothing without its traces.
  return message.replace(/ \[traceparent:[0-9a-f-]+\]$/, "");
}

/** The boundary refuses a connection just as a closed port does, so the message adds why. */
function fenced({ code, address }: Error & { code?: unknown; address?: unknown }): string {
  const isNear =
    typeof address === "string" &&
    /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|::1$|f[cd]|fe80:)/i.test(address);
  return code === "ECONNREFUSED" && isNear
    ? " (functions reach the internet and the services that they are given, not this machine or its network: docs/security.md)"
    : "";
}

function userFrames(stack: string, sourceDir: string): string[] {
  const root = path.join(sourceDir, path.sep);
  return stack.split("\n").flatMap((line) => {
    if (!/^\s+at /.test(line)) return [];
    const plain = line.trim().replace(/file:\/\/[^\s)]+/, (url) => withoutUrl(url));
    return plain.includes(root) && !plain.includes("/node_modules/") ? [plain.replaceAll(root, "")] : [];
  });
}

function withoutUrl(url: string): string {
  const position = /(:\d+:\d+)?$/.exec(url)?.[0] ?? "";
  try {
    return fileURLToPath(url.slice(0, url.length - position.length)) + position;
  } catch {
    return url;
  }
}

/** Recognizes exec errors by shape, as the module's error classes may come from another copy of the SDK. */
function execOf(error: Error): RuntimeError["exec"] {
  const { cmd, exitCode, stdout, stderr } = error as Error & Record<string, unknown>;
  if (!Array.isArray(cmd) || typeof exitCode !== "number") return undefined;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return { command: cmd.map(String), exitCode, stdout: text(stdout), stderr: text(stderr) };
}

function thrownText(value: unknown): string {
  try {
    return typeof value === "string" ? value : JSON.stringify(value);
  } catch {
    return String(value);
  }
}
