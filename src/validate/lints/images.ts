import type { Config } from "../../config/index.ts";
import type { Found } from "../finding.ts";

/** Reports image references that may lead to another image tomorrow. */
export function unpinnedImages(config: Config): Found[] {
  return imagesOf(config).flatMap(({ path, image }): Found[] => {
    const why = unpinned(image);
    if (why === undefined) return [];
    const message = `${path.join(".")}: \`${image}\` ${why}`;
    return [{ code: "unpinned-image", path, message, hint: "name a version, or a digest: IMAGE:TAG@sha256:…" }];
  });
}

/** Returns what is wrong with a reference; undefined if it names a version. */
function unpinned(image: string): string | undefined {
  if (image.includes("@sha256:") || ownImages.has(image)) return undefined;
  const name = image.slice(image.lastIndexOf("/") + 1);
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : undefined;
  if (tag === undefined) return "names no version, which means `latest`";
  return tag === "latest" ? "is whatever is the latest on that day" : undefined;
}

/** Images that the file itself describes. */
const ownImages = new Set(["base", "dev", "prod"]);

function imagesOf({ images, tests, deploy }: Config): { path: string[]; image: string }[] {
  const named: [string[], string | undefined][] = [
    [["images", "base", "from"], images?.base?.from],
    [["images", "dev", "base"], images?.dev?.base],
    [["images", "prod", "from"], images?.prod?.from],
    [["deploy", "image"], deploy?.image],
    [["deploy", "tools"], deploy?.tools],
    ...Object.entries(tests?.suites ?? {}).map(([name, { image }]): [string[], string | undefined] => [
      ["tests", "suites", name, "image"],
      image,
    ]),
    ...Object.entries(tests?.services ?? {}).map(([name, { image }]): [string[], string | undefined] => [
      ["tests", "services", name, "image"],
      image,
    ]),
  ];
  return named.flatMap(([path, image]) => (image === undefined ? [] : [{ path, image }]));
}

const installs = /\b(?:apt-get|apt|apk|dnf|yum|microdnf)\b(?:\s+-\S+)*\s+(?:install|add)\b/;

/** Reports system packages that are installed outside of the base image. */
export function installsOutsideBase({ images, tests }: Config): Found[] {
  const scripts: [string[], readonly string[]][] = [
    ...(images?.dev?.layers ?? []).map(({ run }, index): [string[], readonly string[]] => [
      ["images", "dev", "layers", String(index), "run"],
      lines(run),
    ]),
    ...Object.entries(tests?.suites ?? {}).flatMap(([name, { install, tiers }]): [string[], readonly string[]][] => [
      [["tests", "suites", name, "install"], lines(install)],
      ...Object.entries(tiers).map(([tier, command]): [string[], readonly string[]] => [
        ["tests", "suites", name, "tiers", tier],
        lines(typeof command === "object" ? command.run : command),
      ]),
    ]),
  ];
  return scripts.flatMap(([path, commands]): Found[] => {
    const command = commands.find((each) => installs.test(each));
    if (command === undefined) return [];
    const what = installs.exec(command)?.[0] ?? "";
    return [
      {
        code: "install-outside-base",
        path,
        word: what.split(/\s/)[0],
        message: `${path.join(".")}: \`${what}\` installs system packages in a layer that is made often`,
        hint: "name the packages in images.base.packages",
      },
    ];
  });
}

const lines = (run: string | readonly string[] | undefined): readonly string[] =>
  run === undefined ? [] : typeof run === "string" ? [run] : run;
