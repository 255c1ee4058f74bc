/**
 * Remembers what image tags resolved to, in `images.json` of the state folder beside BuildKit's content. Losing the
 * file costs requests to the registry.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import type { KnownImage, KnownImages } from "../core-api/index.ts";
import { writeFileAtomically } from "../tree/index.ts";

/** Maximum number of images; the oldest are dropped. */
const keptImages = 500;
const answerMs = 1000;

/**
 * Opens the images of a state folder. `mirror` returns the address of the local registry that serves as the mirror of
 * docker.io, if there is one.
 */
export function knownImagesIn(state: string, mirror: () => string | undefined): KnownImages {
  const file = path.join(state, "images.json");
  const known = read(file);
  return {
    find: (reference, platform) => known.get(`${reference} ${platform}`),
    keep(reference, platform, image) {
      const key = `${reference} ${platform}`;
      if (known.get(key)?.digest === image.digest) return;
      known.delete(key);
      known.set(key, { digest: image.digest, config: image.config });
      const [oldest] = known.size > keptImages ? known.keys() : [];
      if (oldest !== undefined) known.delete(oldest);
      writeFileAtomically(file, JSON.stringify(Object.fromEntries(known)), 0o600);
    },
    async isServedHere(reference) {
      const address = mirror();
      const [, repository, tag] = /^docker\.io\/([^:@]+)(?::([^@]+))?$/.exec(reference) ?? [];
      if (address === undefined || repository === undefined) return false;
      return await answers(`http://${address}/v2/${repository}/manifests/${tag ?? "latest"}`);
    },
  };
}

function read(file: string): Map<string, KnownImage> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, KnownImage>));
  } catch {
    return new Map();
  }
}

function answers(url: string): Promise<boolean> {
  const accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
  return new Promise((resolve) => {
    const options = { method: "HEAD", headers: { accept }, signal: AbortSignal.timeout(answerMs) };
    const sent = http.request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.once("error", () => resolve(false));
    sent.end();
  });
}
