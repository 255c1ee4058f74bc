import { describe, expect, test } from "vitest";
import {
  imagesOf,
  parseManifests,
  parsePath,
  parseReplacement,
  replaceImages,
  unusedReplacements,
} from "../../../src/deploy/index.ts";

const digest = `@sha256:${"a".repeat(64)}`;
const manifests = (text: string) => parseManifests([{ name: "a", text }]);
const cron = manifests(`apiVersion: batch/v1
kind: CronJob
metadata: {name: a}
spec: {jobTemplate: {spec: {template: {spec: {initContainers: [{image: "localhost:5000/init:1"}], containers: [{name: a, image: nginx}, {name: b, image: "ghcr.io/a/b:v1"}]}}}}}
`);
const widget = manifests(`apiVersion: example.org/v1
kind: Widget
metadata: {name: a}
spec: {image: "a/w:1", steps: [{image: "a/s:1"}, {image: "a/t:1"}, {name: none}], "dotted.key": {image: "a/d:1"}}
`);

describe("images", () => {
  test("are found in every pod's spec, at any depth", () => {
    expect(imagesOf(cron)).toEqual(["ghcr.io/a/b:v1", "localhost:5000/init:1", "nginx"]);
  });

  test("are replaced by the name that is written, by the whole name, or by the repository", () => {
    const replace = (name: string) => imagesOf(replaceImages(cron, new Map([[name, `x${digest}`]])));
    for (const name of ["nginx", "docker.io/library/nginx"]) expect(replace(name)).toContain(`x${digest}`);
    for (const name of ["ghcr.io/a/b:v1", "ghcr.io/a/b"]) expect(replace(name)).toContain(`x${digest}`);
    expect(replace("localhost:5000/init")).toContain(`x${digest}`);
    for (const name of ["ghcr.io/a/b:v2", "a/b", "b", "localhost:5000"]) expect(replace(name)).toEqual(imagesOf(cron));
  });

  test("leave the manifests that they were read from alone", () => {
    replaceImages(cron, new Map([["nginx", `x${digest}`]]));
    expect(imagesOf(cron)).toContain("nginx");
  });

  test("of other kinds are found where they are declared, for that kind and group only", () => {
    const paths = [
      "spec.image",
      "spec.steps[*].image",
      '$.spec["dotted.key"].image',
      "spec.steps[7].image",
      "spec.gone.image",
    ];
    expect(imagesOf(widget)).toEqual([]);
    expect(imagesOf(widget, [{ kind: "Widget", paths }])).toEqual(["a/d:1", "a/s:1", "a/t:1", "a/w:1"]);
    expect(imagesOf(widget, [{ kind: "Widget.example.org", paths }])).toHaveLength(4);
    expect(imagesOf(widget, [{ kind: "Widget.other.org", paths }])).toEqual([]);
    const replaced = replaceImages(widget, new Map([["a/t", `t${digest}`]]), [{ kind: "Widget", paths }]);
    expect(imagesOf(replaced, [{ kind: "Widget", paths }])).toContain(`t${digest}`);
  });

  test("a path that can't be is refused, and none reaches a prototype", () => {
    for (const path of ["", "spec..image", "spec[", "spec image", "spec[?(@.a)]"])
      expect(() => parsePath(path)).toThrow(/path to an image/);
    expect(imagesOf(widget, [{ kind: "Widget", paths: ["spec.constructor.name", "__proto__.x"] }])).toEqual([]);
  });

  test("a replacement names a digest, and one that nothing uses is told", () => {
    expect(parseReplacement(`a=b${digest}`)).toEqual(["a", `b${digest}`]);
    for (const text of ["a", "a=b", "a=b:1", `=b${digest}`, `a= b${digest}`, `a=b${digest}0`])
      expect(() => parseReplacement(text)).toThrow("--image");
    expect(unusedReplacements(cron, ["nginx", "docker.io/library/nginx", "ghcr.io/a/b", "ghcr.io/a/c"])).toEqual([
      "ghcr.io/a/c",
    ]);
  });
});
