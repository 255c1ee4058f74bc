/** Opens an address in the user's browser, if there is one on this machine's screen. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { findSafeExecutable, stateHome } from "../paths/index.ts";

/**
 * Opens the browser and returns a function that removes the temporary file. The address holds a token, and other users
 * can see the arguments of every process. So the browser gets a file that only this user can read, which redirects to
 * the address.
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

/** Returns undefined over SSH, in CI and without a screen; the address is printed in any case. */
function openerOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env["CI"] !== undefined || env["SSH_CONNECTION"] !== undefined) return undefined;
  if (process.platform === "darwin") return findSafeExecutable("open", env).file;
  if (process.platform !== "linux") return undefined;
  return env["DISPLAY"] === undefined && env["WAYLAND_DISPLAY"] === undefined
    ? undefined
    : findSafeExecutable("xdg-open", env).file;
}
