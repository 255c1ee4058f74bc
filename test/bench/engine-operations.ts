import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TreeSync } from "../../src/engine/trees/sync.ts";
import type { EngineSession } from "../../src/engine/index.ts";
import { file, scratch, type State } from "../../src/llb/index.ts";
import { type Buildctl, execOn, localTree } from "./buildctl.ts";
import { makeTree } from "./loop-project.ts";
import { nowMs } from "./process.ts";

/** What the operations work with; `folder` is theirs to fill. */
export interface Surroundings {
  folder: string;
  /** `127.0.0.1:port` of an image registry of our own. */
  registry: string;
}

/**
 * One typical operation. `session` runs it through the core API, the same for every engine; `limit` does the same work
 * with buildctl. Both give milliseconds of the operation itself, without its preparation.
 */
export interface Operation {
  name: string;
  rounds: number;
  /** Left out unless it is named. */
  isLong?: true;
  /** Untimed, before each round. */
  prepare?(around: Surroundings, round: number): Promise<void> | void;
  session(session: EngineSession, around: Surroundings, round: number): Promise<number>;
  limit?(control: Buildctl, around: Surroundings, round: number): Promise<number>;
}

const debian = "debian:bookworm-slim";
const reference = `docker.io/library/${debian}`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = nowMs();
  await work();
  return nowMs() - startMs;
}

let serial = 0;
/** A text that no engine has seen: the operation with it is never cached. */
const unseen = (): string => `${process.pid}-${Date.now()}-${serial++}`;

const sessionExec = (session: EngineSession, script: string): Promise<unknown> =>
  session.query(
    `query($script: String!) { container { from(address: "${debian}") {
    withExec(args: ["sh", "-c", $script]) { stdout } } } }`,
    { script },
  );

function hostDirectory(files: number, rounds: { cold: number; edit: number }): Operation[] {
  const cold = (around: Surroundings, round: number): string => path.join(around.folder, `cold-${files}-${round}`);
  const edited = (around: Surroundings): string => path.join(around.folder, `edited-${files}`);
  const size = files.toLocaleString("en");
  const trees = new Map<EngineSession, TreeSync>();
  const evaluate = (session: EngineSession, id: string): Promise<unknown> =>
    session.query("query($id: ID!) { node(id: $id) { ... on Directory { sync } } }", { id });
  return [
    {
      name: `host directory, ${size} files, cold`,
      rounds: rounds.cold,
      prepare: async (around, round) => {
        rmSync(cold(around, round - 1), { recursive: true, force: true });
        await makeTree(cold(around, round), files);
      },
      session: (session, around, round) =>
        timed(() =>
          session.query("query($path: String!) { host { directory(path: $path) { sync } } }", {
            path: cold(around, round),
          }),
        ),
      limit: (control, around, round) => {
        const name = `cold-${files}-${round}`;
        return control.build(localTree(name), { local: { [name]: cold(around, round) } });
      },
    },
    {
      name: `host directory, ${size} files, one edit`,
      rounds: rounds.edit,
      prepare: async (around) => {
        // Once: the engines' other turns are on the same tree, with one more edit.
        if (!existsSync(edited(around))) await makeTree(edited(around), files);
        writeFileSync(path.join(edited(around), "f0.txt"), unseen());
      },
      session: async (session, around, round) => {
        const sync = trees.get(session) ?? new TreeSync(session);
        trees.set(session, sync);
        // The first round sends the tree.
        if (round === 0) await evaluate(session, (await sync.directory(edited(around))).id);
        if (round === 0) writeFileSync(path.join(edited(around), "f0.txt"), unseen());
        return timed(async () => evaluate(session, (await sync.directory(edited(around))).id));
      },
      limit: async (control, around, round) => {
        const build = (): Promise<number> =>
          control.build(localTree(`edited-${files}`), { local: { [`edited-${files}`]: edited(around) } });
        if (round === 0) await build();
        if (round === 0) writeFileSync(path.join(edited(around), "f0.txt"), unseen());
        return build();
      },
    },
  ];
}

