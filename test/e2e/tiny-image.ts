import { createHash } from "node:crypto";
import { expect } from "vitest";

/** An image of two architectures without anything in it, so that nothing has to be emulated. */
export async function pushTiny(name: string, tag = "1", created?: Date): Promise<void> {
  const base = `http://${name.replace("/", "/v2/")}`;
  const digest = (data: Buffer): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
  const blob = async (data: Buffer): Promise<{ digest: string; size: number }> => {
    const started = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const place = new URL(started.headers.get("location") ?? "", base);
    place.searchParams.set("digest", digest(data));
    expect(
      (
        await fetch(place, {
          method: "PUT",
          body: new Uint8Array(data),
          headers: { "content-type": "application/octet-stream" },
        })
      ).status,
    ).toBe(201);
    return { digest: digest(data), size: data.length };
  };
  const manifest = async (
    reference: string,
    mediaType: string,
    content: object,
  ): Promise<{ mediaType: string; digest: string; size: number }> => {
    const data = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
    expect(
      (
        await fetch(`${base}/manifests/${reference || digest(data)}`, {
          method: "PUT",
          body: new Uint8Array(data),
          headers: { "content-type": mediaType },
        })
      ).status,
    ).toBe(201);
    return { mediaType, digest: digest(data), size: data.length };
  };
  const oci = "application/vnd.oci.image";
  const layer = Buffer.alloc(1024);
  const layers = [{ mediaType: `${oci}.layer.v1.tar`, ...(await blob(layer)) }];
  const manifests: object[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const config = Buffer.from(
      JSON.stringify({
        os: "linux",
        architecture,
        created: created?.toISOString(),
        config: {},
        rootfs: { type: "layers", diff_ids: [digest(layer)] },
      }),
    );
    const described = await manifest("", `${oci}.manifest.v1+json`, {
      config: { mediaType: `${oci}.config.v1+json`, ...(await blob(config)) },
      layers,
    });
    manifests.push({ ...described, platform: { os: "linux", architecture } });
  }
  await manifest(tag, `${oci}.index.v1+json`, { manifests });
}
