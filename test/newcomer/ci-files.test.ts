/**
 * What `init --ci` writes, as a CI system would use it: GitHub's files are linted, and the commands of each are run in their
 * order in a root file system that has Node and nothing else, by the user whom its runners have. fastloop comes by npx from a
 * registry on loopback, with the engine's package. With FASTLOOP_NEWCOMER (nightly) and FASTLOOP_TEST_RELEASE, the folder of
 * the packed files.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ciFile, ciNames, type CiName } from "../../src/cli/init/ci.ts";
import { imagesDir } from "../../src/engine-daemon/set-up/paths.ts";
import { findExecutable, packageRoot } from "../../src/paths/index.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { bareRoot, type BareRoot } from "./bare-root.ts";
import { startNpmRegistry, type NpmRegistry } from "./npm-registry.ts";

const named = process.env["FASTLOOP_TEST_RELEASE"];
const release = named === undefined ? undefined : path.resolve(packageRoot(), named);
const isAsked = (process.env["FASTLOOP_NEWCOMER"] ?? "") !== "";
const longMs = 30 * 60_000;
const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7";

describe.skipIf(!isAsked || findExecutable("go") === undefined)("GitHub's workflow files", () => {
  test(
    "have nothing that actionlint finds",
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), "fastloop-actionlint-"));
      const full = {
        version: "1.2.3",
        baseRegistry: "ghcr.io/acme/app/base",
        cache: "ghcr.io/acme/app/cache:latest",
        deploys: [
          { name: "staging", isProduction: false, isPublished: true },
          { name: "production", isProduction: true, isPublished: false },
        ],
      };
      const variants = [
        { version: "1.2.3", isDependency: false },
        { ...full, isDependency: true },
        { ...full, isDependency: false, callsDagger: true },
      ];
      const written = variants.map((options, index) => {
        const file = path.join(folder, `${index}.yml`);
        writeFileSync(file, ciFile("github", options).text);
        return file;
      });
      const own = path.join(packageRoot(), ".github/workflows");
      const files = [...written, ...readdirSync(own).map((name) => path.join(own, name))];
      // Its own checks alone, whatever linters of shells are installed here.
      const options = ["-shellcheck=", "-pyflakes=", "-no-color"];
      const linted = spawnSync("go", ["run", actionlint, ...options, ...files], { encoding: "utf8", cwd: folder });
      rmSync(folder, { recursive: true });
      expect(linted.stdout + linted.stderr.replaceAll(/^go: downloading .*\n/gm, "")).toBe("");
      expect(linted.status).toBe(0);
    },
    longMs,
  );
});

/** Users of hosted runners may become root by sudo; the others are root, in a container or on a machine of their own. */
const userOf = (name: CiName): "root" | "node" => (["github", "circleci", "azure"].includes(name) ? "node" : "root");

/** The command lines of a file in its order, and what its CI system would have set in their environment. */
function commandsOf(name: CiName, text: string): string[] {
  if (name === "jenkins") return [...text.matchAll(/sh '([^']*)'/g)].map((match) => match[1] ?? "");
  const found: string[] = [];
  const visit = (value: unknown, key = ""): void => {
    if (typeof value === "string" && ["run", "script", "commands"].includes(key)) found.push(value);
    else if (Array.isArray(value)) for (const item of value) visit(item, key);
    else if (typeof value === "object" && value !== null)
      for (const [inner, item] of Object.entries(value)) visit(item, inner);
  };
  visit(parse(text));
  return name === "buildkite" ? found.map((command) => command.replaceAll("$$", "$")) : found;
}

