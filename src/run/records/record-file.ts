/**
 * Name and content of a record's file. Names are built from an id, and an id is never taken from a file's content. A
 * record's name ends with the beginning of its digest, so that a search need not read records of other states.
 */
import type { Fingerprint } from "../../plan/index.ts";
import type { RunRecord } from "./records.ts";
import type { Outcome } from "../machine/state.ts";

const id = String.raw`\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9_-]{1,150}-[0-9a-f]{6}`;

/** Beginning of the digest; records of older builds have none. */
const mark = String.raw`(?:\.[A-Za-z0-9]{1,8})?`;

export const recordShape = new RegExp(`^${id}${mark}\\.json$`);

/** Matches records, logs, and drafts of records. */
export const runFileShape = new RegExp(`^${id}(?:\\.log|${mark}\\.json(?:\\.\\d+\\.\\d+\\.tmp)?)$`);

/** Returns a target's name as used in the ids of its runs; short enough for file names, including that of the draft. */
export const groupOf = (target: string): string => target.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 150);
export const groupOfName = (recordName: string): string =>
  idOfRecordName(recordName).slice(timeLength + 1, -"-000000".length);
const timeLength = "20260101T000000.000Z".length;

/** Returns milliseconds since 1970; 0 if the id has no valid time. */
export function timeOfId(runId: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]+Z)-/.exec(runId) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}`) || 0;
}

export const idOfRecordName = (name: string): string => name.slice(0, name.indexOf(".", timeLength));

export function recordNameOf({ id, digest }: Pick<RunRecord, "id" | "digest">): string {
  const marked = markOf(digest);
  return marked === "" ? `${id}.json` : `${id}.${marked}.json`;
}

/** Reports whether the name alone shows that the record has another digest. */
export function hasOtherDigest(name: string, digest: string): boolean {
  const end = name.length - ".json".length;
  const start = name.indexOf(".", timeLength) + 1;
  return start < end && name.slice(start, end) !== markOf(digest);
}

const markOf = (digest: string): string => digest.slice(0, 8).replace(/[^A-Za-z0-9]/g, "");
export const logNameOf = (runId: string): string => `${runId}.log`;

const outcomes: ReadonlySet<unknown> = new Set<Outcome>(["passed", "failed", "cancelled", "timed-out"]);

/**
 * Returns undefined for content that is no record, or another file's. Checked by hand, as a schema library would take
 * longer to load than all records to read.
 */
export function parseRecord(name: string, content: Buffer): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  return isRecord(value) && isNameOf(name, value) ? value : undefined;
}

const isNameOf = (name: string, record: RunRecord): boolean =>
  idOfRecordName(name) === record.id && !hasOtherDigest(name, record.digest);

function isRecord(value: unknown): value is RunRecord {
  if (!isObject(value) || value["version"] !== 1 || !areTexts(value, ["id", "target", "digest", "startedAt"]))
    return false;
  const { outcome, fresh, durationMs, reasons, engine, fingerprint, attempts, value: returned, error } = value;
  if (!outcomes.has(outcome) || typeof fresh !== "boolean" || !isDuration(durationMs)) return false;
  if (!Array.isArray(reasons) || !reasons.every((reason) => isObject(reason) && areTexts(reason, ["kind"])))
    return false;
  if (!isObject(engine) || !areTexts(engine, ["kind", "version"]) || !isFingerprint(fingerprint)) return false;
  if (attempts !== undefined && !isDuration(attempts)) return false;
  if (value["steps"] !== undefined && !isSteps(value["steps"])) return false;
  if (returned !== undefined && typeof returned !== "string") return false;
  return error === undefined || (isObject(error) && areTexts(error, ["message"]));
}

function isFingerprint(value: unknown): value is Fingerprint {
  if (!isObject(value) || typeof value["format"] !== "number" || !areTexts(value, ["function", "module", "engine"]))
    return false;
  const { call, inputs, environment, needs } = value;
  if (!Array.isArray(call) || !call.every(isText) || !isTextMap(environment) || !isTextMap(needs)) return false;
  return (
    Array.isArray(inputs) && inputs.every((input) => isObject(input) && areTexts(input, ["argument", "path", "digest"]))
  );
}

const isSteps = (value: unknown): boolean =>
  isObject(value) && isDuration(value["total"]) && isDuration(value["cached"]);
const isText = (value: unknown): value is string => typeof value === "string";
const isDuration = (value: unknown): value is number => typeof value === "number" && value >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const areTexts = (value: Record<string, unknown>, names: readonly string[]): boolean =>
  names.every((name) => isText(value[name]));
const isTextMap = (value: unknown): boolean => isObject(value) && Object.values(value).every(isText);