const parallelExec = (count: number): Operation => ({
  name: count === 1 ? "exec" : `${count} execs at a time`,
  rounds: 10,
  session: (session) =>
    timed(() => Promise.all(Array.from({ length: count }, () => sessionExec(session, `echo ${unseen()}`)))),
  limit: (control) =>
    timed(() => Promise.all(Array.from({ length: count }, () => control.build(execOn(reference, `echo ${unseen()}`))))),
});

const filler = (text: string): string => `i=0; while [ $i -lt 500 ]; do echo ${text} > /out/f$i; i=$((i + 1)); done`;

/** A container whose folder /out the script has filled, and that folder as a tree: an export sends whole trees only. */
function filledContainer(text: string): { container: State; folder: State } {
  const container = execOn(reference, `mkdir /out; ${filler(text)}`);
  return {
    container,
    folder: file(scratch, [{ kind: "copy", from: container, source: "/out", destination: "/", dirCopyContents: true }]),
  };
}

const exportFolder: Operation = {
  name: "export of 500 files",
  rounds: 10,
  prepare: (around) => void mkdirSync(path.join(around.folder, "export"), { recursive: true }),
  session: async (session, around) => {
    const script = `mkdir /out; ${filler(unseen())}`;
    const made = (
      then: string,
    ): string => `query($script: String!, $to: String!) { container { from(address: "${debian}") {
      withExec(args: ["sh", "-c", $script]) { directory(path: "/out") { ${then} } } } } }`;
    await session.query(made("entries").replace(", $to: String!", ""), { script });
    const to = path.join(around.folder, "export", unseen());
    return timed(() => session.query(made("export(path: $to)"), { script, to }));
  },
  limit: async (control, around) => {
    const { container, folder } = filledContainer(unseen());
    await control.build(container);
    return control.build(folder, { output: `type=local,dest=${path.join(around.folder, "export", unseen())}` });
  },
};

const publish: Operation = {
  name: "publish of one new layer",
  rounds: 10,
  session: (session, around) =>
    timed(() =>
      session.query(
        `query($script: String!, $address: String!) { container { from(address: "${debian}") {
          withExec(args: ["sh", "-c", $script]) { publish(address: $address) } } } }`,
        { script: `echo ${unseen()} > /new`, address: `${around.registry}/bench/ours:latest` },
      ),
    ),
  limit: (control, around) =>
    control.build(execOn(reference, `echo ${unseen()} > /new`), {
      output: `type=image,name=${around.registry}/bench/limit:latest,push=true,registry.insecure=true`,
    }),
};

/** Perl is in Debian's essential set: the smallest thing there that listens. */
const listener = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 18080, Listen => 5, ReuseAddr => 1)
  or die; while (my $c = $s->accept) { print $c "ok\\n"; close $c }`;

const serviceStart: Operation = {
  name: "service start",
  rounds: 5,
  session: async (session) => {
    const service = await session.query<{
      container: { from: { withEnvVariable: { withExposedPort: { asService: { id: string } } } } };
    }>(
      `query($args: [String!]!, $unseen: String!) { container { from(address: "${debian}") {
        withEnvVariable(name: "BENCH", value: $unseen) { withExposedPort(port: 18080) { asService(args: $args) { id } } } } } }`,
      { args: ["perl", "-e", listener], unseen: unseen() },
    );
    const { id } = service.container.from.withEnvVariable.withExposedPort.asService;
    const call = (field: string): Promise<unknown> =>
      session.query(`query($id: ID!) { node(id: $id) { ... on Service { ${field} } } }`, { id });
    const startMs = await timed(() => call("start"));
    await call("stop(kill: true)");
    return startMs;
  },
};

export const operations: readonly Operation[] = [
  ...hostDirectory(50, { cold: 5, edit: 10 }),
  ...hostDirectory(5_000, { cold: 5, edit: 10 }),
  // Each round leaves snapshots of 50,000 files that must be removed in the end: minutes, so only where they are named.
  ...hostDirectory(50_000, { cold: 2, edit: 5 }).map((operation) => ({ ...operation, isLong: true as const })),
  parallelExec(1),
  parallelExec(4),
  parallelExec(16),
  exportFolder,
  publish,
  serviceStart,
];
