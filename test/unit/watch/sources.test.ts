import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import {
  folderSource,
  pollingSource,
  recursiveSource,
  systemClock,
  type HintListener,
  type HintSource,
} from "../../../src/watch/index.ts";
import { makeTree } from "../tree/fixture.ts";

/**
 * The contract of every hint source, with the real file system: after any edit a look is asked for that sees it. The
 * rig does what the loop does with hints (scan, register, scan again after new folders) and ends when the scan shows
 * what is on disk; a lost hint is a test that never ends, not one that waited too short.
 */
const sources: Record<string, (listener: HintListener, rig: Rig) => HintSource> = {
  folders: (listener) => folderSource(listener),
  polling: (listener, rig) =>
    pollingSource(listener, {
      fingerprint: () => rig.scanner.scan().statDigest(),
      root: rig.root,
      intervalMs: 20,
      clock: systemClock,
    }),
  // Linux has no recursive watches; what Node puts in their place loses events (see docs/watching.md).
  ...(process.platform === "linux" ? {} : { recursive: (listener: HintListener) => recursiveSource(listener) }),
};

class Rig {
  readonly root: string;
  readonly scanner: ProjectScanner;
  readonly hints: string[] = [];
  private readonly input: ScannedInput;
  private readonly source: HintSource;
  private seen = "";
  private waiters: (() => void)[] = [];

  /** `input` is what is read of the tree; all of it if nothing is said. */
  constructor(root: string, kind: keyof typeof sources, input = "") {
    this.root = root;
    this.input = {
      kind: "directory",
      path: path.join(root, input),
      filter: { exclude: ["ignored", "**/node_modules"] },
    };
    this.scanner = new ProjectScanner([this.input], new ContentHasher());
    const listener: HintListener = {
      onHint: (hint) => {
        this.hints.push(hint);
        this.look();
      },
      onFailure: (error) => {
        throw error;
      },
    };
    this.source = sources[kind]!(listener, this);
    this.look();
  }

