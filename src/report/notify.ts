import { spawn } from "node:child_process";
import type { LoopNotice } from "../run/index.ts";

/** Programs that show a desktop notification, by platform. */
const programs: Partial<Record<NodeJS.Platform, (title: string, text: string) => [string, string[]]>> = {
  linux: (title, text) => ["notify-send", ["--app-name=fastloop", title, text]],
  darwin: (title, text) => [
    "osascript",
    ["-e", `display notification ${JSON.stringify(text)} with title ${JSON.stringify(title)}`],
  ],
};

/**
 * Shows a desktop notification when a failure is new and when everything is current again, not for each run. If no
 * program can show it, calls `onMissing` once.
 */
export function desktopNotifier(
  onMissing: (text: string) => void,
  platform = process.platform,
): (notice: LoopNotice) => void {
  let failedBefore = "";
  let missing = false;
  const show = (title: string, text: string): void => {
    const [program, words] = programs[platform]?.(title, text) ?? [undefined, []];
    const onError = (): void => {
      if (!missing) onMissing(`no desktop notifications: ${program ?? platform} cannot show them`);
      missing = true;
    };
    if (program === undefined) return onError();
    spawn(program, words, { stdio: "ignore", detached: true }).on("error", onError).unref();
  };
  return (notice) => {
    if (notice.kind !== "settled") return;
    const failed = notice.failed.join(", ");
    if (failed !== "" && failed !== failedBefore) show("fastloop: failed", failed);
    else if (failed === "" && failedBefore !== "") show("fastloop: fixed", "everything is current");
    failedBefore = failed;
  };
}
