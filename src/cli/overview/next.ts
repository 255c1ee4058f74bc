/** Suggests the next commands, with the reason for each. */
import { duration, plural } from "../../report/index.ts";
import type { TargetState } from "./state.ts";

export interface Suggestion {
  command: string;
  why: string;
}

export interface Facts {
  standings: readonly TargetState[];
  /** Expected time of everything that would run; undefined when unknown. */
  expectedMs: number | undefined;
  /** Command of another process that runs functions here. */
  busy?: string;
  /** Functions of the module, by their names on the command line. */
  functionNames: readonly string[];
  /** Commands of this build. */
  commands: readonly string[];
  hasServices: boolean;
  environments: readonly string[];
  /** Whether any run is on record. */
  hasRun: boolean;
}

const shown = 4;

/** Returns up to four suggestions, the most urgent first. */
export function suggestions(facts: Facts): Suggestion[] {
  const { standings, expectedMs, busy, functionNames, hasServices, environments, hasRun } = facts;
  const names = (state: TargetState["state"]): string[] =>
    standings.filter((each) => each.state === state).map(({ name }) => name);
  const [refused, failed, stale] = [names("refused"), names("failed"), names("stale")];
  const found: Suggestion[] = [];
  const add = (command: string, why: string): void => void found.push({ command, why });
  if (refused.length > 0) add("fastloop trust", `${list(refused)} asks for what you have not allowed`);
  if (failed[0] !== undefined) add(`fastloop run ${failed[0]}`, `${list(failed)} failed on these files`);
  const about = expectedMs === undefined ? "" : `, about ${duration(expectedMs)}`;
  if (stale.length > 0) add("fastloop run", `${plural(stale.length, "function")} to run${about}`);
  if (busy === undefined) add("fastloop watch", "re-run what each edit affects, while you work");
  if (hasServices && facts.commands.includes("up")) add("fastloop up", "start the services that it declares");
  if (functionNames.includes("shell")) add("fastloop call shell terminal", "a shell in the dev image");
  if (environments[0] !== undefined && stale.length + failed.length === 0 && facts.commands.includes("deploy"))
    add(`fastloop deploy ${environments[0]}`, "everything is current");
  if (hasRun) add("fastloop stats", "how long runs take, and what is slow");
  add("fastloop plan", "what would run, and why");
  add("fastloop help", "all commands");
  return found.slice(0, shown);
}

function list(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
}
