import type { Container, Directory, File } from "@dagger.io/dagger";
import type { Config, ScanConfig } from "../vendor/config.mjs";
import { atLeast, matchAdvisories } from "./advisories.ts";
import type { Advisory, Match } from "./advisories.ts";
import { baseImage } from "./base.ts";
import type { Lock } from "./lock.ts";
import { systemPackages } from "./parity.ts";
import { cyclonedxDocument, lockedComponents, lockFiles, spdxDocument, uniqueComponents } from "./sbom.ts";
import type { Component } from "./sbom.ts";
import { UserError } from "./user-error.ts";

/** Returns the packages in the image's package database and in the project's lock files. */
export async function componentsOf(image: Container, source: Directory): Promise<Component[]> {
  const [packages, release, locked] = await Promise.all([systemPackages(image), osRelease(image), lockedIn(source)]);
  const ecosystem = release === "alpine" ? "Alpine" : "Debian";
  const system = Object.entries(packages).map(([name, version]) => ({ ecosystem, name, version }));
  return uniqueComponents([...system, ...locked]);
}

async function lockedIn(source: Directory): Promise<Component[]> {
  const files = (await Promise.all(lockFiles.map((pattern) => source.glob(pattern)))).flat();
  return (
    await Promise.all(files.map(async (file) => lockedComponents(file, await source.file(file).contents())))
  ).flat();
}

/** Returns the `ID` of the image's distribution, such as `alpine`; empty if it has none. */
async function osRelease(image: Container): Promise<string> {
  const text = await image.withUser("root").withExec(["sh", "-c", "cat /etc/os-release 2>/dev/null || true"]).stdout();
  return /^ID=(.*)$/m.exec(text)?.[1]?.replaceAll('"', "") ?? "";
}

/** Returns the SBOM as JSON, in the format of `scan.format`. `created` is an RFC 3339 time. */
export function sbomText(config: Config, components: readonly Component[], created: string): string {
  const write = config.scan?.format === "cyclonedx" ? cyclonedxDocument : spdxDocument;
  return `${JSON.stringify(write(config.name ?? "project", components, created), null, 2)}\n`;
}

/** Runs `scan.tool` with the image's files at `/image` and the SBOM at `/sbom.json`. Fails if the scanner does. */
export function runScanner(
  tool: NonNullable<ScanConfig["tool"]>,
  image: Container,
  sbom: File,
  lock: Lock,
): Promise<string> {
  const commands = typeof tool.run === "string" ? [tool.run] : tool.run;
  return baseImage({ from: tool.image, packages: tool.packages }, lock)
    .withMountedDirectory("/image", image.rootfs())
    .withMountedFile("/sbom.json", sbom)
    .withExec(["sh", "-ec", commands.join("\n")])
    .stdout();
}

/** Reads OSV records from a file of the project or a URL. Throws a `UserError` if it has another format. */
export async function readAdvisories(place: string, source: Directory): Promise<Advisory[]> {
  const text = /^https?:\/\//.test(place) ? await download(place) : await source.file(place).contents();
  const parsed: unknown = JSON.parse(text);
  const list = Array.isArray(parsed) ? parsed : (parsed as { vulns?: unknown }).vulns;
  if (!Array.isArray(list))
    throw new UserError(`${place}: expected a list of OSV records, or an object with \`vulns\``);
  return list as Advisory[];
}

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new UserError(`${url}: ${response.status}`);
  return response.text();
}

/** Returns the report, or throws it as a `UserError` if a match not in `scan.ignore` has at least `scan.severity`. */
export function judge(config: Config, components: readonly Component[], advisories: readonly Advisory[]): string {
  const { severity = "high", ignore = [] } = config.scan ?? {};
  const matches = matchAdvisories(components, advisories).filter((match) => !ignore.includes(match.advisory));
  const report = matchTable(matches, components.length);
  if (matches.some((match) => atLeast(match.severity, severity)))
    throw new UserError(`${report}\nthe scan fails from ${severity} on`);
  return report;
}

function matchTable(matches: readonly Match[], count: number): string {
  const head = `${count} components, ${matches.length} known vulnerabilities\n`;
  if (matches.length === 0) return head;
  const rows = matches.map(
    (m) =>
      `| ${m.severity} | ${m.advisory} | ${m.component.name} ${m.component.version} | ${m.fixed ?? "none"} | ${m.summary} |`,
  );
  return [head, "| severity | advisory | component | fixed in | summary |", "|---|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}
