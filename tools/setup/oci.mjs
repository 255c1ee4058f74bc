// OCI image documents, and the distribution API's push. https://github.com/opencontainers/distribution-spec
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import http from "node:http";

const types = {
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
};

/** Pushes one platform's image by digest; resolves with its descriptor. */
export async function pushImage(address, repository, arch, layers, config) {
  const document = json({
    architecture: arch,
    ...(arch === "arm64" ? { variant: "v8" } : {}),
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created_by: `fastloop set-up: ${layer.name}` })),
  });
  for (const layer of layers) await pushBlob(address, repository, layer, () => createReadStream(layer.file));
  await pushBlob(address, repository, document, () => document.bytes);
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(types.config, document),
    layers: layers.map((layer) => descriptor(types.layer, layer)),
  });
  await pushManifest(address, repository, manifest.digest, types.manifest, manifest);
  const platform = { os: "linux", architecture: arch, ...(arch === "arm64" ? { variant: "v8" } : {}) };
  return { ...descriptor(types.manifest, manifest), platform };
}

/** Names a set of platforms' images. */
export async function pushIndex(address, repository, tags, manifests) {
  const index = json({ schemaVersion: 2, mediaType: types.index, manifests });
  for (const tag of tags) await pushManifest(address, repository, tag, types.index, index);
}

function json(value) {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, sizeBytes: bytes.length, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

function descriptor(mediaType, { digest, sizeBytes }) {
  return { mediaType, digest, size: sizeBytes };
}

async function pushBlob(address, repository, { digest, sizeBytes }, open) {
  const head = await call(address, "HEAD", `/v2/${repository}/blobs/${digest}`);
  if (head.status === 200) return;
  const start = await call(address, "POST", `/v2/${repository}/blobs/uploads/`, { "content-length": 0 });
  expect(start, 202, `upload of ${digest}`);
  const location = new URL(start.headers.location, `http://${address}`);
  location.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream", "content-length": sizeBytes };
  expect(await call(address, "PUT", location.pathname + location.search, headers, open()), 201, `upload of ${digest}`);
}

async function pushManifest(address, repository, reference, type, { bytes }) {
  const headers = { "content-type": type, "content-length": bytes.length };
  expect(
    await call(address, "PUT", `/v2/${repository}/manifests/${reference}`, headers, bytes),
    201,
    `${repository}:${reference}`,
  );
}

function expect({ status, body }, wanted, what) {
  if (status !== wanted) throw new Error(`${what}: the local registry answered ${status} ${body}`);
}

function call(address, method, path, headers = {}, body) {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", reject);
    if (body === undefined || Buffer.isBuffer(body)) request.end(body);
    else body.on("error", reject).pipe(request);
  });
}
