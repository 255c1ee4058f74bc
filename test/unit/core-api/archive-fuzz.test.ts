/** Archives of images against ten thousand inputs: what they say of themselves, their names, and their bytes. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { asyncProperty, constantFrom, jsonValue, nat, oneof, property, string, tuple, uint8Array } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openImageArchive, whiteout } from "../../../src/core-api/image/archive.ts";
import { readLayout } from "../../../src/core-api/image/layout.ts";
import { ApiError } from "../../../src/core-api/values/errors.ts";
import { fuzz, fuzzTimeoutMs, inTime } from "../fuzz.ts";

const wanted = { tag: "", platform: "linux/amd64" };
const digest = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const config = JSON.stringify({ os: "linux", architecture: "amd64", config: { Env: ["A=b"] } });
const layer = "layer";
const manifest = JSON.stringify({ config: { digest: digest(config) }, layers: [{ digest: digest(layer) }] });
const index = JSON.stringify({
  manifests: [
    {
      digest: digest(manifest),
      platform: { os: "linux", architecture: "amd64", variant: "" },
      annotations: { "org.opencontainers.image.ref.name": "t" },
    },
  ],
});
const docker = JSON.stringify([{ Config: "config.json", RepoTags: ["a:t"], Layers: ["layer.tar"] }]);
const blob = (text: string): string => `blobs/${digest(text).replace(":", "/")}`;
const oci: Record<string, string> = {
  "index.json": index,
  [blob(manifest)]: manifest,
  [blob(config)]: config,
  [blob(layer)]: layer,
};
const saved: Record<string, string> = { "manifest.json": docker, "config.json": config, "layer.tar": layer };

const fields = [
  "manifests",
  "digest",
  "platform",
  "os",
  "annotations",
  "config",
  "layers",
  "Config",
  "RepoTags",
  "Layers",
  "__proto__",
  "variant",
];
const bad = oneof(
  jsonValue(),
  constantFrom(
    "sha256:../../etc/passwd",
    `sha256:${"0".repeat(64)}`,
    "../../etc/passwd",
    "--to-command=touch x",
    "-C/",
  ),
);

/** A file of JSON with one of its fields put to something else, at any depth. */
function changed(text: string, field: string, value: unknown): unknown {
  return JSON.parse(text, (key, old: unknown) => (key === field ? value : old));
}

describe(
  "ten thousand inputs each",
  () => {
    it("a layout names files of the archive by their digest or listed name, or is refused in words", async () => {
      for (const files of [oci, saved])
        expect(
          await readLayout(new Set(Object.keys(files)), wanted, async (name) => JSON.parse(files[name]!) as unknown),
        ).toMatchObject({ layers: [{}] });
      await fuzz(
        asyncProperty(
          constantFrom(oci, saved),
          nat(3),
          constantFrom(...fields),
          bad,
          constantFrom("", "t", "x"),
          async (files, which, field, value, tag) => {
            const names = Object.keys(files);
            const target = names[which % names.length]!;
            const asked: string[] = [];
            const read = async (name: string): Promise<unknown> => {
              asked.push(name);
              const text = files[name];
              if (text === undefined || text === layer) throw new ApiError("the image archive lacks it");
              return name === target ? changed(text, field, value) : (JSON.parse(text) as unknown);
            };
            try {
              const { layers } = await readLayout(new Set(names), { ...wanted, tag }, read);
              asked.push(...layers.map(({ name }) => name));
            } catch (error) {
              expect(error).toBeInstanceOf(ApiError);
            }
            for (const name of asked)
              expect(names.includes(name) || /^blobs\/sha256\/[0-9a-f]{64}$/.test(name), name).toBe(true);
          },
        ),
      );
    });

    it("a mark of a layer removes something below the root, or is none", async () => {
      const part = oneof(constantFrom("..", ".", "a", ".wh.", ".wh..wh..opq", ".wh.b", ".wh...", "*", "\\"), string());
      await fuzz(
        property(
          tuple(part, part, part).map((parts) => parts.join("/")),
          (entry) => {
            for (const { removes, mark } of inTime(() => whiteout(entry))) {
              expect([removes.path.startsWith("/"), mark.startsWith("/")]).toEqual([true, true]);
              expect(removes.path.split("/")).not.toContain("..");
            }
          },
        ),
      );
    });
  },
  fuzzTimeoutMs,
);

describe(
  "archives with damaged bytes",
  () => {
    let folder = "";
    const archives: Buffer[] = [];
    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), "fastloop-archives-"));
      for (const files of [oci, saved]) {
        const source = mkdtempSync(path.join(folder, "source-"));
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
          writeFileSync(path.join(source, name), text);
        }
        const tar = execFileSync("tar", ["-cf", "-", "-C", source, ...Object.keys(files)]);
        archives.push(tar, gzipSync(tar));
        rmSync(source, { recursive: true });
      }
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("are read or refused, and leave no file where they name one", async () => {
      const file = path.join(folder, "archive.tar");
      const names = ["../../../../../tmp/escaped", "/tmp/escaped", "--checkpoint-action=exec=touch x"];
      await fuzz(
        asyncProperty(
          nat(3),
          nat(),
          uint8Array({ maxLength: 16 }),
          nat(600),
          constantFrom(undefined, ...names),
          async (which, at, put, out, name) => {
            const whole = archives[which]!;
            const start = at % (whole.length + 1);
            const bytes = Buffer.concat([whole.subarray(0, start), put, whole.subarray(start + out)]);
            // Another name in the place of the first entry's.
            if (name !== undefined && which % 2 === 0) bytes.fill(0, 0, 100).write(name);
            writeFileSync(file, bytes);
            const opened = await openImageArchive(file, wanted).catch((error: unknown) => error);
            if (opened instanceof Error) expect(opened).toBeInstanceOf(ApiError);
            expect(readdirSync(folder)).toEqual(["archive.tar"]);
          },
        ),
        // Each starts tar several times.
        100,
      );
    });
  },
  fuzzTimeoutMs,
);
