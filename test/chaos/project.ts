/** The project that chaos edits: functions over real folders, and what each of them has to compute, told from the disk. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  moduleSource,
  configuration,
  functions,
  doubtful,
  alwaysIgnored,
  linkNames,
  linkTargets,
  gitIdentity,
  edited,
  bulkFiles,
} from "./project-source.ts";

/** What is true of a function on the files as they are. */
export interface Truth {
  verdict: "current" | "failed" | "blocked";
  /** Whether it returns this when it passes, from a run that began then. */
  isValue(value: string, startedMs?: number): boolean;
  /** What it returns when it passes, for telling. */
  value: string;
}

export class ChaosProject {
  readonly root = mkdtempSync(path.join(tmpdir(), "fastloop-chaos-"));
  readonly configuration = configuration;
  /** The layer below a mount on `vol`; what is written here nobody is told of. */
  readonly layer = mkdtempSync(path.join(tmpdir(), "fastloop-chaos-layer-"));
  /** Starts a program in a namespace where `vol` is a mount that sends no events; nothing where that can't be made. */
  readonly launcher: readonly string[];
  /** Of all files that were ever seen in `cfg`. */
  private readonly seen = new Set<string>(doubtful.map((name) => `./${name}`));
  /** What of them git ignored, from when on. */
  private readonly ignoredFrom: { atMs: number; names: ReadonlySet<string> }[] = [];

  constructor() {
    this.write(
      "dagger.json",
      JSON.stringify({ name: "chaos", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    this.write("ci/package.json", JSON.stringify({ type: "module" }));
    this.write("ci/src/index.ts", moduleSource);
    this.write("fastloop.yaml", configuration);
    this.write("token.txt", "start\n");
    this.write("stamp.txt", "stamp\n");
    for (const file of doubtful) this.write(`cfg/${file}`, `cfg ${file}\n`);
    for (const [index, target] of linkTargets.entries()) {
      for (const name of ["f.txt", "in/g.txt"]) this.write(`targets/${target}/${name}`, `${target} ${name}\n`);
      mkdirSync(this.at("links"), { recursive: true });
      symlinkSync(`../targets/${target}`, this.at(`links/${linkNames[index]!}`));
    }
    this.writeRules(".gitignore", ["*.local", "*.log", "ignored/"]);
    // Git takes a folder away, and the mount on it in another namespace, unless there is something in it that it ignores.
    this.write("vol/.keep", "");
    this.write("vol/always/kept", "");
    for (const folder of ["low", "up", "work"]) mkdirSync(path.join(this.layer, folder));
    const [low, up, work] = ["low", "up", "work"].map((folder) => path.join(this.layer, folder));
    const mount = `mount -t overlay overlay -o lowerdir=${low},upperdir=${up},workdir=${work} ${this.at("vol")}`;
    const launcher = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `${mount} && exec "$@"`, "sh"];
    this.launcher = spawnSync(launcher[0]!, [...launcher.slice(1), "true"]).status === 0 ? launcher : [];
    for (const folder of edited)
      for (const name of ["a", "b", "inner/c", "inner/deep/d"])
        this.write(`${folder}/${name}.txt`, `${folder} ${name}\n`);
    for (let file = 0; file < bulkFiles; file++) this.write(`bulk/d${file % 20}/f${file}.txt`, `main ${file}\n`);
    this.git("init", "-q", "-b", "main");
    this.git("add", "-f", "cfg/tracked.local");
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

  writeRules(file: string, lines: readonly string[]): void {
    this.write(file, `${file === ".gitignore" ? alwaysIgnored : ""}${lines.map((line) => `${line}\n`).join("")}`);
  }

  git(...words: string[]): void {
    execFileSync("git", [...gitIdentity, ...words], {
      cwd: this.root,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" },
    });
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
      result.set(name, { verdict: blocked ? "blocked" : broken ? "failed" : "current", ...this.valueOf(name) });
    }
    return result;
  }

  private valueOf(name: string): Pick<Truth, "value" | "isValue"> {
    const equals = (value: string) => ({ value, isValue: (other: string): boolean => other === value });
    switch (name) {
      case "token":
      case "vol":
        return equals(readFileSync(this.at(name === "token" ? "token.txt" : "stamp.txt"), "utf8"));
      case "linked":
        return equals(sumsOf(this.root, "links"));
      case "cfg":
        return this.configured();
      default:
        return equals(`${sha256(this.listed(name))}\n`);
    }
  }

  /** After each edit of what git ignores or tracks. */
  noteIgnored(): void {
    const atMs = Date.now();
    this.ignoredFrom.push({ atMs, names: this.ignored(() => this.seen)() });
  }

  /**
   * The result on the files that count; those that git ignores may be there as they were at some other time, and so may one
   * that was ignored when it was read, and is gone since.
   */
  private configured(): Pick<Truth, "value" | "isValue"> {
    const now = sumsOf(this.at("cfg"), ".");
    for (const line of linesOf(now)) this.seen.add(nameIn(line));
    this.noteIgnored();
    const { names: ignored } = this.ignoredFrom.at(-1)!;
    const there = new Set(linesOf(now).map(nameIn));
    const counting = (value: string, didCount: (name: string) => boolean): string =>
      linesOf(value)
        .filter((line) => !ignored.has(nameIn(line)) && (there.has(nameIn(line)) || didCount(nameIn(line))))
        .join("\n");
    const value = counting(now, () => true);
    const didCountSince = (startedMs: number) => {
      const first = this.ignoredFrom.findLastIndex(({ atMs }) => atMs <= startedMs);
      const since = this.ignoredFrom.slice(Math.max(first, 0));
      return (name: string): boolean => !since.some(({ names }) => names.has(name));
    };
    return { value, isValue: (other, startedMs = Date.now()) => counting(other, didCountSince(startedMs)) === value };
  }

  /** Of names in `cfg`, there or not, those that git ignores and does not track; asked when it is needed. */
  private ignored(names: () => ReadonlySet<string>): () => ReadonlySet<string> {
    let known: Set<string> | undefined;
    return () => {
      if (known !== undefined) return known;
      const { stdout } = spawnSync("git", ["check-ignore", "-z", "--stdin"], {
        cwd: this.root,
        encoding: "utf8",
        input: [...names()].map((name) => `cfg/${name.slice(2)}\0`).join(""),
      });
      return (known = new Set(stdout.split("\0").map((name) => `./${name.slice("cfg/".length)}`)));
    };
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
        if (name.endsWith("~")) continue;
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

/** What `sha256sum` says of all files below a folder, through links, as `find -L` goes: not into a folder that it is in. */
function sumsOf(root: string, folder: string): string {
  const lines: { name: string; sum: string }[] = [];
  const walk = (name: string, above: readonly string[]): void => {
    const stats = followed(path.join(root, name));
    if (stats?.isFile() === true) lines.push({ name, sum: sha256(readFileSync(path.join(root, name))) });
    if (stats?.isDirectory() !== true) return;
    const identity = `${stats.dev}:${stats.ino}`;
    if (above.includes(identity)) return;
    for (const child of readdirSync(path.join(root, name))) walk(`${name}/${child}`, [...above, identity]);
  };
  walk(folder, []);
  return lines
    .sort((a, b) => byBytes(a.name, b.name))
    .map(({ name, sum }) => `${sum}  ${name}\n`)
    .join("");
}

/** Undefined for what leads nowhere, or round and round. */
function followed(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

const linesOf = (value: string): string[] => value.split("\n").filter((line) => line !== "");
const nameIn = (line: string): string => line.slice(line.indexOf("  ") + 2);

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
