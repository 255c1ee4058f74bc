import path from "node:path";
import type { LoadedConfig, WatchTarget } from "../../../src/config/index.ts";
import type { FunctionInfo, ModuleInfo } from "../../../src/module/index.ts";
import {
  digestOf,
  ManifestStore,
  orderTargets,
  planTargets,
  ProjectScanner,
  resolveTargets,
  type CheckKinds,
  type Fingerprint,
  type PlanContext,
  type PlannedTarget,
  hasPassed,
  type PreviousRun,
  type TargetHistory,
} from "../../../src/plan/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";

/** A module with `test --source DIR --part TEXT`, `lint` (a check over its folder, without `docs`) and `ship --token SECRET`. */
export function moduleAt(root: string, changes: Partial<ModuleInfo> = {}): ModuleInfo {
  const directory = { kind: "object", name: "Directory" } as const;
  const text = { kind: "string" } as const;
  const argument = { description: "", optional: false, nullable: false, variadic: false };
  const fn = (name: string, given: Partial<FunctionInfo>): FunctionInfo => ({
    name,
    description: "",
    arguments: [],
    returns: text,
    isCheck: false,
    isGenerate: false,
    isUp: false,
    ...given,
  });
  return {
    name: "ci",
    root,
    sourceDir: path.join(root, "ci"),
    repository: root,
    contextDir: root,
    engineVersion: "",
    dependencies: [],
    toolchains: [],
    digest: "module-1",
    ownDigest: "module-1",
    insecurePlaces: [],
    mainObject: "Ci",
    objects: {
      Ci: {
        name: "Ci",
        description: "",
        kind: "class",
        fields: {},
        functions: {
          test: fn("test", {
            arguments: [
              { ...argument, name: "source", type: directory },
              { ...argument, name: "part", type: text },
            ],
          }),
          lint: fn("lint", {
            isCheck: true,
            arguments: [{ ...argument, name: "source", type: directory, defaultPath: "/", ignore: ["docs", ".git"] }],
          }),
          make: fn("make", { isGenerate: true, returns: { kind: "object", name: "Changeset" } }),
          box: fn("box", { returns: { kind: "object", name: "Container" } }),
          readsOne: fn("readsOne", {
            arguments: [{ ...argument, name: "file", type: { kind: "object", name: "File" }, defaultPath: "one.txt" }],
          }),
        },
      },
    },
    enums: {},
    interfaces: {},
    description: "",
    warnings: [],
    ...changes,
  };
}

export function configAt(root: string, targets?: Record<string, WatchTarget>): LoadedConfig {
  return { config: { version: 1, watch: { targets } }, root, path: path.join(root, "fastloop.yaml"), digest: "" };
}

/** A project whose runs are pretended: `pass` records what the plan holds now, as a run that ended well would. */
export class PretendedProject {
  readonly root: string;
  environment: NodeJS.ProcessEnv = {};
  engine = "embedded 1";
  module: ModuleInfo;
  targets: Record<string, WatchTarget> | undefined;
  kinds: CheckKinds | undefined;
  private readonly hasher = new ContentHasher();
  private readonly manifests: ManifestStore;
  private readonly runs = new Map<string, PreviousRun[]>();

  constructor(root: string, targets?: Record<string, WatchTarget>) {
    this.root = root;
    this.targets = targets;
    this.module = moduleAt(root);
    this.manifests = new ManifestStore(new ProjectState(root));
  }

  plan(how: Pick<PlanContext, "reasonsWhenRead"> = {}): PlannedTarget[] {
    const ordered = orderTargets(resolveTargets(configAt(this.root, this.targets), this.module, undefined, this.kinds));
    const scanner = new ProjectScanner(
      ordered.flatMap((item) => [...item.inputs, ...item.sent]),
      this.hasher,
    );
    const snapshot = scanner.scan();
    return planTargets(ordered, {
      snapshot,
      root: this.root,
      moduleDigest: this.module.digest,
      engine: this.engine,
      environment: this.environment,
      environmentKey: new Uint8Array(32),
      history: (target) => this.history(target),
      manifests: this.manifests,
      ...how,
    });
  }

  affected(): string[] {
    return this.plan()
      .filter((plan) => plan.affected)
      .map((plan) => plan.item.target.name);
  }

  reasonsOf(name: string): unknown[] {
    return this.plan().find((plan) => plan.item.target.name === name)?.reasons ?? [];
  }

  run(outcome = "passed", fresh = true): void {
    const ordered = this.plan();
    const scanner = new ProjectScanner(
      ordered.flatMap(({ item }) => item.inputs),
      this.hasher,
    );
    const snapshot = scanner.scan();
    for (const { item, fingerprint } of ordered) {
      for (const [index, input] of fresh ? item.inputs.entries() : []) {
        this.manifests.write(fingerprint.inputs[index]!.digest, () => snapshot.manifest(input));
      }
      this.record(item.target.name, fingerprint, outcome, fresh);
    }
  }

  private record(name: string, fingerprint: Fingerprint, outcome: string, fresh: boolean): void {
    this.runs.set(name, [
      { digest: digestOf(fingerprint), fingerprint, outcome, fresh },
      ...(this.runs.get(name) ?? []),
    ]);
  }

  private history(target: string): TargetHistory {
    const runs = this.runs.get(target) ?? [];
    return {
      last: runs[0],
      lastPassed: runs.find(hasPassed),
      lastOf: (digest) => runs.find((run) => run.digest === digest),
    };
  }
}