  /** Makes an edit and waits until a look that a hint asked for has seen it. */
  async sees(edit: () => void): Promise<void> {
    edit();
    const wanted = this.onDisk();
    while (this.seen !== wanted) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  close(): void {
    this.source.close();
  }

  private look(): void {
    for (let registered = 1; registered > 0;) {
      // As the loop does it: a folder is watched before it is read, where the source can.
      const snapshot = this.scanner.scan(undefined, (folder) => this.source.add?.(folder));
      this.seen = JSON.stringify([...snapshot.manifest(this.input)]);
      registered = this.source.watch(snapshot.folders());
    }
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** The truth: a scan of its own, with a hasher that remembers nothing. */
  private onDisk(): string {
    return JSON.stringify([...new ProjectScanner([this.input], new ContentHasher()).scan().manifest(this.input)]);
  }
}

let rig: Rig | undefined;
afterEach(() => rig?.close());

describe.each(Object.keys(sources))("with hints from %s", (kind) => {
  const open = (files: Parameters<typeof makeTree>[0], input?: string): ((name: string) => string) => {
    rig = new Rig(makeTree(files), kind, input);
    return (name) => path.join(rig!.root, name);
  };
  const sees = (edit: () => void): Promise<void> => rig!.sees(edit);

  test("a file is made, changed and deleted", async () => {
    const at = open({ a: "1" });
    await sees(() => writeFileSync(at("b"), "1"));
    await sees(() => writeFileSync(at("b"), "2"));
    await sees(() => unlinkSync(at("b")));
  });

  test("atomic saves of the same file, again and again, and plain writes after them", async () => {
    const at = open({ a: "0" });
    for (let save = 1; save <= 4; save++) {
      await sees(() => {
        writeFileSync(at("a.tmp"), `${save}`);
        renameSync(at("a.tmp"), at("a"));
      });
    }
    await sees(() => writeFileSync(at("a"), "plain"));
  });

  test("vim's save by renaming the old file away", async () => {
    const at = open({ a: "0" });
    for (let save = 1; save <= 3; save++) {
      await sees(() => {
        renameSync(at("a"), at("a~"));
        writeFileSync(at("a"), `${save}`);
        unlinkSync(at("a~"));
      });
    }
  });

  test("vim's save by copying and truncating", async () => {
    const at = open({ a: "content" });
    await sees(() => {
      truncateSync(at("a"));
      appendFileSync(at("a"), "other content");
    });
  });

  test("two writes in quick succession end in the second", async () => {
    const at = open({ a: "0" });
    for (let round = 0; round < 5; round++) {
      writeFileSync(at("a"), `${round} first`);
      await new Promise((resolve) => setImmediate(resolve));
      await sees(() => writeFileSync(at("a"), `${round} second`));
    }
  });

  test("folders made with files in them at once, and written to later", async () => {
    const at = open({ a: "" });
    for (let round = 0; round < 10; round++) {
      await sees(() => {
        mkdirSync(at(`new${round}/deep/er`), { recursive: true });
        writeFileSync(at(`new${round}/deep/er/file`), "1");
      });
      await sees(() => writeFileSync(at(`new${round}/deep/er/file`), "later"));
    }
  });

  test("a full folder is moved away, another takes its name, and it comes back", async () => {
    const at = open({ "d/x/f": "1", "d/g": "1" });
    await sees(() => {
      renameSync(at("d"), at("e"));
      mkdirSync(at("d"));
    });
    await sees(() => writeFileSync(at("d/new"), "1"));
    await sees(() => writeFileSync(at("e/x/f"), "2"));
    await sees(() => {
      rmSync(at("d"), { recursive: true });
      renameSync(at("e"), at("d"));
    });
    await sees(() => writeFileSync(at("d/x/f"), "3"));
  });

  test("a folder is deleted and made again under the same name", async () => {
    const at = open({ "d/f": "1" });
    for (let round = 0; round < 5; round++) {
      await sees(() => {
        rmSync(at("d"), { recursive: true });
        mkdirSync(at("d"));
      });
      await sees(() => writeFileSync(at("d/f"), `${round}`));
    }
  });

  test("a rename that only changes case", async () => {
    const at = open({ readme: "1" });
    await sees(() => renameSync(at("readme"), at("README")));
  });

  test("links are made, loop, break and point elsewhere", async () => {
    const at = open({ "d/f": "1", "e/f": "1" });
    await sees(() => symlinkSync("d", at("link")));
    await sees(() => {
      unlinkSync(at("link"));
      symlinkSync("e", at("link"));
    });
    await sees(() => symlinkSync(".", at("d/loop")));
    await sees(() => rmSync(at("e"), { recursive: true }));
  });

  test("a workspace under a symlink", async () => {
    const real = makeTree({ "p/a": "1" });
    symlinkSync(path.join(real, "p"), path.join(real, "alias"));
    rig = new Rig(path.join(real, "alias"), kind);
    await sees(() => writeFileSync(path.join(real, "p/a"), "2"));
  });

  test("an input that is not there yet, made at last, deleted and made again", async () => {
    const at = open({ a: "1" }, "later/deep");
    for (let round = 0; round < 3; round++) {
      await sees(() => {
        mkdirSync(at("later/deep"), { recursive: true });
        writeFileSync(at("later/deep/f"), "1");
      });
      await sees(() => writeFileSync(at("later/deep/f"), "2"));
      await sees(() => rmSync(at("later"), { recursive: true }));
    }
  });

  test("a root that is moved away, another in its place, and the first again", async () => {
    const at = open({ "d/f": "1", "d/x/f": "1", "other/f": "2" }, "d");
    await sees(() => renameSync(at("d"), at("away")));
    await sees(() => renameSync(at("other"), at("d")));
    await sees(() => writeFileSync(at("d/f"), "3"));
    await sees(() => {
      rmSync(at("d"), { recursive: true });
      renameSync(at("away"), at("d"));
    });
    await sees(() => writeFileSync(at("d/x/f"), "4"));
  });

  test("a root that becomes a file, and a folder again", async () => {
    const at = open({ "d/f": "1" }, "d");
    await sees(() => {
      rmSync(at("d"), { recursive: true });
      writeFileSync(at("d"), "file");
    });
    await sees(() => {
      rmSync(at("d"));
      mkdirSync(at("d"));
      writeFileSync(at("d/f"), "2");
    });
  });

  test("a root that is a link, pointed elsewhere", async () => {
    const at = open({ "one/f": "1", "two/f": "2", link: { link: "one" } }, "link");
    await sees(() => {
      symlinkSync("two", at("link.new"));
      renameSync(at("link.new"), at("link"));
    });
    await sees(() => writeFileSync(at("two/f"), "3"));
  });

  test("permissions of files, folders and the root", async () => {
    const at = open({ "d/f": "1" }, "d");
    await sees(() => chmodSync(at("d/f"), 0o755));
    await sees(() => mkdirSync(at("d/e"), 0o700));
    await sees(() => chmodSync(at("d/e"), 0o755));
  });

  test("a file becomes a folder and the folder a file", async () => {
    const at = open({ a: "1", "b/f": "1" });
    await sees(() => {
      unlinkSync(at("a"));
      mkdirSync(at("a"));
      writeFileSync(at("a/f"), "1");
      rmSync(at("b"), { recursive: true });
      writeFileSync(at("b"), "1");
    });
    await sees(() => writeFileSync(at("a/f"), "2"));
    await sees(() => writeFileSync(at("b"), "2"));
  });

  test("ignore rules that change what is looked at", async () => {
    const at = open({ "d/f": "1", "e/f": "1" });
    await sees(() => writeFileSync(at(".gitignore"), "d\n"));
    await sees(() => writeFileSync(at("e/f"), "2"));
  });

  test("a file that is moved out of sight and back", async () => {
    const at = open({ a: "1", "ignored/x": "1" });
    await sees(() => renameSync(at("a"), at("ignored/a")));
    await sees(() => renameSync(at("ignored/a"), at("a")));
  });

  test("a checkout there and back", { timeout: 30_000 }, async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`d${index % 10}/f${index}`, "one"]));
    const at = open(files);
    const git = (...words: string[]): void =>
      void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: rig!.root });
    await sees(() => git("init", "-q", "-b", "main"));
    await sees(() => {
      git("add", "-A");
      git("commit", "-qm", "one");
      git("checkout", "-qb", "other");
      for (const name of Object.keys(files)) writeFileSync(at(name), "two");
      git("commit", "-qam", "two");
    });
    await sees(() => git("checkout", "-q", "main"));
    await sees(() => git("checkout", "-q", "other"));
  });

  test("what happens in ignored folders is no hint, and hides none", async () => {
    const at = open({ a: "0", "ignored/x": "0", "node_modules/m/i": "0" });
    for (let round = 0; round < 20; round++) {
      writeFileSync(at(`ignored/${round}`), "churn");
      writeFileSync(at("node_modules/m/i"), `${round}`);
    }
    await sees(() => writeFileSync(at("a"), "1"));
    expect(rig!.hints.filter((hint) => /ignored\/|node_modules\//.test(hint))).toEqual([]);
  });
});
