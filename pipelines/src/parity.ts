import type { Container } from "@dagger.io/dagger";

/** What `parity` compares of an image. Both map names to values. */
export interface Inventory {
  /** System packages and their versions. */
  packages: Record<string, string>;
  environment: Record<string, string>;
}

/** A package or variable that differs; `absent` if an image lacks it. */
export interface Drift {
  subject: string;
  dev: string;
  prod: string;
}

/** Reads the package database (dpkg or apk) and the declared environment of an image. */
export async function inventoryOf(image: Container): Promise<Inventory> {
  const [packages, environment] = await Promise.all([systemPackages(image), environmentOf(image)]);
  return { packages, environment };
}

/** Returns versions by package name from the image's package database (dpkg or apk); empty if it has none. */
export async function systemPackages(image: Container): Promise<Record<string, string>> {
  const script =
    "if command -v dpkg-query >/dev/null; then dpkg-query -W -f '${Package} ${Version}\\n'; " +
    "elif command -v apk >/dev/null; then apk info -v | sed -E 's/-([0-9][^-]*-r[0-9]+)$/ \\1/'; fi";
  const text = await image.withUser("root").withExec(["sh", "-ec", script]).stdout();
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes(" "))
      .map((line) => line.split(" ") as [string, string]),
  );
}

async function environmentOf(image: Container): Promise<Record<string, string>> {
  const variables = await image.envVariables();
  return Object.fromEntries(
    await Promise.all(variables.map(async (variable) => [await variable.name(), await variable.value()] as const)),
  );
}

/**
 * Returns packages and variables of the production image that the dev image lacks or has with another version or value.
 * What only the dev image has is no drift: it is meant to have more, such as compilers.
 */
export function driftBetween(dev: Inventory, prod: Inventory): Drift[] {
  const compare = (kind: string, a: Record<string, string>, b: Record<string, string>): Drift[] =>
    Object.entries(b).flatMap(([name, value]) =>
      a[name] === value ? [] : [{ subject: `${kind} ${name}`, dev: a[name] ?? "absent", prod: value }],
    );
  return [
    ...compare("package", dev.packages, prod.packages),
    ...compare("variable", dev.environment, prod.environment),
  ];
}

export function driftTable(drifts: readonly Drift[]): string {
  if (drifts.length === 0) return "dev and production agree\n";
  return [
    "| what | dev | production |",
    "|---|---|---|",
    ...drifts.map((d) => `| ${d.subject} | ${d.dev} | ${d.prod} |`),
    "",
  ].join("\n");
}
