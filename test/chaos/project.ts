/** The project that chaos edits: functions over real folders, and what each of them has to compute, told from the disk. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A list of all that is in the mounted folders, with mode, link text and content: one missed byte is another value. */
const listing = `export LC_ALL=C; cd /in; { find . -mindepth 1 -type l -printf 'l %p %l\\n'; find . -mindepth 1 ! -type l -printf '%y %p %m\\n'; } | sort;
  find . -type f -print0 | sort -z | xargs -0r sha256sum`;

const moduleSource = `import { dag, func, object, type Container, type Directory, type File } from "@dagger.io/dagger";

@object()
export class Chaos {
  /** Lists what it sees; a file \`broken\` makes it fail, a file \`slow\` makes it last. */
  @func()
  async list(source: Directory, library?: Directory): Promise<string> {
    let box: Container = dag.container().from("debian:bookworm-slim").withMountedDirectory("/in/source", source);
    if (library !== undefined) box = box.withMountedDirectory("/in/library", library);
    return box.withExec(["sh", "-c", \`[ -e /in/source/broken ] && exit 3
      if [ -e /in/source/slow ]; then sleep 0.4; fi
      { ${listing.replaceAll("\\", "\\\\")}; } | tee /dev/fd/2 | sha256sum | cut -c1-64\`]).stdout();
  }

  /** The content of one file. */
  @func()
  async read(file: File): Promise<string> {
    return file.contents();
  }
}
`;

const configuration = `version: 1
name: chaos
watch:
  targets:
    lib: { call: "list --source lib" }
    api: { call: "list --source api --library lib", needs: [lib] }
    web: { call: "list --source web --library api", needs: [api], policy: queue }
    docs: { call: "list --source docs" }
    bulk: { call: "list --source bulk" }
    token: { call: "read --file token.txt" }
engine:
  jobs: 3
# A state that comes back after more runs than are kept runs again, as documented; here none is to be forgotten.
records: { keep: 100000 }
`;

/** The folders that a function reads, by where it sees them, and what it needs. */
export const functions: Record<string, { mounts: Record<string, string>; needs: string[] }> = {
  lib: { mounts: { source: "lib" }, needs: [] },
  api: { mounts: { source: "api", library: "lib" }, needs: ["lib"] },
  web: { mounts: { source: "web", library: "api" }, needs: ["api"] },
  docs: { mounts: { source: "docs" }, needs: [] },
  bulk: { mounts: { source: "bulk" }, needs: [] },
  token: { mounts: {}, needs: [] },
};

export const edited = ["lib", "api", "web", "docs"] as const;
export const bulkFiles = 400;

/** What is true of a function on the files as they are. */
export interface Truth {
  verdict: "current" | "failed" | "blocked";
  /** What it returns when it passes. */
  value: string;
}

export class ChaosProject {
  readonly root = mkdtempSync(path.join(tmpdir(), "fastloop-chaos-"));
  readonly configuration = configuration;

  constructor() {
    this.write(
      "dagger.json",
      JSON.stringify({ name: "chaos", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    this.write("ci/package.json", JSON.stringify({ type: "module" }));
    this.write("ci/src/index.ts", moduleSource);
    this.write("fastloop.yaml", configuration);
    this.write("token.txt", "start\n");
    this.write(".gitignore", ".fastloop\n");
    for (const folder of edited)
      for (const name of ["a", "b", "inner/c", "inner/deep/d"])
        this.write(`${folder}/${name}.txt`, `${folder} ${name}\n`);
    for (let file = 0; file < bulkFiles; file++) this.write(`bulk/d${file % 20}/f${file}.txt`, `main ${file}\n`);
    this.git("init", "-q", "-b", "main");
    this.commit("main");
    this.git("checkout", "-q", "-b", "other");
    for (let file = 0; file < bulkFiles; file++) this.write(`bulk/d${file % 20}/f${file}.txt`, `other ${file}\n`);
    this.commit("other");
    this.git("checkout", "-q", "main");
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  git(...words: string[]): void {
    const identity = ["-c", "user.name=chaos", "-c", "user.email=chaos@example.invalid", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...identity, ...words], { cwd: this.root, stdio: ["ignore", "ignore", "pipe"] });
  }

  commit(message: string): void {
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
  }

  /** What each function has to come to, without any code of ours. */
  truth(): Map<string, Truth> {
    const result = new Map<string, Truth>();
    for (const [name, { mounts, needs }] of Object.entries(functions)) {
      const blocked = needs.some((need) => result.get(need)!.verdict !== "current");
      const broken = mounts["source"] !== undefined && exists(this.at(`${mounts["source"]}/broken`));
      const value = name === "token" ? readFileSync(this.at("token.txt"), "utf8") : `${sha256(this.listed(name))}\n`;
      result.set(name, { verdict: blocked ? "blocked" : broken ? "failed" : "current", value });
    }
    return result;
  }

  /** What a function sees; the log of its run holds what it saw. */
  listed(name: string): string {
    const { mounts } = functions[name]!;
    const entries: string[] = [];
    const sums: string[] = [];
    for (const [mount, folder] of Object.entries(mounts)) {
      // The mount points themselves are made with the engine's own mode.
      entries.push(`d ./${mount} 755`);
      for (const name of namesBelow(this.at(folder))) {
        const file = this.at(`${folder}/${name}`);
        const stats = lstatSync(file);
        const shown = `./${mount}/${name}`;
        if (stats.isSymbolicLink()) entries.push(`l ${shown} ${readlinkSync(file)}`);
        else entries.push(`${stats.isDirectory() ? "d" : "f"} ${shown} ${(stats.mode & 0o7777).toString(8)}`);
        if (stats.isFile()) sums.push(`${shown}\0${sha256(readFileSync(file))}`);
      }
    }
    const sortedSums = sums.sort(byBytes).map((sum) => `${sum.split("\0")[1]}  ${sum.split("\0")[0]}`);
    return [...entries.sort(byBytes), ...sortedSums].map((line) => `${line}\n`).join("");
  }
}

/** All names in a folder and its folders. Node's recursive listing is none: it follows links. */
export function namesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    return [entry.name, ...namesBelow(path.join(folder, entry.name)).map((name) => `${entry.name}/${name}`)];
  });
}

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
