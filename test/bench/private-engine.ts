import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { embeddedEngine } from "../../src/engine/index.ts";

/** An embedded engine with a state of its own, so that a measurement starts from an empty cache and disturbs nobody. */
export interface PrivateEngine {
  /** BuildKit's address, for buildctl. */
  address: string;
  /** `fastloop 0.1.0 on buildkit v0.33.1`. */
  version: string;
  stop(): Promise<void>;
}

/** Starts it; from here on this process and its children mean it when they say `--engine embedded`. */
export async function startPrivateEngine(note: (text: string) => void): Promise<PrivateEngine> {
  const state = mkdtempSync(path.join(tmpdir(), "fastloop-bench-state-"));
  const before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = state;
  const restore = (): void => {
    if (before === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = before;
    rmSync(state, { recursive: true, force: true });
  };
  try {
    const engine = await embeddedEngine();
    const status = await engine.start({ onNotice: note, idle: "30m" });
    note(`engine: ${status.version}, buildkit ${status.buildkit.version} at ${status.buildkit.address}`);
    // However this benchmark ends, its daemon ends with it.
    const end = (): void => {
      try {
        process.kill(status.pid, "SIGTERM");
      } catch {
        // It is gone.
      }
    };
    process.once("exit", end);
    return {
      address: status.buildkit.address,
      version: `fastloop ${status.version} on buildkit ${status.buildkit.version}`,
      stop: async () => {
        await engine.stop(true);
        process.removeListener("exit", end);
        restore();
      },
    };
  } catch (error) {
    restore();
    throw error;
  }
}
