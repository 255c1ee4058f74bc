/** Parses messages of the function runtime as untrusted input: a body can write into the channel. */
import type { DependencyCall, FromRuntime, RuntimeError } from "../runtime/protocol.ts";

/** Error texts are for a reader, so longer ones are cut. */
const maxTextLength = 1_000_000;
const maxFrames = 100;
const maxWords = 10_000;

/** A result's value is checked later, against the function's declared type (returned-value.ts). */
export type Received = Exclude<FromRuntime, { kind: "result" }> | { kind: "result"; id: number; value: unknown };

/** Returns undefined for anything that is not a valid message. */
export function parseFromRuntime(message: unknown): Received | undefined {
  if (!isRecord(message)) return undefined;
  switch (message.kind) {
    case "ready":
      return { kind: "ready" };
    case "broken": {
      const error = parseError(message.error);
      return error && { kind: "broken", error };
    }
    case "result":
      return isId(message.id) ? { kind: "result", id: message.id, value: message.value ?? null } : undefined;
    case "error": {
      const error = parseError(message.error);
      return error && isId(message.id) ? { kind: "error", id: message.id, error } : undefined;
    }
    case "log": {
      const { stream, text, callId } = message;
      if ((stream !== "stdout" && stream !== "stderr") || typeof text !== "string") return undefined;
      if (callId !== undefined && typeof callId !== "string") return undefined;
      return { kind: "log", stream, text, ...(callId === undefined ? {} : { callId }) };
    }
    case "ask": {
      const request = parseDependencyCall(message.request);
      return request && isId(message.ask) && isId(message.call)
        ? { kind: "ask", ask: message.ask, call: message.call, request }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The arguments are checked later, against the signature (dependency-calls.ts). */
function parseDependencyCall(request: unknown): DependencyCall | undefined {
  if (!isRecord(request) || typeof request.dependency !== "string" || typeof request.function !== "string")
    return undefined;
  const { dependency, handle, function: name, args } = request;
  if (!isRecord(args) || (handle !== undefined && typeof handle !== "string")) return undefined;
  return { dependency, function: name, args, ...(handle === undefined ? {} : { handle }) };
}

function parseError(error: unknown): RuntimeError | undefined {
  if (!isRecord(error) || typeof error.message !== "string" || typeof error.name !== "string" || !isTexts(error.frames))
    return undefined;
  const place = typeof error.place === "string" ? { place: cut(error.place) } : {};
  const base = {
    message: cut(error.message),
    name: cut(error.name),
    frames: error.frames.slice(0, maxFrames).map(cut),
    ...place,
  };
  if (error.exec === undefined) return base;
  if (!isRecord(error.exec)) return undefined;
  const { command, exitCode, stdout, stderr } = error.exec;
  if (!isTexts(command) || !Number.isSafeInteger(exitCode) || typeof stdout !== "string" || typeof stderr !== "string")
    return undefined;
  return {
    ...base,
    exec: {
      command: command.slice(0, maxWords).map(cut),
      exitCode: Number(exitCode),
      stdout: lastPart(stdout),
      stderr: lastPart(stderr),
    },
  };
}

const cut = (text: string): string => text.slice(0, maxTextLength);
/** Output is cut at its start, as its end is what is shown. */
const lastPart = (text: string): string => text.slice(-maxTextLength);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
