import type { Component } from "./sbom.ts";

export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** The part of an OSV record that matching needs. */
export interface Advisory {
  id: string;
  summary?: string;
  database_specific?: { severity?: string };
  affected?: {
    package?: { ecosystem: string; name: string };
    versions?: string[];
    ranges?: { type: string; events: { introduced?: string; fixed?: string; last_affected?: string }[] }[];
  }[];
}

export interface Match {
  advisory: string;
  severity: Severity;
  component: Component;
  fixed?: string;
  summary: string;
}

/** Every advisory that names a component in a version that is there; an advisory without a severity counts as high. */
export function matchAdvisories(components: readonly Component[], advisories: readonly Advisory[]): Match[] {
  const byName = new Map<string, Component[]>();
  for (const component of components) {
    const name = `${component.ecosystem} ${component.name}`;
    byName.set(name, [...(byName.get(name) ?? []), component]);
  }
  return advisories.flatMap((advisory) =>
    (advisory.affected ?? []).flatMap((affected) => {
      // OSV writes `Debian:12`; the release is that of the image.
      const ecosystem = affected.package?.ecosystem.split(":")[0];
      const candidates = byName.get(`${ecosystem} ${affected.package?.name}`) ?? [];
      return candidates.flatMap((component): Match[] => {
        const hit = affected.versions?.includes(component.version) === true || (affected.ranges ?? []).some((range) => inRange(component.version, range.events));
        if (!hit) return [];
        const fixed = affected.ranges?.flatMap((range) => range.events).find((event) => event.fixed !== undefined)?.fixed;
        return [{ advisory: advisory.id, severity: severityOf(advisory), component, fixed, summary: advisory.summary ?? "" }];
      });
    }),
  );
}

export function severityOf(advisory: Advisory): Severity {
  const text = advisory.database_specific?.severity?.toLowerCase().replace("moderate", "medium");
  return severities.find((severity) => severity === text) ?? "high";
}

export const atLeast = (severity: Severity, floor: Severity): boolean => severities.indexOf(severity) >= severities.indexOf(floor);

function inRange(version: string, events: { introduced?: string; fixed?: string; last_affected?: string }[]): boolean {
  let inside = false;
  for (const event of events) {
    if (event.introduced !== undefined && (event.introduced === "0" || compareVersions(version, event.introduced) >= 0)) inside = true;
    if (event.fixed !== undefined && compareVersions(version, event.fixed) >= 0) inside = false;
    if (event.last_affected !== undefined && compareVersions(version, event.last_affected) > 0) inside = false;
  }
  return inside;
}

/** Numbers by value, letters by alphabet, `~` before everything (Debian), a pre-release before its release. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): string[] => version.replace(/^v/, "").match(/\d+|[A-Za-z]+|~|[^\dA-Za-z~.]/g) ?? [];
  const left = parts(a);
  const right = parts(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = comparePart(left[index], right[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === "~" || b === "~") return a === "~" ? -1 : 1;
  // What follows a `-` and is a word (rc, beta) makes a version older, a number (Debian's revision) newer.
  if (a === undefined) return b === "-" ? 0 : /^[A-Za-z]/.test(b ?? "") ? 1 : -1;
  if (b === undefined) return a === "-" ? 0 : /^[A-Za-z]/.test(a) ? -1 : 1;
  const numbers = /^\d+$/.test(a) && /^\d+$/.test(b);
  if (numbers) return Number(a) - Number(b);
  return a < b ? -1 : 1;
}
