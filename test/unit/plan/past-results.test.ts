import { execFileSync } from "node:child_process";
import fs, {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { confineProgram } from "../../../src/module/index.ts";
import { cacheHome, stateHome } from "../../../src/paths/index.ts";
import { askPast, loadProject, placeProject, planTargets, type ProjectOptions } from "../../../src/plan/index.ts";
import { RunStore } from "../../../src/run/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { TrustStore } from "../../../src/trust/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";

/** Longer than what is written meanwhile could stay unseen. */
const settleMs = 60;
const words = ["plan"];

interface Found {
  digests: string[];
  isFound: boolean;
}

/** What a command that only reads does. */
async function look(
  options: ProjectOptions,
  isRemembered = true,
  beforeLoad: () => void = () => undefined,
): Promise<Found & { list: string }> {
  const { state, root } = placeProject(options);
  const { scan, results } = askPast(options, state);
  const found = isRemembered ? await results.find(words) : undefined;
  if (found !== undefined) return { digests: found as string[], isFound: true, list: "" };
  await scan.unchanged();
  beforeLoad();
  const project = await scan.loading(() => loadProject(options, new ContentHasher()));
  const store = new RunStore(state);
  const { snapshot, keep } = await scan.scan(project.scanner, (seen) => project.scanner.scanNoting(seen));
  const planned = planTargets(project.targets, {
    snapshot,
    root,
    moduleDigest: project.module.digest,
    engine: store.lastEngine() ?? "",
    environment: options.environment ?? {},
    environmentKey: state.hashKey,
    history: (target) => store.history(target),
    manifests: store.manifests,
  });
  const digests = planned.map(({ item, digest }) => `${item.target.name} ${digest}`);
  if (isRemembered) {
    keep();
    await results.keep(words, digests, true);
  }
  return { digests, isFound: false, list: scan.seen()?.result().list.toString() ?? "" };
}

/** What asks for something by a path. */
const asked = [
  "lstatSync",
  "statSync",
  "existsSync",
  "openSync",
  "readFileSync",
  "readdirSync",
  "readlinkSync",
  "accessSync",
] as const;

/** Those that may read what is in a file. */
const contents = new Set(["openSync", "readFileSync"]);

const moduleSource = `import { Directory, File, func, object } from "@dagger.io/dagger"

@object()
export class Ci {
  @func()
  test(source: Directory, part = "a"): string {
    return part
  }

  @func()
  one(file: File): string {
    return ""
  }
}
`;

const config = `version: 1
watch:
  targets:
    a: { call: "test --source a", inputs: [a/] }
    b: { call: "test --source led/b --part x", needs: [a] }
    c: { call: "one --file a/x.ts", environment: [MODE] }
`;

function project(): string {
  const root = makeTree({
    "dagger.json": JSON.stringify({
      name: "ci",
      engineVersion: "v0.21.4",
      sdk: { source: "typescript" },
      source: "ci",
    }),
    "ci/package.json": `{ "type": "module" }`,
    "ci/src/index.ts": moduleSource,
    "fastloop.yaml": config,
    "a/x.ts": "1",
    "a/y.ts": "1",
    "real/b/z.ts": "1",
    led: { link: "real" },
    ".gitignore": "*.log\n",
    "sub/deep": null,
    ".fastloop": null,
  });
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "-A", "."], { cwd: root });
  return root;
}

