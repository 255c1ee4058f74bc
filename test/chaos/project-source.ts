/** What the project of chaos is made of, and what its functions read. */

/**
 * A list of all that is in the mounted folders but what editors leave, with mode, link text and content: one missed byte is
 * another value.
 */
export const listing = `export LC_ALL=C; cd /in; { find . -mindepth 1 -type l -printf 'l %p %l\\n'; find . -mindepth 1 ! -type l -printf '%y %p %m\\n'; } | sort;
  find . -type f -print0 | sort -z | xargs -0r sha256sum`;

export const moduleSource = `import { argument, dag, func, object, type Container, type Directory, type File } from "@dagger.io/dagger";

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

  /** Names and contents of all files; which of them count, git knows. */
  @func()
  async config(source: Directory): Promise<string> {
    return this.sums(source, ".");
  }

  /** Names and contents of all files that links lead to. */
  @func()
  async linked(@argument({ ignore: ["**", "!links", "!targets"] }) source: Directory): Promise<string> {
    return this.sums(source, "links");
  }

  private sums(source: Directory, folder: string): Promise<string> {
    return dag.container().from("debian:bookworm-slim").withMountedDirectory("/in", source)
      .withExec(["sh", "-c", \`export LC_ALL=C; cd /in; find -L \${folder} -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum\`]).stdout();
  }
}
`;

export const configuration = `version: 1
name: chaos
watch:
  targets:
    lib: { call: "list --source lib" }
    api: { call: "list --source api --library lib", needs: [lib] }
    web: { call: "list --source web --library api", needs: [api], policy: queue }
    docs: { call: "list --source docs" }
    bulk: { call: "list --source bulk" }
    token: { call: "read --file token.txt" }
    cfg: { call: "config --source cfg", inputs: [cfg/] }
    linked: { call: "linked --source .", inputs: [links/] }
    vol: { call: "read --file stamp.txt", inputs: [vol/] }
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
  cfg: { mounts: {}, needs: [] },
  linked: { mounts: {}, needs: [] },
  vol: { mounts: {}, needs: [] },
};

/** Files of `cfg` that git may ignore and may track. */
export const doubtful = [
  "tracked.local",
  "free.local",
  "build.log",
  "ignored/x.txt",
  "deep/y.local",
  "a.txt",
  "deep/b.txt",
];
/** Where ignore rules stand, and what they may say. */
export const ruleFiles = [".gitignore", "cfg/.gitignore", "cfg/deep/.gitignore", ".git/info/exclude"];
export const rules = ["*.local", "*.log", "ignored/", "deep/", "!free.local", "[z-a]x", "a*.txt", "/cfg/b*"];
/** Nobody reads what is in there. */
export const alwaysIgnored = ".fastloop\nalways/\n";
export const linkNames = ["l0", "l1", "l2"];
export const linkTargets = ["v0", "v1", "v2"];

export const gitIdentity = [
  "-c",
  "user.name=chaos",
  "-c",
  "user.email=chaos@example.invalid",
  "-c",
  "commit.gpgsign=false",
  "-c",
  "gc.auto=0",
];

export const edited = ["lib", "api", "web", "docs"] as const;
export const bulkFiles = 400;
