import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { followLogs } from "../../../src/deploy/index.ts";
import { applySetId, partOf } from "../../../src/deploy/apply/applyset.ts";
import { listAll, type Cluster } from "../../../src/deploy/cluster/client.ts";
import { textAt } from "../../../src/deploy/objects/objects.ts";
import { SmallCluster } from "../../deploy/small-api-server.ts";

let server: SmallCluster;
let client: Cluster;
let over: AbortController;
let following: Promise<void>;
let lines: string[];
let pod: string;

beforeEach(async () => {
  server = await SmallCluster.start();
  client = server.client();
  const labels = { app: "web" };
  await client.request("POST", "/apis/apps/v1/namespaces/default/deployments", {
    body: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "default", labels: { [partOf]: applySetId("shop", "default") } },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "web:1" }] } },
      },
    },
  });
  pod = "";
  while (pod === "") {
    const [made] = await listAll(client, "/api/v1/namespaces/default/pods", {});
    pod = textAt(made, "metadata", "name") ?? "";
  }
  over = new AbortController();
  lines = [];
  following = followLogs({
    app: "shop",
    namespace: "default",
    cluster: () => client,
    onLine: (line) => lines.push(line),
    signal: over.signal,
  });
});
afterEach(async () => {
  over.abort();
  await following;
  client.close();
  server.stop();
});

const log = () => server.logs.of(`default/${pod}`);
const told = (texts: readonly string[]): string[] => texts.map((text) => `shop ${pod}/main | ${text}`);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(20);
}

it("a log that breaks off goes on where it was, without a line twice", async () => {
  await until(() => log().followers === 1);
  log().write("one");
  await until(() => lines.length === 2);
  await server.killApi();
  log().write("two, while the server was away");
  await server.startApi();
  await until(() => lines.length >= 3 && log().followers === 1);
  log().write("three");
  await until(() => lines.some((line) => line.endsWith("three")));
  expect(lines).toEqual(told(["listening on :8080", "one", "two, while the server was away", "three"]));
});

it("a log that the server refuses at first is opened later", async () => {
  log().refused = true;
  await until(() => log().refusals > 0);
  log().refused = false;
  await until(() => lines.length === 1);
  expect(lines).toEqual(told(["listening on :8080"]));
});

it("a log is shown from its last ten lines on", async () => {
  await until(() => log().followers === 1);
  over.abort();
  await following;
  await until(() => log().followers === 0);
  lines.length = 0;
  for (let count = 1; count <= 12; count++) log().write(`line ${count}`);
  over = new AbortController();
  following = followLogs({
    app: "shop",
    namespace: "default",
    cluster: () => client,
    onLine: (line) => lines.push(line),
    signal: over.signal,
  });
  await until(() => lines.length === 10);
  expect(lines).toEqual(told(Array.from({ length: 10 }, (_one, index) => `line ${index + 3}`)));
});
