import { dag } from "@dagger.io/dagger";
import type { Container, Platform } from "@dagger.io/dagger";
import { sizeBytes } from "../vendor/config.mjs";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { UserError } from "./user-error.ts";

/** The result of the check of one tool or of the size. */
export interface Finding {
  platform: string;
  subject: string;
  expected: string;
  found: string;
  passed: boolean;
}

/** Runs each tool's check in the image and compares versions. Compares the size with `maxSize`, if there is one. */
export async function verifyImage(image: Container, base: BaseImageConfig, platform: Platform): Promise<Finding[]> {
  const shell = image.withUser("root");
  const tools = (base.tools ?? []).map(async (tool) => {
    const check = tool.check ?? `${tool.name} --version`;
    const found = await answerOf(shell.withExec(["sh", "-ec", check]));
    return { platform, subject: tool.name, expected: tool.version, found, passed: hasVersion(found, tool.version) };
  });
  const size = base.maxSize === undefined ? [] : [weigh(shell, base.maxSize, platform)];
  return Promise.all([...tools, ...size]);
}

/** Returns a published image for a platform; default: the engine's platform. */
export const publishedImage = (reference: string, platform?: Platform): Container =>
  dag.container(platform === undefined ? undefined : { platform }).from(reference);

/** Returns the first line that a check prints, or `failed: ` with its last line of stderr. */
async function answerOf(container: Container): Promise<string> {
  try {
    return (await container.stdout()).trim().split("\n")[0] ?? "";
  } catch (failure) {
    const { stderr, message } = failure as { stderr?: string; message: string };
    return `failed: ${(stderr || message).trim().split("\n").at(-1)}`;
  }
}

/** Returns whether a text contains a version: `1.92` is in `rustc 1.92.0`, but not in `1.920` or `21.92`. */
export function hasVersion(text: string, version: string): boolean {
  const escaped = version.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(^|[^0-9.])v?${escaped}($|[^0-9])`).test(text);
}

async function weigh(shell: Container, maxSize: string, platform: string): Promise<Finding> {
  const limitBytes = sizeBytes(maxSize);
  const usedBytes = Number((await shell.withExec(["du", "-sx", "--block-size=1", "/"]).stdout()).split(/\s/)[0]);
  return {
    platform,
    subject: "size",
    expected: `<= ${maxSize}`,
    found: `${(usedBytes / 1e6).toFixed(0)}MB`,
    passed: usedBytes <= limitBytes,
  };
}

/** Returns the findings as a Markdown table, which CI summaries show, too. */
export function findingsTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return "Nothing to verify: `images.base` has no tools and no `maxSize`.\n";
  const rows = findings.map(
    (f) => `| ${f.platform} | ${f.subject} | ${f.expected} | ${f.found} | ${f.passed ? "ok" : "FAILED"} |`,
  );
  return ["| platform | checked | expected | found | result |", "|---|---|---|---|---|", ...rows, ""].join("\n");
}

/** Throws a `UserError` that lists the failed findings, if there are any. */
export function refuseFailures(findings: readonly Finding[]): void {
  const failed = findings.filter((finding) => !finding.passed);
  if (failed.length === 0) return;
  const mismatches = failed.map((f) => `${f.subject} on ${f.platform}: expected ${f.expected}, found ${f.found}`);
  throw new UserError(`the base image is not what it says:\n${mismatches.join("\n")}`);
}
