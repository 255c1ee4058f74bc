/** The table of commands. A command is a file in `commands/` that exports `register`; it is loaded only when named. */
import type { Command } from "commander";
import type { CliContext } from "./context.ts";

export interface CommandModule {
  /** Adds the command to the program; its action throws `UserError` or sets `process.exitCode`. */
  register(program: Command, context: CliContext): void;
}

export interface CommandEntry {
  summary: string;
  load(): Promise<CommandModule>;
  hidden?: boolean;
  /** Lines of the help's examples, for commands that do not bring their own. */
  examples?: [command: string, what: string][];
}

/** In the order of the help. One line each; add yours when its file exists. */
export const commands: Record<string, CommandEntry> = {
  init: {
    summary: "write a first fastloop.yaml, from what the repository is made of",
    load: () => import("./commands/init.ts"),
  },
  watch: { summary: "re-run what each edit affects", load: () => import("./commands/watch.ts") },
  run: { summary: "run the functions that edits affect, or those named", load: () => import("./commands/run.ts") },
  plan: {
    summary: "show what run would do, and why",
    load: () => import("./commands/plan.ts"),
    examples: [
      ["fastloop plan", "what would run, in order, each with its causes"],
      ["fastloop plan api -v", "api and what it needs, every cause"],
    ],
  },
  why: {
    summary: "say why a function would run, or why it is current",
    load: () => import("./commands/why.ts"),
    examples: [["fastloop why test", "the files, arguments and needs that changed since its last success"]],
  },
  affected: {
    summary: "list the functions that changes affect",
    load: () => import("./commands/affected.ts"),
    examples: [["fastloop affected --since origin/main --json", "for CI: what a branch affects"]],
  },
  watches: {
    summary: "show which files concern which function",
    load: () => import("./commands/watches.ts"),
    examples: [["fastloop watches", "folders, patterns and counts of every function"]],
  },
  graph: {
    summary: "draw the functions and what they need",
    load: () => import("./commands/graph.ts"),
    examples: [
      ["fastloop graph", "as text"],
      ["fastloop graph --format mermaid", "for a page of documentation"],
      ["fastloop graph --format dot | dot -Tsvg > graph.svg", "a picture, by Graphviz"],
    ],
  },
  validate: {
    summary: "check fastloop.yaml and its calls, without an engine",
    load: () => import("./commands/validate.ts"),
    examples: [
      ["fastloop validate", "every problem with its place and a hint"],
      ["fastloop validate --format github", "as annotations of a pull request"],
    ],
  },
  trust: { summary: "allow what the repository asks of this machine", load: () => import("./commands/trust.ts") },
  call: { summary: "call a function of the module, as `dagger call` does", load: () => import("./commands/call.ts") },
  deploy: {
    summary: "apply an environment's manifests, and wait until all is ready",
    load: () => import("./commands/deploy.ts"),
  },
  diff: { summary: "show what a deploy would change", load: () => import("./commands/diff.ts") },
  render: {
    summary: "print the manifests of an environment as they are applied",
    load: () => import("./commands/render.ts"),
  },
  rollback: {
    summary: "apply the manifests of an earlier release again",
    load: () => import("./commands/rollback.ts"),
  },
  "deploy-status": {
    summary: "show an environment's releases, and what differs from them",
    load: () => import("./commands/deploy-status.ts"),
  },
  functions: { summary: "list the module's functions", load: () => import("./commands/functions.ts") },
  up: { summary: "start the project's services, and what they need", load: () => import("./commands/up.ts") },
  status: { summary: "show the services that are up", load: () => import("./commands/status.ts") },
  logs: { summary: "show what services printed", load: () => import("./commands/logs.ts") },
  restart: { summary: "restart services that are up", load: () => import("./commands/restart.ts") },
  down: { summary: "end the services that are up", load: () => import("./commands/down.ts") },
  shell: { summary: "open a shell in a service that is up", load: () => import("./commands/shell.ts") },
  session: {
    summary: "run a program with an engine session in its environment",
    load: () => import("./commands/session.ts"),
  },
  setup: {
    summary: "prepare this machine: engine, base images, system packages",
    load: () => import("./commands/setup.ts"),
  },
  engine: { summary: "start, stop and look at the embedded engine", load: () => import("./commands/engine.ts") },
  demo: {
    summary: "show the loop on the example project",
    load: () => import("./commands/demo.ts"),
    examples: [["fastloop demo --once", "stop after the demo"]],
  },
  completion: {
    summary: "print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
  complete: {
    summary: "list what may come next; for completion scripts",
    load: () => import("./commands/complete.ts"),
    hidden: true,
  },
};
