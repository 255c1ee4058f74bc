/** Installation of a workspace's packages, with the tools that their own scripts and tests start. */
import { nodeInstall, type NodeInstall } from "./node-manager.ts";
import type { NodePackage } from "./node-workspace.ts";
import { testFiles } from "../programs.ts";
import type { ProjectFiles } from "../types.ts";

/**
 * Node 25 and fastloop's own images lack corepack. It is not installed globally, as its pnpm and yarn would hide the
 * others.
 */
const getCorepack =
  "command -v corepack >/dev/null || { npm install --prefix /opt/corepack corepack && ln -s /opt/corepack/node_modules/.bin/corepack /usr/local/bin/; }";

/**
 * Returns how all packages of a workspace are installed, with the package managers that their scripts and tests start.
 */
export function installOf(files: ProjectFiles, packages: readonly NodePackage[]): NodeInstall {
  const install = nodeInstall(files, packages[0]!.folder);
  const startsBun = !install.because.startsWith("bun.") && starts(files, packages, bunCommand);
  const prepare = [
    ...(usesCorepack(files, packages) ? [getCorepack] : []),
    ...(startsBun ? ["npm install --global bun"] : []),
    ...install.prepare,
  ];
  return { ...install, prepare };
}

const usesCorepack = (files: ProjectFiles, packages: readonly NodePackage[]): boolean =>
  starts(files, packages, { script: /\bcorepack\b/, test: /["'`]corepack / });

const bunCommand = {
  script: /(?:^|&& |; )bun (?:run|x|test|build)\b/,
  test: /["'`]bun (?:-v|--version|run|x|pm|install|add|test|build)\b/,
};

/**
 * Reports whether scripts or tests start a program from npm's registry; a text that only mentions it does not count.
 */
const starts = (
  files: ProjectFiles,
  packages: readonly NodePackage[],
  command: { script: RegExp; test: RegExp },
): boolean =>
  packages.some(
    ({ folder, scripts }) =>
      Object.values(scripts).some((text) => command.script.test(text)) ||
      testFiles(files, folder).some((file) => command.test.test(files.read(file))),
  );
