import type { Container, Platform } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { run } from "./exec.ts";
import { imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";

/** How to build a base image, beyond its description. */
export interface BaseBuild {
  platform?: Platform;
  /** Cache buster: a new value installs system and npm packages again, such as the time of the build. */
  freshness?: string;
}

/**
 * Builds the base image: system packages, pinned tools, global npm packages, user and workdir, in this order and each
 * in its own layer. Tools are installed with `$VERSION` and `$TARGETARCH` in their environment.
 */
export function baseImage(base: BaseImageConfig, lock: Lock, { platform, freshness }: BaseBuild = {}): Container {
  let image = imageOf(base.from, lock, platform);
  for (const [name, value] of Object.entries(base.env ?? {})) image = image.withEnvVariable(name, value);
  const packages = base.packages ?? [];
  const asOf = freshness === undefined ? [] : [`: as of ${freshness}`];
  if (packages.length > 0) image = run(image, [...asOf, installPackages(packages)]);
  for (const tool of base.tools ?? []) {
    if (tool.install === undefined) continue;
    const commands = typeof tool.install === "string" ? [tool.install] : tool.install;
    const before = [`export VERSION=${quote(tool.version)} TARGETARCH="$(${targetArch})"`];
    image = run(image, commands, {}, { before });
  }
  const globals = base.globals ?? [];
  if (globals.length > 0) {
    // npm's cache mount may hold older answers of the registry.
    const online = freshness === undefined ? "" : "--prefer-online ";
    const install = `npm install --global --no-audit --no-fund ${online}${globals.map(quote).join(" ")}`;
    image = run(image, [...asOf, install], { npm: "/root/.npm" });
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

/** Returns a script that installs packages with apt-get or apk and leaves no package lists in the layer. */
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

/** Prints the machine's architecture by the name that release archives use, such as `amd64`. */
const targetArch = "case $(uname -m) in x86_64) echo amd64;; aarch64) echo arm64;; *) uname -m;; esac";

/** Quotes a word for the shell, if it needs quotes. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
