/** Services that tests may want: noticed, and named to the person who knows. */
import { has } from "./files.ts";
import type { ProjectFiles } from "./types.ts";

const composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

export function serviceNotes(files: ProjectFiles): string[] {
  const notes: string[] = [];
  const compose = composeFiles.find((file) => has(files, file));
  if (compose !== undefined) {
    const images = [...files.read(compose).matchAll(/^\s*image:\s*["']?([^\s"'#]+)/gm)].map((match) => match[1]!);
    const known = images.filter((image) => /(?:^|\/)(?:postgres|postgis|redis|valkey)/.test(image));
    if (images.length > 0) {
      const how =
        known.length > 0
          ? "; `tests.services` has presets for postgres and redis"
          : "; name those that tests need under `tests.services`";
      notes.push(`${compose} starts ${[...new Set(images)].join(", ")}${how}`);
    }
  }
  const manifests = files.list.filter((file) =>
    /(?:^|\/)(?:package\.json|pyproject\.toml|requirements[^/]*\.txt|go\.mod|Cargo\.toml)$/.test(file),
  );
  const user = manifests.find((file) => /testcontainers/.test(files.read(file)));
  if (user !== undefined)
    notes.push(
      `${user} uses testcontainers, which needs a Docker daemon that no test container has; bind the services under \`tests.services\``,
    );
  return notes;
}