describe.runIf(process.platform === "linux")("what a command found", { timeout: 60_000 }, () => {
  const helper = confineProgram();
  let environment: NodeJS.ProcessEnv;

  beforeEach(() => {
    if (helper === undefined) throw new Error("set-up has not built the helper");
    vi.stubEnv("FASTLOOP_CONFINE", helper);
    vi.stubEnv("FASTLOOP_PAST_SCAN", "always");
    const home = makeTree({ ".config/git/ignore": "*.tmp\n" });
    vi.stubEnv("HOME", home);
    for (const name of ["CACHE", "CONFIG", "STATE"]) vi.stubEnv(`XDG_${name}_HOME`, "");
    vi.stubEnv("FASTLOOP_DIST", path.resolve(import.meta.dirname, "../../../dist"));
    environment = { ...process.env, MODE: "1" };
  });

  const twice = async (options: ProjectOptions): Promise<Found> => {
    await setTimeout(settleMs);
    const first = await look(options);
    expect(first.isFound).toBe(false);
    const second = await look(options);
    expect(second).toMatchObject({ isFound: true, digests: first.digests });
    return first;
  };

  test.each<[string, (root: string) => void]>([
    ["a file", (root) => writeFileSync(path.join(root, "a/x.ts"), "2")],
    ["the configuration", (root) => appendFileSync(path.join(root, "fastloop.yaml"), "name: other\n")],
    ["a need", (root) => writeFileSync(path.join(root, "fastloop.yaml"), config.replace("needs: [a]", "needs: [c]"))],
    ["the module", (root) => appendFileSync(path.join(root, "ci/src/index.ts"), "export const x = 1\n")],
    ["the module's manifest", (root) => appendFileSync(path.join(root, "dagger.json"), "\n")],
    ["a source of the module", (root) => writeFileSync(path.join(root, "ci/src/more.ts"), "export const x = 1\n")],
    ["where a link leads", moveLink],
    ["a rule", (root) => appendFileSync(path.join(root, ".gitignore"), "y.ts\n")],
    ["the records", (root) => void mkdirSync(path.join(root, ".fastloop/runs"), { recursive: true })],
    ["a read of a workspace", (root) => void mkdirSync(path.join(root, ".fastloop/reads"), { recursive: true })],
    ["the mode of the configuration", (root) => chmodSync(path.join(root, "fastloop.yaml"), 0o600)],
  ])("is not taken over after a change of %s", async (_what, change) => {
    const root = project();
    const options = { cwd: root, environment };
    await twice(options);
    change(root);
    const now = await look(options);
    expect(now.isFound).toBe(false);
    expect(now.digests).toEqual((await look(options, false)).digests);
  });

  test("belongs to one folder, environment, command line and answer to what it asks for", async () => {
    const root = project();
    const options: ProjectOptions = { cwd: path.join(root, "sub/deep"), environment };
    await twice(options);
    for (const other of [
      { ...options, cwd: root },
      { ...options, environment: { ...environment, MODE: "2" } },
      { ...options, environment: { ...environment, OTHER: "2" } },
      { ...options, moduleDir: root },
      { ...options, engine: "dagger" },
      { ...options, trust: "all" as const },
    ])
      expect(await look(other)).toMatchObject({ isFound: false });
    // Those that read the same are kept side by side.
    let isBeside = false;
    // On a busy machine the first look may have come too late to be stored.
    for (let tries = 0; tries < 10 && !isBeside; tries++)
      isBeside = (await look({ ...options, engine: "dagger" })).isFound;
    expect(isBeside).toBe(true);
    const { isFound } = await look({ ...options, environment: { ...environment, TERM: "x", COLUMNS: "7" } });
    expect(isFound).toBe(true);
  });

  test("is not stored if a variable of the terminal is part of a digest", async () => {
    const root = project();
    writeFileSync(path.join(root, "fastloop.yaml"), config.replace("[MODE]", "[MODE, TERM]"));
    await setTimeout(settleMs);
    const digests: string[][] = [];
    for (const TERM of ["x", "x", "y"]) {
      const now = await look({ cwd: root, environment: { ...environment, TERM } });
      expect(now.isFound).toBe(false);
      digests.push(now.digests);
    }
    expect(digests[1]).toEqual(digests[0]);
    expect(digests[2]).not.toEqual(digests[0]);
  });

  test("is not taken over where another configuration or module is nearer now", async () => {
    const root = project();
    const options = { cwd: path.join(root, "sub/deep"), environment };
    await twice(options);
    cpSync(path.join(root, "dagger.json"), path.join(root, "sub/dagger.json"));
    cpSync(path.join(root, "ci"), path.join(root, "sub/ci"), { recursive: true });
    writeFileSync(path.join(root, "sub/fastloop.yaml"), config.replaceAll("--source a", "--source ci"));
    expect(await look(options).catch((error: Error) => error.message)).not.toMatchObject({ isFound: true });
  });

  test("is not stored for files that were there only while the project was loaded", async () => {
    const root = project();
    const options = { cwd: path.join(root, "sub/deep"), environment };
    const { digests } = await twice(options);
    const other = { ...options, environment: { ...environment, OTHER: "1" } };
    const passing = await look(other, true, () => {
      cpSync(path.join(root, "dagger.json"), path.join(root, "sub/dagger.json"));
      cpSync(path.join(root, "ci"), path.join(root, "sub/ci"), { recursive: true });
      appendFileSync(path.join(root, "sub/ci/src/index.ts"), "export const x = 1\n");
    });
    expect(passing.digests).not.toEqual(digests);
    for (const name of ["dagger.json", "ci"]) rmSync(path.join(root, "sub", name), { recursive: true });
    expect(await look(other)).toMatchObject({ isFound: false, digests });
  });

  test("is not taken over when the user allows more, or no longer", async () => {
    const root = project();
    writeFileSync(path.join(root, "fastloop.yaml"), config.replace("--file a/x.ts", "--file /etc/hostname"));
    const options = { cwd: root, environment };
    const refused = await twice(options);
    const store = new TrustStore(environment);
    const { trust } = await loadProject(options, new ContentHasher());
    store.write(root, trust.asks);
    await setTimeout(settleMs);
    const allowed = await look(options);
    expect(allowed.isFound).toBe(false);
    expect(allowed.digests).not.toEqual(refused.digests);
    expect(await look(options)).toMatchObject({ isFound: true, digests: allowed.digests });
    store.remove(root);
    expect(await look(options)).toMatchObject({ isFound: false, digests: refused.digests });
  });

  test("counts only with the user's seal, and of the state that it was stored with", async () => {
    const root = project();
    const options = { cwd: root, environment };
    await twice(options);
    const file = path.join(root, ".fastloop/results");
    const kept = readFileSync(file, "latin1");
    writeFileSync(file, Buffer.from(kept.replace("a ", "x "), "latin1"));
    expect(await look(options)).toMatchObject({ isFound: false });
    const old = readFileSync(file);
    writeFileSync(path.join(root, "a/x.ts"), "2");
    await setTimeout(settleMs);
    await look(options);
    writeFileSync(file, old);
    expect(await look(options)).toMatchObject({ isFound: false });
  });

  test("is what a command finds after any changes", { timeout: 300_000 }, async () => {
    let taken = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const random = seeded(seed);
      const root = project();
      const options = { cwd: path.join(root, "sub"), environment };
      for (let round = 0; round < 12; round++) {
        const done: string[] = [];
        for (let count = random(3); count > 0; count--) done.push(changeAnything(root, random));
        if (random(4) > 0) await setTimeout(settleMs);
        const now = await look(options).catch((error: Error) => error.message);
        const clean = await look(options, false).catch((error: Error) => error.message);
        const about = `seed ${seed}, round ${round}: ${done.join(", ")}`;
        if (typeof now === "string" || typeof clean === "string") expect(now, about).toEqual(clean);
        else expect(now.digests, about).toEqual(clean.digests);
        if (typeof now !== "string" && now.isFound) taken++;
      }
    }
    expect(taken).toBeGreaterThan(4);
  });

  describe("follows from what is recorded", () => {
    const original = Object.fromEntries([...asked, "realpathSync"].map((name) => [name, fs[name as "statSync"]]));
    const restore = (): void => {
      Object.assign(fs, original);
      syncBuiltinESMExports();
    };
    afterEach(restore);

    test.each<[string, Record<string, string | { link: string } | null>]>([
      ["a plain project", {}],
      [
        "a module in another folder",
        { "fastloop.yaml": `module: ci/mod\n${config}`, "ci/mod": { link: "../elsewhere" } },
      ],
      [
        "files outside, scripts of commands and extensions",
        {
          "fastloop.yaml": `${config.replace("--file a/x.ts", "--file /etc/hostname")}extensions: { diff: ./diff.mjs }
deploy:
  environments: { dev: { context: kind-dev } }
  apps: { web: { custom: { apply: ./apply.sh, delete: ./delete.sh, inputs: [a/, apply.sh, delete.sh] } } }
`,
          "diff.mjs": "export default {}",
          "apply.sh": "echo",
          "delete.sh": "echo",
        },
      ],
      [
        "dependencies",
        {
          "dagger.json": JSON.stringify({
            name: "ci",
            engineVersion: "v0.21.4",
            sdk: { source: "typescript" },
            source: "ci",
            dependencies: [{ name: "other", source: "other" }],
          }),
          "other/dagger.json": JSON.stringify({
            name: "other",
            engineVersion: "v0.21.4",
            sdk: { source: "typescript" },
          }),
          "other/package.json": `{ "type": "module" }`,
          "other/src/index.ts": moduleSource.replace("class Ci", "class Other"),
        },
      ],
    ])("%s", async (_name, files) => {
      const root = project();
      if ("ci/mod" in files) {
        mkdirSync(path.join(root, "elsewhere"));
        for (const name of ["dagger.json", "ci"]) renameSync(path.join(root, name), path.join(root, "elsewhere", name));
        mkdirSync(path.join(root, "ci"));
      }
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
        if (typeof content === "string") writeFileSync(path.join(root, name), content);
        else if (content !== null) symlinkSync(content.link, path.join(root, name));
      }
      const options = { cwd: path.join(root, "sub"), environment };
      await look(options, false);
      await setTimeout(settleMs);
      const read = new Map<string, string>();
      for (const name of asked)
        Object.assign(fs, {
          [name]: (file: unknown, ...others: unknown[]) => {
            if (typeof file === "string" && !contents.has(read.get(path.resolve(file)) ?? ""))
              read.set(path.resolve(file), name);
            return (original[name] as (...all: unknown[]) => unknown)(file, ...others);
          },
        });
      const native = (file: string): string => {
        read.set(path.resolve(file), "realpath");
        return (original["realpathSync"] as unknown as typeof fs.realpathSync).native(file);
      };
      Object.assign(fs, { realpathSync: Object.assign((file: string) => native(file), { native }) });
      syncBuiltinESMExports();
      const { list } = await look(options);
      restore();
      const known = recordedIn(list);
      // Content of caches is addressed by digests of what is recorded; the state is compared by its own folders' times.
      const own = [
        cacheHome(environment),
        path.join(stateHome(environment), "state-key"),
        "/proc",
        path.join(root, ".fastloop"),
        // Whether git tracks the state is checked whenever it is opened.
        path.join(root, ".git/index"),
      ];
      const isOwn = (file: string): boolean =>
        own.some((folder) => file === folder || file.startsWith(`${folder}/`)) ||
        [stateHome(environment), environment["FASTLOOP_DIST"]!, path.resolve(import.meta.dirname, "../../..")].some(
          (folder) => file.startsWith(folder) && !file.startsWith(`${stateHome(environment)}/trust`),
        );
      const isKnown = (file: string, how: string): boolean =>
        contents.has(how) ? /[RE]/.test(known.get(file) ?? "") : known.has(file);
      const missing = [...read].filter(
        ([file, how]) => !isKnown(file, how) && !isOwn(file) && file !== root && file !== "/",
      );
      expect(missing).toEqual([]);
      expect(known.size).toBeGreaterThan(10);
    });
  });
});

