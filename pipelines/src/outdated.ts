import type { BaseImageConfig, Config } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { resolveReference } from "./published.ts";
import { keyTag } from "./tags.ts";

/** Three questions: is this description published, does the lock name today's images, are packages behind? */
export async function outdatedReport(base: BaseImageConfig, lock: Lock): Promise<string> {
  const from = pinned(base.from, lock);
  const key = baseKey(base, from);
  const [published, current, packages] = await Promise.all([
    base.registry === undefined ? undefined : resolveReference(`${base.registry}:${keyTag(key)}`),
    resolveReference(base.from),
    upgradablePackages({ ...base, from }),
  ]);
  const lines = [`key        ${key}`];
  if (base.registry !== undefined) lines.push(`published  ${published ?? "no: run publish-base"}`);
  lines.push(`from       ${fromVerdict(base.from, lock, current)}`);
  lines.push(`packages   ${packages.length === 0 ? "up to date" : `${packages.length} to upgrade: ${packages.join(", ")}`}`);
  return `${lines.join("\n")}\n`;
}

function fromVerdict(name: string, lock: Lock, current: string | undefined): string {
  const locked = lock.images[name];
  if (current === undefined) return `${name} can't be reached`;
  if (locked === undefined) return `${name} is not in fastloop.lock; today it is ${current}`;
  return locked === current ? `${name} is as locked` : `${name} moved to ${current}; run lock-base`;
}

async function upgradablePackages(base: BaseImageConfig): Promise<string[]> {
  const script =
    "if command -v apt-get >/dev/null; then apt-get update -qq && apt-get --just-print upgrade | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p'; " +
    "elif command -v apk >/dev/null; then apk -u list 2>/dev/null | cut -d' ' -f1; fi";
  const text = await baseImage(base)
    .withUser("root")
    .withEnvVariable("FASTLOOP_NONCE", new Date().toISOString())
    .withExec(["sh", "-ec", script])
    .stdout();
  return text.split("\n").filter((line) => line !== "");
}

/** The lock with the digests that the registries name today. */
export async function lockText(config: Config): Promise<string> {
  const names = new Set<string>();
  if (config.images?.base !== undefined) names.add(config.images.base.from);
  for (const suite of Object.values(config.tests?.suites ?? {})) {
    if (suite.image !== undefined && suite.image !== "base" && suite.image !== "dev") names.add(suite.image);
  }
  const images: Record<string, string> = {};
  for (const name of [...names].toSorted()) {
    const resolved = await resolveReference(name);
    if (resolved === undefined) throw new Error(`${name} can't be reached; the lock needs its digest`);
    images[name] = resolved;
  }
  const lock: Lock = { version: 1, images };
  const base = config.images?.base;
  if (base?.registry !== undefined) {
    const key = baseKey(base, pinned(base.from, lock));
    const ref = await resolveReference(`${base.registry}:${keyTag(key)}`);
    if (ref !== undefined) lock.base = { key, ref };
  }
  return `${JSON.stringify(lock, null, 2)}\n`;
}
