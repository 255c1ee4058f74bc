/**
 * Ways in which files change that nobody thinks of: after each of them the watch comes to what `find` and `sha256sum` say of the
 * same folder on disk.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { FileProject } from "./file-project.ts";
import type { WatchProcess } from "./loop-project.ts";

const listing = String.raw`export LC_ALL=C; { { find . -mindepth 1 -type l -printf 'l %p %l\n'; find . -mindepth 1 ! -type l \( -type f -o -type d \) -printf '%y %p %m\n'; } | sort; find . -type f -print0 | sort -z | xargs -0r sha256sum; } | sha256sum`;

const moduleSource = `
import { dag, func, object, type Directory } from "@dagger.io/dagger"

@object()
export class Files {
  @func()
  list(source: Directory): Promise<string> {
    return dag.container().from("debian:bookworm-slim").withMountedDirectory("/in", source).withWorkdir("/in")
      .withExec(["sh", "-c", ${JSON.stringify(listing)}]).stdout()
  }
}
`;

let project: FileProject;
let watch: WatchProcess;
let outside: string;

beforeAll(async () => {
  outside = mkdtempSync(path.join(tmpdir(), "fastloop-outside-"));
  // What a shell, a pattern and a URL would read otherwise.
  const root = path.join(outside, "pro ject [1] %41 é {a,b} $HOME 'q'");
  mkdirSync(root);
  project = new FileProject([], {}, "", root);
  project.write(
    "dagger.json",
    JSON.stringify({ name: "files", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
  );
  project.write("ci/package.json", JSON.stringify({ type: "module" }));
  project.write("ci/src/index.ts", moduleSource);
  project.configure(['all: { call: "list --source src" }']);
  for (const name of ["a.txt", "b.txt", "deep/er/c.txt", "other/d.txt"])
    project.write(`src/${name}`, `text of ${name}\n`);
  project.write("elsewhere/e.txt", "elsewhere\n");
  project.write(".gitignore", ".fastloop\n");
  project.commitAll();
  watch = project.start("watch");
  await comesToTruth("the start");
});
afterAll(async () => {
  await project.remove();
  rmSync(outside, { recursive: true, force: true });
});

const at = (name: string): string => project.at(`src/${name}`);

function truth(): string {
  return execFileSync("sh", ["-c", listing], { cwd: project.at("src"), encoding: "utf8" }).trim();
}

/** Waits until all is settled on the files as they are. */
async function comesToTruth(what: string): Promise<void> {
  const wanted = truth();
  let last = "";
  const isTrue = (): boolean => {
    const { events } = watch;
    const settled = events.findLastIndex(({ event }) => event === "settled");
    const moved = events.findLastIndex(({ event }) => event === "planned" || event === "started");
    if (settled < 0 || moved > settled) return false;
    const digest = events.findLast(({ event }) => event === "restored" || event === "finished")?.["digest"];
    const result = events.findLast(
      (event) => event.event === "finished" && event["outcome"] === "passed" && event["digest"] === digest,
    );
    last = String(result?.["value"]).trim();
    return last === wanted;
  };
  const timer = setTimeout(() => void watch.kill("SIGKILL"), 50_000);
  try {
    await watch.until(isTrue);
  } catch (cause) {
    throw new Error(`${what}: the watch says ${last}, the disk ${wanted}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

const git = (...words: string[]): void => void project.git(...words);
const keepTimes = (file: string, edit: () => void): void => {
  const { atime, mtime } = statSync(file);
  edit();
  utimesSync(file, atime, mtime);
};
const sh = (script: string): void => {
  const { status, stderr } = spawnSync("sh", ["-ec", script], { cwd: project.at("src"), encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
};

type Step = () => void;
const kinds: Record<string, Step[]> = {
  "a save that keeps size and time, as rsync and tar make it": [
    () => keepTimes(at("a.txt"), () => writeFileSync(at("a.txt"), "text of A.txt\n")),
    () => {
      writeFileSync(at("a.new"), "text of B.txt\n");
      const { atime, mtime } = statSync(at("a.txt"));
      utimesSync(at("a.new"), atime, mtime);
      renameSync(at("a.new"), at("a.txt"));
    },
  ],
  "times of 1970 and of the far future": [
    () => utimesSync(at("a.txt"), 0, 0),
    () => keepTimes(at("a.txt"), () => writeFileSync(at("a.txt"), "text of 0.txt\n")),
    () => utimesSync(at("a.txt"), 4_000_000_000, 4_000_000_000),
    () => keepTimes(at("a.txt"), () => writeFileSync(at("a.txt"), "text of 1.txt\n")),
  ],
  "a mode alone": [
    () => chmodSync(at("a.txt"), 0o755),
    () => chmodSync(at("a.txt"), 0o4755),
    () => chmodSync(at("a.txt"), 0o644),
    () => chmodSync(at("deep"), 0o700),
    () => chmodSync(at("deep"), 0o755),
    () => git("config", "core.fileMode", "false"),
    () => chmodSync(at("b.txt"), 0o755),
  ],
  "a change of case alone": [
    () => renameSync(at("b.txt"), at("B.txt")),
    () => renameSync(at("deep"), at("Deep")),
    () => renameSync(at("Deep"), at("deep")),
    () => renameSync(at("B.txt"), at("b.txt")),
  ],
  "a file that becomes a folder, a link and a file again": [
    () => (unlinkSync(at("b.txt")), mkdirSync(at("b.txt"))),
    () => writeFileSync(at("b.txt/in"), "in\n"),
    () => (rmSync(at("b.txt"), { recursive: true }), symlinkSync("a.txt", at("b.txt"))),
    () => (unlinkSync(at("b.txt")), symlinkSync("other", at("b.txt"))),
    () => (unlinkSync(at("b.txt")), writeFileSync(at("b.txt"), "again\n")),
  ],
  "a link that leads elsewhere, nowhere, outside and round and round": [
    () => symlinkSync("a.txt", at("link")),
    () => (unlinkSync(at("link")), symlinkSync("b.txt", at("link"))),
    () => (unlinkSync(at("link")), symlinkSync("gone!", at("link"))),
    () => (unlinkSync(at("link")), symlinkSync("link", at("link"))),
    () => (unlinkSync(at("link")), symlinkSync("../elsewhere", at("link"))),
    () => unlinkSync(at("link")),
  ],
  "empty folders": [
    () => mkdirSync(at("empty/deeper"), { recursive: true }),
    () => rmdirSync(at("empty/deeper")),
    () => rmdirSync(at("empty")),
  ],
  "saves of vim, emacs, JetBrains, VS Code and sed": [
    () => sh("cp -p a.txt a.txt~; printf 'vim\n' > a.txt; rm a.txt~"),
    () => sh("printf x > 4913; rm 4913; mv a.txt a.txt~; printf 'vim renames\n' > a.txt; rm a.txt~"),
    () =>
      sh(
        "ln -s user@host.1 .#a.txt; printf 'auto' > '#a.txt#'; cp a.txt a.txt~; printf 'emacs\n' > a.txt; rm '#a.txt#' .#a.txt a.txt~",
      ),
    () =>
      sh(
        "printf 'jetbrains\n' > a.txt___jb_tmp___; mv a.txt a.txt___jb_old___; mv a.txt___jb_tmp___ a.txt; rm a.txt___jb_old___",
      ),
    () => sh("printf 'code\n' > a.txt"),
    () => sh("sed -i s/code/sed/ a.txt"),
    () => sh("perl -i.bak -pe s/sed/perl/ a.txt; rm a.txt.bak"),
  ],
  "a thousand files at once, moved as a folder, and gone": [
    () => {
      mkdirSync(at("many"));
      for (let file = 0; file < 1000; file++) writeFileSync(at(`many/f${file}`), `${file}\n`);
    },
    () => renameSync(at("many"), at("deep/many")),
    () => rmSync(at("deep/many"), { recursive: true }),
  ],
  "folders that are renamed, swapped, moved out and in": [
    () => renameSync(at("deep"), at("renamed")),
    () => (
      renameSync(at("renamed"), at("t")),
      renameSync(at("other"), at("renamed")),
      renameSync(at("t"), at("other"))
    ),
    () => renameSync(at("other"), path.join(outside, "other")),
    () => {
      writeFileSync(path.join(outside, "other/new"), "made outside\n");
      renameSync(path.join(outside, "other"), at("other"));
    },
    () => writeFileSync(at("other/new"), "edited inside\n"),
    () => renameSync(project.at("elsewhere"), at("elsewhere")),
    () => renameSync(at("elsewhere"), project.at("elsewhere")),
  ],
  "files that change places": [
    () => (renameSync(at("a.txt"), at("t")), renameSync(at("b.txt"), at("a.txt")), renameSync(at("t"), at("b.txt"))),
    () => renameSync(at("a.txt"), at("b.txt")),
    () => (copyFileSync(at("b.txt"), path.join(outside, "x")), renameSync(path.join(outside, "x"), at("a.txt"))),
  ],
  "a hard link, and a write through its other name": [
    () => linkSync(at("a.txt"), at("other/hard")),
    () => appendFileSync(at("other/hard"), "through the other name\n"),
    () => unlinkSync(at("other/hard")),
  ],
  "a file that is cut, and written by who never closes it": [
    () => truncateSync(at("a.txt"), 3),
    () => truncateSync(at("a.txt"), 0),
    () => {
      const handle = openSync(at("a.txt"), "a");
      writeSync(handle, "open\n");
      afterSteps.push(() => closeSync(handle));
    },
    () => writeFileSync(at("a.txt"), "closed\n"),
  ],
  "a pipe and a socket beside the files": [
    () => sh("mkfifo pipe; printf 'beside a pipe\n' > a.txt"),
    () => sh("rm pipe; printf 'without\n' > a.txt"),
  ],
  "there and back, many times": [
    () => {
      for (let round = 0; round < 30; round++) writeFileSync(at("a.txt"), round % 2 === 0 ? "there\n" : "and back\n");
    },
    () => writeFileSync(at("a.txt"), "there\n"),
  ],
  "a file of Git LFS, as a pointer and as itself": [
    () =>
      writeFileSync(
        at("big.bin"),
        `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 100000\n`,
      ),
    () => writeFileSync(at("big.bin"), Buffer.alloc(3_000_000, 7)),
    () => writeFileSync(at("big.bin"), Buffer.alloc(3_000_000, 8)),
    () => unlinkSync(at("big.bin")),
  ],
  "a repository inside, with rules of its own": [
    () => {
      mkdirSync(at("inner"));
      execFileSync("git", ["init", "-q"], { cwd: at("inner") });
      writeFileSync(at("inner/.gitignore"), "*.log\n");
      writeFileSync(at("inner/x.log"), "ignored there\n");
    },
    () => writeFileSync(at("inner/x.log"), "changed\n"),
    () => rmSync(at("inner"), { recursive: true }),
  ],
  "a sparse checkout, and all of it again": [
    () => (git("add", "-A"), git("commit", "-q", "-m", "so far")),
    () => git("sparse-checkout", "set", "--no-cone", "/*", "!/src/other"),
    () => git("sparse-checkout", "disable"),
  ],
  "git that puts files back and takes them away": [
    () => writeFileSync(at("a.txt"), "to be thrown away\n"),
    () => git("checkout", "-q", "--", "src"),
    () => writeFileSync(at("untracked"), "x\n"),
    () => git("clean", "-q", "-fd", "src"),
    () => git("rm", "-q", "-r", "src/other"),
    () => git("reset", "-q", "--hard"),
  ],
  "all of it away, and made again": [
    () => renameSync(project.at("src"), project.at("src.away")),
    () => cpSync(project.at("src.away"), project.at("src"), { recursive: true }),
    () => (rmSync(project.at("src.away"), { recursive: true }), writeFileSync(at("a.txt"), "made again\n")),
  ],
};
const afterSteps: Step[] = [];

describe("the watch comes to what is on disk after", () => {
  test.each(Object.keys(kinds))("%s", { timeout: 300_000 }, async (kind) => {
    for (const [index, step] of kinds[kind]!.entries()) {
      step();
      // A folder that is away is no folder to list.
      if (statSync(project.at("src"), { throwIfNoEntry: false }) !== undefined)
        await comesToTruth(`${kind}, step ${index}`);
    }
    for (const step of afterSteps.splice(0)) step();
  });
});
