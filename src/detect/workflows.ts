/** Reads which commands the jobs of the repository's own CI run, and beside which services. */
import { yamlDocument } from "../text/index.ts";
import { mapOf, workflowFiles, workflowsOf } from "./files.ts";
import type { ProjectFiles } from "./types.ts";

/** Returns, for each job, the commands of its steps at the repository's root, in order and one per line. */
export function commandsOfJobs(files: ProjectFiles): string[] {
  return workflowsOf(files).flatMap((text) => {
    const { jobs } = parsed(text);
    return Object.values(object(jobs)).map((job) => commandsOf(object(job)["steps"]));
  });
}

/** Returns the workflow files whose jobs have services, each with these by name, as in a compose file. */
export function servicesOfJobs(files: ProjectFiles): { file: string; services: Record<string, unknown> }[] {
  return workflowFiles(files).flatMap((file) => {
    const services = Object.values(object(parsed(files.read(file))["jobs"])).map((job) =>
      object(object(job)["services"]),
    );
    const all = Object.assign({}, ...services) as Record<string, unknown>;
    return Object.keys(all).length === 0 ? [] : [{ file, services: all }];
  });
}

function commandsOf(steps: unknown): string {
  return (Array.isArray(steps) ? steps : [])
    .map(object)
    .filter(({ "working-directory": folder = "." }) => folder === "." || folder === "./")
    .flatMap(({ run }) => (typeof run === "string" ? run.replaceAll(/^[ \t]*#.*$/gm, "") : []))
    .join("\n");
}

/** Returns no jobs for invalid YAML, or for aliases that expand without bounds. */
function parsed(text: string): Record<string, unknown> {
  try {
    const document = yamlDocument(text);
    return document.errors.length > 0 ? {} : object(document.toJS());
  } catch {
    return {};
  }
}

const object = (value: unknown): Record<string, unknown> => mapOf(value) ?? {};
