/** A package in an image or a lock file. */
export interface Component {
  /** OSV's name: `Debian`, `Alpine`, `npm`, `PyPI`, `crates.io` or `Go`. */
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

/** Returns the component's package URL (https://github.com/package-url/purl-spec). */
export function packageUrl({ ecosystem, name, version }: Component): string {
  const encoded = name.split("/").map(encodeURIComponent).join("/");
  return `pkg:${purlTypes[ecosystem] ?? "generic"}/${encoded}@${encodeURIComponent(version)}`;
}

/** Returns the components that a lock file pins; none if the file's name is unknown. */
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

/** Returns the components sorted and without duplicates, so that the same image has the same SBOM. */
export function uniqueComponents(components: readonly Component[]): Component[] {
  const byUrl = new Map(components.map((component) => [packageUrl(component), component]));
  return [...byUrl.keys()].toSorted().map((url) => byUrl.get(url)!);
}

/** Returns an SPDX 2.3 document. `created` is an RFC 3339 time. */
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

/** Returns a CycloneDX 1.6 document. `created` is an RFC 3339 time. */
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
