import type { Component } from "./sbom.ts";
import { compareSemver } from "./version-semver.ts";
import { versionOrder } from "./versions.ts";

export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** An OSV record (https://ossf.github.io/osv-schema), with the fields that matching reads. */
export interface Advisory {
  id: string;
  summary?: string;
  database_specific?: { severity?: string };
  affected?: {
    package?: { ecosystem: string; name: string };
    versions?: string[];
    ranges?: OsvRange[];
  }[];
}

interface OsvRange {
  /** `SEMVER`, `ECOSYSTEM` or `GIT`. */
  type: string;
  events: OsvEvent[];
}

interface OsvEvent {
  introduced?: string;
  fixed?: string;
  last_affected?: string;
}

export interface Match {
  advisory: string;
  severity: Severity;
  component: Component;
  fixed?: string;
  summary: string;
}

/**
 * Returns a match for each component with a version that an advisory affects. An advisory without a severity counts as
 * high.
 */
export function matchAdvisories(components: readonly Component[], advisories: readonly Advisory[]): Match[] {
  const byName = new Map<string, Component[]>();
  for (const component of components) {
    const name = componentKey(component.ecosystem, component.name);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [component]);
    else known.push(component);
  }
  return advisories.flatMap((advisory) =>
    (advisory.affected ?? []).flatMap((affected) => {
      // OSV names ecosystems with their release, such as `Debian:12`. The image's release is not compared.
      const ecosystem = affected.package?.ecosystem.split(":")[0] ?? "";
      const candidates = byName.get(componentKey(ecosystem, affected.package?.name ?? "")) ?? [];
      return candidates.flatMap((component): Match[] => {
        const hit =
          affected.versions?.includes(component.version) === true ||
          (affected.ranges ?? []).some((range) => inRange(component, range));
        if (!hit) return [];
        const fixed = fixedIn(component, affected.ranges ?? []);
        return [
          { advisory: advisory.id, severity: severityOf(advisory), component, fixed, summary: advisory.summary ?? "" },
        ];
      });
    }),
  );
}

/** Returns the key of a package name. PyPI treats `Zope.Interface` and `zope-interface` as the same name. */
function componentKey(ecosystem: string, name: string): string {
  return `${ecosystem} ${ecosystem === "PyPI" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name}`;
}

/** Returns the lowest version above the component's in which the advisory is fixed; undefined if there is none. */
function fixedIn({ ecosystem, version }: Component, ranges: readonly OsvRange[]): string | undefined {
  const compare = versionOrder(ecosystem);
  const fixes = ranges
    .filter(({ type }) => type !== "GIT")
    .flatMap(({ events }) => events.flatMap(({ fixed }) => (fixed === undefined ? [] : [fixed])));
  return fixes.filter((fixed) => compare(fixed, version) > 0).toSorted(compare)[0];
}

export function severityOf(advisory: Advisory): Severity {
  const text = advisory.database_specific?.severity?.toLowerCase().replace("moderate", "medium");
  return severities.find((severity) => severity === text) ?? "high";
}

export const atLeast = (severity: Severity, floor: Severity): boolean =>
  severities.indexOf(severity) >= severities.indexOf(floor);

/**
 * Evaluates a range as OSV specifies: events sorted by version, `0` before all others. A range of commits (`GIT`) never
 * matches, because components have no commits.
 */
function inRange(component: Component, { type, events }: OsvRange): boolean {
  if (type === "GIT") return false;
  const compare = type === "SEMVER" ? compareSemver : versionOrder(component.ecosystem);
  const { version } = component;
  const versionOf = (event: OsvEvent): string => event.introduced ?? event.fixed ?? event.last_affected ?? "0";
  const byVersion = (a: string, b: string): number =>
    a === "0" || b === "0" ? Number(b === "0") - Number(a === "0") : compare(a, b);
  let inside = false;
  for (const event of events.toSorted((a, b) => byVersion(versionOf(a), versionOf(b)))) {
    if (event.introduced !== undefined && (event.introduced === "0" || compare(version, event.introduced) >= 0))
      inside = true;
    if (event.fixed !== undefined && compare(version, event.fixed) >= 0) inside = false;
    if (event.last_affected !== undefined && compare(version, event.last_affected) > 0) inside = false;
  }
  return inside;
}
