/** One thing that is in an image or a lock file. */
export interface Component {
  /** As OSV names them: `Debian`, `Alpine`, `npm`, `PyPI`, `crates.io`, `Go`. */
  ecosystem: string;
  name: string;
  version: string;
}

const purlTypes: Record<string, string> = {
  Debian: "deb/debian",
  Alpine: "apk/alpine",
  npm: "npm",
  PyPI: "pypi",
  "crates.io": "cargo",
  Go: "golang",
};

/** The package URL by which other tools know a component. */
export function packageUrl({ ecosystem, name, version }: Component): string {
  const encoded = name.split("/").map(encodeURIComponent).join("/");
  return `pkg:${purlTypes[ecosystem] ?? "generic"}/${encoded}@${encodeURIComponent(version)}`;
}

/** Reads what a lock file pins; a file of an unknown name pins nothing. */
export function lockedComponents(file: string, text: string): Component[] {
  const base = file.split("/").at(-1) ?? file;
  if (base === "package-lock.json") return npmLock(text);
  if (base === "requirements.txt") return requirements(text);
  if (base === "Cargo.lock" || base === "uv.lock" || base === "poetry.lock")
    return tomlPackages(text, base === "Cargo.lock" ? "crates.io" : "PyPI");
  if (base === "go.sum") return goSum(text);
  return [];
}

export const lockFiles = [
  "**/package-lock.json",
  "**/requirements.txt",
  "**/Cargo.lock",
  "**/uv.lock",
  "**/poetry.lock",
  "**/go.sum",
];

function npmLock(text: string): Component[] {
  const { packages = {} } = JSON.parse(text) as { packages?: Record<string, { version?: string; link?: boolean }> };
  return Object.entries(packages).flatMap(([path, { version, link }]) => {
    const at = path.lastIndexOf("node_modules/");
    if (at < 0 || link === true || version === undefined) return [];
    return [{ ecosystem: "npm", name: path.slice(at + "node_modules/".length), version }];
  });
}

function requirements(text: string): Component[] {
  return [...text.matchAll(/^([A-Za-z0-9][\w.-]*)(?:\[[^\]\n\r\u2028\u2029]*\])?==([^\s;\\]+)/gm)].map(
    ([, name = "", version = ""]) => ({
      ecosystem: "PyPI",
      name: name.toLowerCase().replaceAll(/[-_.]+/g, "-"),
      version,
    }),
  );
}

function tomlPackages(text: string, ecosystem: string): Component[] {
  return text
    .split(/^\[\[package\]\]$/m)
    .slice(1)
    .flatMap((block) => {
      const name = /^name = "([^"]+)"/m.exec(block)?.[1];
      const version = /^version = "([^"]+)"/m.exec(block)?.[1];
      return name === undefined || version === undefined ? [] : [{ ecosystem, name, version }];
    });
}

function goSum(text: string): Component[] {
  return text.split("\n").flatMap((line) => {
    const [name, version] = line.split(" ");
    return name === undefined || version === undefined || version.endsWith("/go.mod")
      ? []
      : [{ ecosystem: "Go", name, version }];
  });
}

/** Sorted, each once: the same image gives the same text. */
export function uniqueComponents(components: readonly Component[]): Component[] {
  const byUrl = new Map(components.map((component) => [packageUrl(component), component]));
  return [...byUrl.keys()].toSorted().map((url) => byUrl.get(url)!);
}

/** SPDX 2.3, JSON. */
export function spdxDocument(project: string, components: readonly Component[], created: string): object {
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: project,
    documentNamespace: `urn:fastloop:${project}:${created}`,
    creationInfo: { created, creators: ["Tool: fastloop"] },
    packages: components.map((component, index) => ({
      SPDXID: `SPDXRef-Package-${index}`,
      name: component.name,
      versionInfo: component.version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: "NOASSERTION",
      copyrightText: "NOASSERTION",
      externalRefs: [
        { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: packageUrl(component) },
      ],
    })),
    relationships: components.map((_, index) => ({
      spdxElementId: "SPDXRef-DOCUMENT",
      relationshipType: "DESCRIBES",
      relatedSpdxElement: `SPDXRef-Package-${index}`,
    })),
  };
}

/** CycloneDX 1.6, JSON. */
export function cyclonedxDocument(project: string, components: readonly Component[], created: string): object {
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { timestamp: created, component: { type: "application", name: project, "bom-ref": project } },
    components: components.map((component) => ({
      type: "library",
      "bom-ref": packageUrl(component),
      name: component.name,
      version: component.version,
      purl: packageUrl(component),
    })),
  };
}
