import type { Container, Platform } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { run } from "./exec.ts";
import { imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";

/** How a base is built beside what its description says. */
export interface BaseBuild {
  platform?: Platform;
  /** A text that no build had before makes the packages be installed anew, whatever is cached. */
  freshness?: string;
}

/**
 * The base image: what changes rarely. System packages, pinned tools, global npm packages, the user and the workdir, each
 * in a layer of its own, the slowest first.
 */
export function baseImage(base: BaseImageConfig, lock: Lock, { platform, freshness }: BaseBuild = {}): Container {
  let image = imageOf(base.from, lock, platform);
  for (const [name, value] of Object.entries(base.env ?? {})) image = image.withEnvVariable(name, value);
  const packages = base.packages ?? [];
  if (packages.length > 0)
    image = run(image, [...(freshness === undefined ? [] : [`: as of ${freshness}`]), installPackages(packages)]);
  for (const tool of base.tools ?? []) {
    if (tool.install === undefined) continue;
    const commands = typeof tool.install === "string" ? [tool.install] : tool.install;
    const before = [`export VERSION=${quote(tool.version)} TARGETARCH="$(${targetArch})"`];
    image = run(image, commands, {}, { before });
  }
  const globals = base.globals ?? [];
  if (globals.length > 0) {
    image = run(image, [`npm install --global --no-audit --no-fund ${globals.map(quote).join(" ")}`], {
      npm: "/root/.npm",
    });
  }
  const { user, workdir } = base;
  if (user !== undefined) image = run(image, [`id -u ${quote(user)} >/dev/null 2>&1 || ${addUser(user)}`]);
  if (workdir !== undefined) {
    image = run(image, [
      `mkdir -p ${quote(workdir)}`,
      ...(user === undefined ? [] : [`chown ${quote(user)} ${quote(workdir)}`]),
    ]);
    image = image.withWorkdir(workdir);
  }
  return user === undefined ? image : image.withUser(user);
}

/** One command for the package managers of the usual images; leaves no package lists behind. */
function installPackages(packages: readonly string[]): string {
  const names = packages.map(quote).join(" ");
  return [
    "if command -v apt-get >/dev/null; then",
    `  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${names} && rm -rf /var/lib/apt/lists/*`,
    "elif command -v apk >/dev/null; then",
    `  apk add --no-cache ${names}`,
    "else echo 'neither apt-get nor apk in this image' >&2; exit 1; fi",
  ].join("\n");
}

const addUser = (user: string): string =>
  `useradd --create-home --shell /bin/sh ${quote(user)} 2>/dev/null || adduser -D ${quote(user)}`;

/** The name that release archives use for the machine. */
const targetArch = "case $(uname -m) in x86_64) echo amd64;; aarch64) echo arm64;; *) uname -m;; esac";

/** A word for the shell. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
