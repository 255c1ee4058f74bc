/** How the packages of a workspace are installed, with what their own scripts and tests start. */
import { nodeInstall, type NodeInstall } from "./node-manager.ts";
import type { NodePackage } from "./node-workspace.ts";
import { testFiles } from "../programs.ts";
import type { ProjectFiles } from "../types.ts";

/** Node 25 and images of our own come without it. Not among the global packages: its pnpm and yarn would be in the way of ours. */
const getCorepack =
  "command -v corepack >/dev/null || { npm install --prefix /opt/corepack corepack && ln -s /opt/corepack/node_modules/.bin/corepack /usr/local/bin/; }";

/** How all packages of a workspace are installed, with the managers that their own scripts and tests start. */
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

/** Whether scripts or tests start a program that comes out of npm's registry; a text about it is no start. */
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