/** Every path of a list with the kinds of its items: `E` is a name in the folder before it. */
function recordedIn(list: string): Map<string, string> {
  const known = new Map<string, string>();
  let folder = "";
  for (const item of list.split("\0").filter(Boolean)) {
    const file = item.startsWith("E") ? path.join(folder, item.slice(1)) : item.slice(1);
    if (item.startsWith("D")) folder = file;
    known.set(file, (known.get(file) ?? "") + item[0]);
  }
  return known;
}

function moveLink(root: string): void {
  mkdirSync(path.join(root, "other/b"), { recursive: true });
  writeFileSync(path.join(root, "other/b/z.ts"), "1");
  rmSync(path.join(root, "led"));
  symlinkSync("other", path.join(root, "led"));
}

/** One change of anything that a plan may rest on; returns what it was. */
function changeAnything(root: string, random: (below: number) => number): string {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const file = path.join(root, pick(["a", "real/b", "sub", "other/b"]), pick(["x.ts", "y.ts", "z.ts", "n.log"]));
  const changes: Record<string, () => unknown> = {
    write: () => (mkdirSync(path.dirname(file), { recursive: true }), writeFileSync(file, String(random(3)))),
    remove: () => rmSync(file, { force: true }),
    touch: () => utimesSync(path.join(root, "fastloop.yaml"), new Date(), new Date(1e12)),
    configure: () =>
      writeFileSync(path.join(root, "fastloop.yaml"), pick([config, config.replace("part x", "part y"), "{"])),
    nearer: () => writeFileSync(path.join(root, "sub/fastloop.yaml"), config.replaceAll("led/b", "../led/b")),
    farther: () => rmSync(path.join(root, "sub/fastloop.yaml"), { force: true }),
    link: () => (rmSync(path.join(root, "led")), symlinkSync(pick(["real", "other", "gone"]), path.join(root, "led"))),
    rule: () => writeFileSync(path.join(root, pick(["", "a", "real"]), ".gitignore"), pick(["", "y.ts\n", "*.ts\n"])),
    manifest: () => appendFileSync(path.join(root, "dagger.json"), pick([" ", "\n"])),
    parent: () => (
      renameSync(path.join(root, "real"), path.join(root, "was")),
      renameSync(path.join(root, "was"), path.join(root, "real"))
    ),
  };
  const name = pick(Object.keys(changes));
  changes[name]!();
  return `${name} ${path.relative(root, file)}`;
}
