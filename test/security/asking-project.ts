/** A repository as somebody else may have written it, cloned into a folder of its own beside a home with things in it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";

const moduleSource = `
import { argument, dag, Directory, File, func, object, Secret, Service, Socket } from "@dagger.io/dagger"

@object()
export class Ci {
  @func({ cache: "never" })
  async secret(s: Secret): Promise<string> {
    return "got " + (await s.plaintext())
  }

  @func({ cache: "never" })
  async linkedFolder(@argument({ defaultPath: "docs" }) d: Directory): Promise<string> {
    return JSON.stringify(await d.entries())
  }

  @func({ cache: "never" })
  linkedFile(@argument({ defaultPath: "key" }) f: File): Promise<string> {
    return f.contents()
  }

  @func({ cache: "never" })
  async folder(d: Directory): Promise<string> {
    return JSON.stringify(await d.entries())
  }

  @func({ cache: "never" })
  async socket(s: Socket): Promise<string> {
    return typeof (await s.id())
  }

  @func({ cache: "never" })
  async service(s: Service): Promise<string> {
    return typeof (await s.id())
  }

  @func({ cache: "never" })
  made(): Directory {
    return dag.directory().withNewFile("made", "by the module")
  }

  @func({ cache: "never" })
  fine(): string {
    return "ran"
  }
}
`;

export class AskingProject {
  readonly base = mkdtempSync(path.join(tmpdir(), "fastloop-hostile-"));
  readonly home = path.join(this.base, "home");
  readonly root = path.join(this.base, "clone");

  constructor() {
    for (const folder of ["home/.ssh", "clone/ci/src", "clone/inside"])
      mkdirSync(path.join(this.base, folder), { recursive: true });
    writeFileSync(path.join(this.home, ".ssh/id"), "key-of-the-user");
    execFileSync("git", ["init", "-q", this.root]);
    this.write("dagger.json", '{"name":"ci","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}');
    this.write("ci/src/index.ts", moduleSource);
    this.write("inside/token", "of-the-repository");
    symlinkSync(path.join(this.home, ".ssh"), path.join(this.root, "docs"));
    symlinkSync(path.join(this.home, ".ssh/id"), path.join(this.root, "key"));
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true });
    writeFileSync(path.join(this.root, name), text);
  }

  /** `fastloop.yaml` with these calls, by their names. */
  watch(calls: Record<string, string>, more = ""): void {
    const targets = Object.entries(calls).map(([name, call]) => `    ${name}: { call: ${JSON.stringify(call)} }\n`);
    this.write("fastloop.yaml", `version: 1\nwatch:\n  targets:\n${targets.join("")}${more}`);
  }

  /** The CLI in the clone, with that home. */
  run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    return fastloop(words, {
      cwd: this.root,
      env: {
        HOME: this.home,
        XDG_CACHE_HOME: cacheHome,
        XDG_CONFIG_HOME: path.join(this.home, ".config"),
        TOKEN_OF_USER: "value-of-the-user",
        ...env,
      },
    });
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** Tools and base images are the user's own, whatever home a test gives. */
const cacheHome = process.env["XDG_CACHE_HOME"] ?? path.join(process.env["HOME"] ?? "/root", ".cache");
