import { describe, expect, test } from "vitest";
import { manifestsText, parseManifests } from "../../../src/deploy/index.ts";

const parse = (text: string) =>
  parseManifests([{ name: "a.yaml", text }]).map(({ object, place }) => ({ object, place }));
const object = (more = "") => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${more}`;

describe("manifests", () => {
  test("are taken apart: documents, empty ones, lists in lists, JSON", () => {
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [
        {
          apiVersion: "v1",
          kind: "ConfigMapList",
          items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }],
        },
      ],
    };
    const found = parse(`---\n# nothing\n---\n${object()}---\n${JSON.stringify(list)}\n`);
    expect(found.map(({ object, place }) => `${object.metadata.name} ${place}`)).toEqual(["a a.yaml:4", "c a.yaml:8"]);
  });

  test("read numbers as kubectl does: a mode of 0644 is octal, a port mapping and `on` are texts", () => {
    const [found] = parse(object("data: {mode: 0644, ports: 22:22, on: on, plain: 644, octal: 0o644}"));
    expect(found?.object["data"]).toEqual({ mode: 420, ports: "22:22", on: "on", plain: 644, octal: 420 });
  });

  test("that are written come back as they were read", () => {
    const text = object('data: {a: "0644", b: "on", c: "1:30", d: "2001-01-01", e: "1_000", f: "~", g: "y"}');
    const [first] = parse(text);
    const [again] = parse(manifestsText(parseManifests([{ name: "a.yaml", text }])));
    expect(again?.object).toEqual(first?.object);
  });

  test("tell every problem at its place, at once", () => {
    const files = [
      { name: "a.yaml", text: `${object()}---\n${object()}---\nkind: Pod\n` },
      { name: "b\u001b[31m.yaml", text: "a: [1\n" },
      { name: "c.yaml", text: "apiVersion: v1\nkind: Job\nmetadata: {generateName: a-}\n" },
      { name: "d.yaml", text: "apiVersion: v1\nkind: Pod\nmetadata: {name: ../../nodes/a}\n" },
      { name: "e.yaml", text: "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: 1}}\n" },
      { name: "f.yaml", text: "just text\n" },
      { name: "g.yaml", text: "a: &a [x, x]\nb: *nothing\n" },
    ];
    let message = "";
    try {
      parseManifests(files);
    } catch (error) {
      message = (error as Error).message;
    }
    const lines = message.split("\n");
    expect(lines[0]).toContain("a.yaml:9: no object of Kubernetes: `apiVersion`");
    expect(message).toContain("b\\u001b[31m.yaml:");
    expect(message).not.toContain("\u001b");
    expect(message).toContain("c.yaml:1: `metadata.generateName` makes a new object at each deploy");
    expect(message).toContain("d.yaml:1: no object of Kubernetes: `metadata.name`: a name without `/`");
    expect(message).toContain("e.yaml:1: no object of Kubernetes: `metadata.labels.a`");
    expect(message).toContain("f.yaml:1: no object");
    expect(message).toContain("g.yaml:");
    expect(message).toContain("a.yaml:5: ConfigMap/a is also in a.yaml:1");
  });

  test("that would fill the memory or the stack are refused", () => {
    const bomb = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : `*a${i - 1},`.repeat(9)}]`,
    ).join("\n");
    expect(() => parse(`${object()}${bomb}`)).toThrow(/a\.yaml:1:/);
    expect(() => parse(object(`data: ${"[".repeat(300)}${"]".repeat(300)}`))).toThrow("more than 200 levels deep");
  });

  test("are written in the order in which they are applied", () => {
    const kinds = [
      "Deployment",
      "Service",
      "Widget",
      "ConfigMap",
      "CustomResourceDefinition",
      "Namespace",
      "ValidatingWebhookConfiguration",
    ];
    const text = kinds.map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: a}\n`).join("---\n");
    const written = [...manifestsText(parseManifests([{ name: "a", text }])).matchAll(/^kind: (.*)$/gm)].map(
      (match) => match[1],
    );
    expect(written).toEqual([
      "Namespace",
      "CustomResourceDefinition",
      "ConfigMap",
      "Service",
      "Deployment",
      "Widget",
      "ValidatingWebhookConfiguration",
    ]);
  });
});
