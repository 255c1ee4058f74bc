/** Ratios of earlier nights, for what got worse: seconds of two nights' machines mean nothing beside each other, ratios of one run do. */
import type { Row } from "./types.ts";

/** By bench and case, the newest last. */
export type KeptRatios = Record<string, number[]>;

export interface Worse {
  case: string;
  ratio: number;
  /** The middle of the nights before. */
  usual: number;
}

/** So much more than usual is worse. */
const worseFrom = 1.15;
/** Fewer nights say nothing of what is usual. */
const fewestNights = 3;
const keptNights = 14;

/** What is worse than it was, and what to keep; a case that is new is kept only. */
export function compareRatios(
  before: KeptRatios,
  results: readonly { name: string; rows: readonly Row[] }[],
): { worse: Worse[]; kept: KeptRatios } {
  const kept = { ...before };
  const worse: Worse[] = [];
  for (const { name, rows } of results) {
    for (const { case: of, ratio } of rows) {
      if (ratio === undefined) continue;
      const key = `${name}: ${of}`;
      const nights = before[key] ?? [];
      const usual = [...nights].sort((a, b) => a - b)[Math.floor(nights.length / 2)];
      if (usual !== undefined && nights.length >= fewestNights && ratio > worseFrom * usual)
        worse.push({ case: key, ratio, usual });
      kept[key] = [...nights, ratio].slice(-keptNights);
    }
  }
  return { worse, kept };
}

/** None where the text is none of ours. */
export function parseRatios(text: string): KeptRatios {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, number[]] =>
        Array.isArray(entry[1]) && entry[1].every((ratio) => typeof ratio === "number" && Number.isFinite(ratio)),
    ),
  );
}
