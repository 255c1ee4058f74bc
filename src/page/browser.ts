/** Shows an address in the user's browser, where there is one on this machine's screen. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { findSafeExecutable, stateHome } from "../paths/index.ts";

/**
 * Returns what takes back what it left. The address holds a token, and every user of a machine sees the words of all
 * programs: the browser gets a file of this user alone, which leads on.
 */
export function showInBrowser(url: string, env: NodeJS.ProcessEnv): () => void {
  const command = openerOf(env);
  if (command === undefined) return () => undefined;
  const folder = path.join(stateHome(env), "page");
  const file = path.join(folder, `${process.pid}.html`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}">\n`, { mode: 0o600 });
  const child = spawn(command, [file], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
  return () => rmSync(file, { force: true });
}

/** Undefined over SSH, in CI and where there is no screen: the address is told all the same. */
function openerOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env["CI"] !== undefined || env["SSH_CONNECTION"] !== undefined) return undefined;
  if (process.platform === "darwin") return findSafeExecutable("open", env).file;
  if (process.platform !== "linux") return undefined;
  return env["DISPLAY"] === undefined && env["WAYLAND_DISPLAY"] === undefined
    ? undefined
    : findSafeExecutable("xdg-open", env).file;
}
