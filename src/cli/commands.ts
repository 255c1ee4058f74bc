/**
 * Table of commands. A command is a file in `commands/` that exports `register`; it is loaded only when it is named.
 */
import type { Command } from "commander";
import type { CliContext } from "./context.ts";

export interface CommandModule {
  /** Adds the command to the program; its action throws `UserError` or sets `process.exitCode`. */
  register(program: Command, context: CliContext): void;
}

/** Command groups, in the order of the help. */
export const groups = {
  loop: "watch a project, and run what edits affect",
  pipeline: "call the module's functions",
  services: "start what the project needs",
  deploy: "deploy to Kubernetes",
  caches: "show and clear what is cached",
  insight: "show inputs, history and comparisons",
  "set-up": "set up a project, this machine and your shell",
} as const;
export type Group = keyof typeof groups;

export interface CommandEntry {
  summary: string;
  /** Group in the help; only hidden commands have none. */
  group?: Group;
  load(): Promise<CommandModule>;
  hidden?: boolean;
  /** Examples in the help, for commands whose own help text has none. */
  examples?: [command: string, what: string][];
}

/** Commands in the order of the help, one line each. Add a new command here once its file exists. */
export const commands: Record<string, CommandEntry> = {
  init: {
    group: "set-up",
    summary: "write a first fastloop.yaml from what the repository contains",
    load: () => import("./commands/init.ts"),
  },
  watch: { group: "loop", summary: "rerun what each edit affects", load: () => import("./commands/watch.ts") },
  run: {
    group: "loop",
    summary: "run the functions that edits affect, or the named ones",
    load: () => import("./commands/run.ts"),
  },
  plan: {
    group: "loop",
    summary: "show what run would do, and why",
    load: () => import("./commands/plan.ts"),
    examples: [
      ["fastloop plan", "what would run, in order, each with its causes"],
      ["fastloop plan api -v", "api and what it needs, every cause"],
    ],
  },
  why: {
    group: "loop",
    summary: "explain why a function would run, or why it is current",
    load: () => import("./commands/why.ts"),
    examples: [["fastloop why test", "the files, arguments and needs that changed since its last success"]],
  },
  affected: {
    group: "loop",
    summary: "list the functions that changes affect",
    load: () => import("./commands/affected.ts"),
    examples: [["fastloop affected --since origin/main --json", "for CI: what a branch affects"]],
  },
  watches: {
    group: "insight",
    summary: "show which files affect which function",
    load: () => import("./commands/watches.ts"),
    examples: [["fastloop watches", "folders, patterns and counts of every function"]],
  },
  graph: {
    group: "insight",
    summary: "draw the functions and what they need",
    load: () => import("./commands/graph.ts"),
    examples: [
      ["fastloop graph", "as text"],
      ["fastloop graph --format mermaid", "for a page of documentation"],
      ["fastloop graph --format dot | dot -Tsvg > graph.svg", "a picture, with Graphviz"],
    ],
  },
  validate: {
    group: "pipeline",
    summary: "check fastloop.yaml and its calls, without an engine",
    load: () => import("./commands/validate.ts"),
    examples: [
      ["fastloop validate", "every finding with position, code and hint"],
      ["fastloop validate --strict --format github", "as annotations of a pull request; warnings count as errors"],
      ["fastloop validate --codes", "what each code means"],
    ],
  },
  up: {
    group: "services",
    summary: "start the project's services, and what they need",
    load: () => import("./commands/up.ts"),
  },
  status: { group: "services", summary: "show running services", load: () => import("./commands/status.ts") },
  logs: { group: "services", summary: "show the output of services", load: () => import("./commands/logs.ts") },
  restart: { group: "services", summary: "restart running services", load: () => import("./commands/restart.ts") },
  down: { group: "services", summary: "stop running services", load: () => import("./commands/down.ts") },
  shell: {
    group: "services",
    summary: "open a shell in a running service",
    load: () => import("./commands/shell.ts"),
  },
  cache: {
    group: "caches",
    summary: "show what caches hold, and clear them",
    load: () => import("./commands/cache.ts"),
  },
  cycle: {
    group: "caches",
    summary: "clear caches if requested, then build, test and start services",
    load: () => import("./commands/cycle.ts"),
  },
  offline: {
    group: "caches",
    summary: "prepare for working without the network, or check what is missing",
    load: () => import("./commands/offline.ts"),
  },
  diff: {
    group: "insight",
    summary: "show what a deploy would change, or how two runs differ",
    load: () => import("./commands/diff.ts"),
  },
  stats: {
    group: "insight",
    summary: "show how long functions take, and what caches save",
    load: () => import("./commands/stats.ts"),
  },
  trust: {
    group: "set-up",
    summary: "allow what the repository requests of this machine",
    load: () => import("./commands/trust.ts"),
  },
  call: {
    group: "pipeline",
    summary: "call a function of the module, as `dagger call` does",
    load: () => import("./commands/call.ts"),
  },
  functions: {
    group: "pipeline",
    summary: "list the module's functions",
    load: () => import("./commands/functions.ts"),
  },
  check: {
    group: "pipeline",
    summary: "run the module's checks, as `dagger check` does",
    load: () => import("./commands/check.ts"),
  },
  generate: {
    group: "pipeline",
    summary: "run the module's generators, as `dagger generate` does",
    load: () => import("./commands/generate.ts"),
  },
  deploy: {
    group: "deploy",
    summary: "apply an environment's manifests, and wait until all is ready",
    load: () => import("./commands/deploy.ts"),
  },
  render: {
    group: "deploy",
    summary: "print the manifests of an environment as they are applied",
    load: () => import("./commands/render.ts"),
  },
  rollback: {
    group: "deploy",
    summary: "apply the manifests of an earlier release again",
    load: () => import("./commands/rollback.ts"),
  },
  undeploy: {
    group: "deploy",
    summary: "delete the objects of apps in an environment, except data",
    load: () => import("./commands/undeploy.ts"),
  },
  "deploy-status": {
    group: "deploy",
    summary: "show an environment's releases, and how the cluster differs",
    load: () => import("./commands/deploy-status.ts"),
  },
  session: {
    group: "pipeline",
    summary: "run a program with an engine session in its environment",
    load: () => import("./commands/session.ts"),
  },
  setup: {
    group: "set-up",
    summary: "prepare this machine: engine, base images, system packages",
    load: () => import("./commands/setup.ts"),
  },
  doctor: {
    group: "set-up",
    summary: "check this machine: engines, limits, network, leftovers",
    load: () => import("./commands/doctor.ts"),
  },
  engine: {
    group: "set-up",
    summary: "start, stop and inspect the embedded engine",
    load: () => import("./commands/engine.ts"),
  },
  demo: {
    group: "set-up",
    summary: "demonstrate the loop on the example project",
    load: () => import("./commands/demo.ts"),
    examples: [["fastloop demo --once", "stop after the demo"]],
  },
  completion: {
    group: "set-up",
    summary: "print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
  overview: {
    summary: "show the state of the project, and what to do next",
    load: () => import("./commands/overview.ts"),
    hidden: true,
  },
  complete: {
    summary: "list what may come next; for completion scripts",
    load: () => import("./commands/complete.ts"),
    hidden: true,
  },
};
