/** `fastloop up --explain`: shows what an edit of each file does to a service, without an engine. */
import path from "node:path";
import { decide, excludedOf, rulesOf, ServiceSource } from "../../services/index.ts";
import { listTree } from "../../tree/index.ts";
import type { CliContext } from "../context.ts";
import type { UpProject } from "./project.ts";

/** Prints every file that has an effect, with its action, its place in the container, and the rule that decides. */
export function explain(context: CliContext, project: UpProject, name: string): void {
  const service = project.services.find((candidate) => candidate.name === name)!;
  const { own, module, root } = project;
  const fn = own.objects[own.mainObject]?.functions["service"];
  const inputs = ServiceSource.inputsOf(service, module, root);
  const rules = rulesOf(name, project.config, inputs);
  const files = listTree(root, { exclude: excludedOf(fn) }).entries.filter(({ type }) => type !== "directory");
  const rows = files.flatMap(({ path: file }) => {
    const { action, place, commands, rule } = decide(rules, file);
    const to = place === undefined ? undefined : path.posix.join(place.root, place.path);
    return action === "none" ? [] : [{ action, file, ...(to === undefined ? {} : { to }), rule, run: commands }];
  });
  if (context.options.json) return context.printJson(rows);
  if (rows.length === 0) context.notice(`no file of the project is in \`${name}\`, as far as it can be seen`);
  const width = Math.max(0, ...rows.map(({ file }) => file.length));
  for (const { action, file, to, rule, run } of rows) {
    const where = to === undefined ? "" : `-> ${to}  `;
    const then = run.length === 0 ? "" : `, then runs ${run.join("; ")}`;
    context.print(`${action.padEnd(7)}  ${file.padEnd(width)}  ${where}${rule}${then}\n`);
  }
}
