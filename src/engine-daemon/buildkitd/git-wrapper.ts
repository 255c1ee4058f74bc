/** Installs a `git` that BuildKit finds first. It uses the proxy that keeps git off this machine. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findExecutable, proxyVariables } from "../../paths/index.ts";
import { gitProxyFor } from "../../core-api/index.ts";

/** Returns the folder to put first in buildkitd's PATH, or undefined when there is no git. */
export async function gitWrapperFolder(
  state: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const git = findExecutable("git", env);
  if (git === undefined) return undefined;
  const { environment } = await gitProxyFor(env);
  const folder = path.join(state, "bin");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, "git");
  const lines = [
    "#!/bin/sh",
    "# Written by `fastloop engine`.",
    `unset ${proxyVariables.join(" ")}`,
    ...Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`),
    `exec '${git.replaceAll("'", "'\\''")}' "$@"`,
    "",
  ];
  writeFileSync(file, lines.join("\n"), { mode: 0o700 });
  chmodSync(file, 0o700);
  return folder;
}