describe.skipIf(!isAsked || release === undefined || process.getuid?.() !== 0)(
  "the commands of a workflow file",
  () => {
    let folder: string;
    let root: BareRoot;
    let npm: NpmRegistry;
    let images: BenchRegistry;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), "fastloop-ci-files-"));
      const uplink = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
      npm = await startNpmRegistry(folder, uplink);
      for (const file of readdirSync(release!).filter((each) => each.endsWith(".tgz")))
        execFileSync("npm", ["publish", path.join(release!, file), "--silent"], {
          cwd: folder,
          env: { ...process.env, NPM_CONFIG_USERCONFIG: npm.npmrc },
        });
      images = await startRegistry(folder);
      root = await bareRoot();
      for (const home of ["root", "home/node"]) {
        cpSync(npm.npmrc, path.join(root.folder, home, ".npmrc"));
        // Base images are another matter: those of this machine, where it has made its own.
        if (existsSync(imagesDir()))
          cpSync(imagesDir(), path.join(root.folder, home, ".cache/fastloop/images"), { recursive: true });
      }
      execFileSync("chown", ["-R", "1000:1000", path.join(root.folder, "home/node")]);
      const prepared = await root.run("apt-get update -qq && apt-get install -qq --yes sudo git iptables > /dev/null");
      expect(prepared.exitCode, prepared.output).toBe(0);
      writeFileSync(path.join(root.folder, "etc/sudoers.d/runner"), "node ALL=(ALL) NOPASSWD:ALL\n", { mode: 0o440 });
    }, longMs);

    afterAll(async () => {
      npm?.stop();
      await images?.stop();
      root?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    test.each(ciNames)(
      "%s: all of them pass, as its runner's user",
      async (name) => {
        const user = userOf(name);
        const home = user === "root" ? "root" : "home/node";
        const project = path.join(root.folder, home, name);
        mkdirSync(project);
        writeFileSync(
          path.join(project, "package.json"),
          JSON.stringify({ type: "module", scripts: { test: "node --test" } }),
        );
        writeFileSync(
          path.join(project, "sum.test.js"),
          'import { strictEqual } from "node:assert";\nimport { test } from "node:test";\ntest("sum", () => strictEqual(1 + 1, 2));\n',
        );
        execFileSync("chown", ["-R", user === "root" ? "0:0" : "1000:1000", project]);
        const cache = `${images.address}/${name}/cache:latest`;
        const env = {
          CI: "true",
          FASTLOOP_ENGINE: "embedded",
          FASTLOOP_CACHE_FROM: cache,
          FASTLOOP_CACHE_TO: cache,
          CI_REGISTRY: "registry.example",
          CI_REGISTRY_USER: "job",
          CI_REGISTRY_PASSWORD: "of-the-job",
          REGISTRY_USERNAME: "job",
          REGISTRY_PASSWORD: "of-the-job",
        };
        const { version } = JSON.parse(readFileSync(path.join(packageRoot(), "package.json"), "utf8")) as {
          version: string;
        };
        const begun = await root.run(
          `cd ${name}
git init -q
npx --yes fastloop@${version} init --ci ${name}
cat >> fastloop.yaml <<'END'
images:
  base: { from: "node:22-bookworm-slim", registry: "${images.address}/${name}/base" }
END
rm -rf .circleci .github .buildkite .gitlab-ci.yml azure-pipelines.yml Jenkinsfile
npx --yes fastloop@${version} init --ci ${name}`,
          { user, env },
        );
        expect(begun.exitCode, begun.output).toBe(0);
        const file = ciFile(name, { version, isDependency: false }).path;
        const commands = commandsOf(name, readFileSync(path.join(project, file), "utf8"));
        expect(commands.length).toBeGreaterThan(3);
        const stop = `${user === "root" ? "" : 'sudo -E env "PATH=$PATH" '}npx --yes fastloop@${version} engine stop --force`;
        const ran = await root.run(
          [
            `cd ${name}`,
            `trap '${stop}' EXIT`,
            ...commands.flatMap((command) => [`echo '--- ${command.replaceAll("'", "'\\''")}'`, command]),
          ].join("\n"),
          { user, env },
        );
        console.log(ran.output);
        expect(ran.exitCode, ran.output).toBe(0);
        expect(ran.output).toMatch(/^app +fast .*1/m);
        const tags = async (repository: string): Promise<unknown> =>
          (await fetch(`http://${images.address}/v2/${name}/${repository}/tags/list`)).json();
        expect(await tags("cache")).toMatchObject({ tags: ["latest"] });
        expect(await tags("base")).toMatchObject({ tags: expect.arrayContaining(["base-latest"]) as string[] });
      },
      longMs,
    );
  },
);
