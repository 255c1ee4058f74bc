import { expect, test } from "vitest";
import { differenceLines, differences } from "../../../src/deploy/objects/differences.ts";

const secret = (password: string, annotations?: Record<string, string>): unknown => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", ...(annotations === undefined ? {} : { annotations }) },
  data: { password },
});
const linesOf = (before: unknown, after: unknown): string[] => differenceLines("Secret", differences(before, after));

test("what a client-side apply noted of an object is no difference, and no Secret's data is told through it", () => {
  const live = secret("aHVudGVyMg==", {
    "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(secret("aHVudGVyMg==")),
  });
  expect(linesOf(live, secret("aHVudGVyMw=="))).toEqual(["- data.password: (secret)", "+ data.password: (secret)"]);
  expect(differences(live, secret("aHVudGVyMg=="))).toEqual([]);
});

test("no annotation of a Secret is shown: other tools keep copies of the object there", () => {
  const live = secret("a", { "kapp.k14s.io/original": '{"data":{"password":"aHVudGVyMg=="}}' });
  expect(linesOf(live, secret("a"))).toEqual(["- metadata.annotations: (secret)"]);
  expect(linesOf(live, secret("a", { owner: "me" }))).toEqual([
    '- metadata.annotations["kapp.k14s.io/original"]: (secret)',
    "+ metadata.annotations.owner: (secret)",
  ]);
});
