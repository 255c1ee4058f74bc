// `make cluster` as it is lived: one command builds for both platforms, pushes, and rolls the new version out.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { fastloop } from "../e2e/cli-process.ts";
import { pushTiny } from "../e2e/tiny-image.ts";
import { textAt } from "../../src/deploy/objects/objects.ts";
import { noCluster, TestCluster } from "./cluster.ts";
import { deployment } from "./deployer.ts";

const manifestTypes = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

describe.skipIf(noCluster !== undefined)("to a cluster in one command", () => {
  let cluster: TestCluster;
  let registry: BenchRegistry;
  let folder: string;
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-journey-"));
    [cluster, registry] = await Promise.all([TestCluster.start(), startRegistry(folder)]);
    await cluster.client().request("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    });
    const tiny = `${registry.address}/tiny`;
    await pushTiny(tiny);
    const image = `${registry.address}/shop`;
    write("kubeconfig", cluster.kubeconfig({ context: "kind-shop" }));
    write("project/.git/HEAD", "");
    write("project/src/main.txt", "one\n");
    write(
      "project/deploy/shop.yaml",
      deployment("shop", "v1", 2).replace(/image: "[^"]+"/, `image: "${image}:latest"`),
    );
    write(
      "project/fastloop.yaml",
      `version: 1
name: shop
module: fastloop
images: { dev: { base: "${tiny}:1", sources: [src/] } }
publish: { image: "${image}:latest", platforms: [linux/amd64, linux/arm64] }
deploy: { environments: { local: { namespace: shop } }, apps: { shop: { manifests: [deploy/] } } }
`,
    );
  });
  afterAll(async () => {
    cluster?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function deploy(): Promise<string> {
    const { exitCode, stdout, stderr } = await fastloop(["deploy", "local", "--publish", "--trust"], {
      cwd: path.join(folder, "project"),
      env: { KUBECONFIG: path.join(folder, "kubeconfig"), GITHUB_STEP_SUMMARY: "" },
    });
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    return stdout;
  }
  const running = async (): Promise<{ image: string; pods: (string | undefined)[] }> => {
    const client = cluster.client();
    const object = await client.get("/apis/apps/v1/namespaces/shop/deployments/shop");
    const { items } = (await client.get("/api/v1/namespaces/shop/pods")) as { items: unknown[] };
    const image = textAt(object, "spec", "template", "spec", "containers", 0, "image") ?? "";
    const alive = items.filter((pod) => textAt(pod, "metadata", "deletionTimestamp") === undefined);
    return { image, pods: alive.map((pod) => textAt(pod, "spec", "containers", 0, "image")) };
  };

  test("it is built for both platforms, pushed, and runs by its digest; after an edit the next version takes over", async () => {
    expect(await deploy()).toContain("shop: release 1 is deployed");
    const first = await running();
    const [, digest] = first.image.split("@");
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const response = await fetch(`http://${registry.address}/v2/shop/manifests/${digest}`, {
      headers: { accept: manifestTypes },
    });
    const index = (await response.json()) as { manifests: { platform: { architecture: string } }[] };
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
    expect(first.pods).toEqual([first.image, first.image]);

    write("project/src/main.txt", "two\n");
    expect(await deploy()).toContain("shop: release 2 is deployed");
    const second = await running();
    expect(second.image).not.toBe(first.image);
    expect(second.pods).toEqual([second.image, second.image]);
  });
});
