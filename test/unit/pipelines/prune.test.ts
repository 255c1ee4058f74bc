/** What prune-base reads of a registry, and that nothing is deleted before all of it is read. */
import { createHash } from "node:crypto";
import { describe, expect, it, test } from "vitest";
import { nextPage } from "../../../pipelines/src/registry-pages.ts";
import { pruneRegistry } from "../../../pipelines/src/prune.ts";
import { RegistryClient } from "../../../pipelines/src/registry-client.ts";
import { planRetention } from "../../../pipelines/src/retention.ts";
import { presentTags } from "../../../pipelines/src/tags.ts";

const base = "https://reg.example/v2/acme/base";
const page = (link: string | null): string | undefined => nextPage(link, `${base}/tags/list`, base);

describe("the link to the next page", () => {
  it.each<[link: string | null, path: string | undefined]>([
    [null, undefined],
    ["", undefined],
    ['</v2/acme/base/tags/list?last=b&n=100>; rel="next"', "tags/list?last=b&n=100"],
    ["</v2/acme/base/tags/list?n=100&last=a,b>;rel=next", "tags/list?n=100&last=a,b"],
    ['<https://reg.example/v2/acme/base/tags/list?last=b>; title="x, y"; rel="last next"', "tags/list?last=b"],
    // A proxy speaks TLS for it.
    ["<http://reg.example/v2/acme/base/tags/list?last=b>; REL=NEXT", "tags/list?last=b"],
    ['<?last=b>; rel="next"', "tags/list?last=b"],
    ['</v2/acme/base/tags/list?last=0>; rel="prev", </v2/acme/base/tags/list?last=b>; rel="next"', "tags/list?last=b"],
    ['</v2/acme/base/tags/list>; rel="prev"', undefined],
    ['<https://elsewhere.example/x>; rel="nextish"', undefined],
  ])("%s", (link, path) => {
    expect(page(link)).toBe(path);
  });

  it.each([
    '<https://elsewhere.example/v2/acme/base/tags/list?last=b>; rel="next"',
    '<//elsewhere.example/v2/acme/base/tags/list?last=b>; rel="next"',
    '<https://reg.example:8443/v2/acme/base/tags/list>; rel="next"',
    '<https://user@reg.example/v2/acme/base/tags/list>; rel="next"',
    '</v2/acme/other/tags/list?last=b>; rel="next"',
    '</v2/acme/base/tags/../manifests/x>; rel="next"',
    '<file:///etc/passwd>; rel="next"',
    '<http://[>; rel="next"',
    '/v2/acme/base/tags/list?last=b; rel="next"',
  ])("that leads elsewhere or can't be read is refused: %s", (link) => {
    expect(() => page(link)).toThrow(/next page/);
  });
});

interface Call {
  url: string;
  method?: string;
}

/** A registry of single images, tagged `t000`, `t001`, …, that gives its tags in pages of 100. */
function pagedRegistry(
  count: number,
  next: (last: string) => string = (last) => `</v2/acme/base/tags/list?n=100&last=${last}>; rel="next"`,
) {
  const calls: Call[] = [];
  const tags = Array.from({ length: count }, (_, index) => `t${String(index).padStart(3, "0")}`);
  const manifestOf = (tag: string): string =>
    JSON.stringify({ config: { digest: `sha256:config-${tag}` }, layers: [] });
  const digests = new Map(
    tags.map((tag) => [`sha256:${createHash("sha256").update(manifestOf(tag)).digest("hex")}`, tag]),
  );
  const send = (url: string, init: { method?: string } = {}): Promise<Response> => {
    calls.push({ url, method: init.method ?? "GET" });
    const { pathname, searchParams } = new URL(url);
    const place = pathname.replace("/v2/acme/base/", "");
    if (init.method === "DELETE") return Promise.resolve(new Response(null, { status: 202 }));
    if (place === "tags/list") {
      const from = tags.findIndex((tag) => tag > (searchParams.get("last") ?? ""));
      const some = from < 0 ? [] : tags.slice(from, from + 100);
      const isLast = from < 0 || from + 100 >= count;
      return Promise.resolve(Response.json({ tags: some }, { headers: isLast ? {} : { link: next(some.at(-1)!) } }));
    }
    const name = place.split("/")[1]!;
    if (place.startsWith("blobs/"))
      return Promise.resolve(Response.json({ created: new Date(Number(name.slice(-3)) * 1000).toISOString() }));
    const tag = digests.get(name) ?? name;
    return Promise.resolve(tags.includes(tag) ? new Response(manifestOf(tag)) : new Response("", { status: 404 }));
  };
  return { send, calls, digestOf: (tag: string) => [...digests].find(([, name]) => name === tag)?.[0] };
}

const keepThree = { keep: 3, lock: { version: 1, images: {} }, dryRun: false } as const;

const deleted = (calls: readonly Call[]): string[] =>
  calls.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").at(-1)!);

describe("a registry of more tags than a page holds", () => {
  it("is read to its last page, and keeps the newest of all pages", async () => {
    const { send, calls, digestOf } = pagedRegistry(250);
    const told = await pruneRegistry("reg.example/acme/base", { ...keepThree, send });
    expect(told).toContain("kept 3 images, deleted 247 manifests");
    const kept = ["t247", "t248", "t249"].map(digestOf);
    expect(deleted(calls)).toHaveLength(247);
    for (const digest of kept) expect(deleted(calls)).not.toContain(digest);
    expect(calls.filter(({ url }) => url.includes("tags/list")).map(({ url }) => new URL(url).search)).toEqual([
      "",
      "?n=100&last=t099",
      "?n=100&last=t199",
    ]);
  });

  it.each<[string, (last: string) => string, string]>([
    ["leads to another host", () => '<https://evil.example/v2/acme/base/tags/list>; rel="next"', "names another place"],
    ["leads back to the first page", () => '</v2/acme/base/tags/list>; rel="next"', "form a loop"],
    [
      "goes on for ever",
      (last) => `</v2/acme/base/tags/list?last=t000&x=${last}${Math.random()}>; rel="next"`,
      "has no last page",
    ],
  ])(
    "deletes nothing where the next page %s",
    async (_what, next, message) => {
      const { send, calls } = pagedRegistry(250, next);
      await expect(
        pruneRegistry("reg.example/acme/base", { ...keepThree, auth: { username: "u", password: "p" }, send }),
      ).rejects.toThrow(message);
      expect(deleted(calls)).toEqual([]);
      expect(calls.every(({ url }) => new URL(url).host === "reg.example")).toBe(true);
    },
    60_000,
  );

  it("deletes nothing where a page fails", async () => {
    const { send, calls } = pagedRegistry(250);
    const failing = (url: string, init?: { method?: string }): Promise<Response> =>
      url.includes("last=t199") ? Promise.resolve(new Response("busy", { status: 503 })) : send(url, init);
    await expect(pruneRegistry("reg.example/acme/base", { ...keepThree, send: failing })).rejects.toThrow("503 busy");
    expect(deleted(calls)).toEqual([]);
  });

  it("keeps what the present description is published under, however many are newer", async () => {
    const { send, calls, digestOf } = pagedRegistry(120);
    const named = presentTags({ from: "debian", tags: ["base-{version}", "t007", "absent"] }, "0123");
    expect(named).toEqual(["key-0123", "t007", "absent"]);
    const told = await pruneRegistry("reg.example/acme/base", { ...keepThree, named, send });
    expect(told).toContain("kept 4 images, deleted 116 manifests");
    expect(deleted(calls)).not.toContain(digestOf("t007"));
    expect(presentTags({ from: "debian" }, "0123")).toEqual(["key-0123", "base-latest"]);
  });
});

test("a tag is put on the manifest of a digest as it is, and not where it is on it", async () => {
  const manifest = '{ "schemaVersion": 2,\n  "manifests": [] }';
  const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  const stored = new Map([[digest, manifest]]);
  const asked: string[] = [];
  const send = async (
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
  ): Promise<Response> => {
    const name = url.split("/").at(-1)!;
    asked.push(`${init.method ?? "GET"} ${name}`);
    if (init.method === "PUT") {
      stored.set(name, new TextDecoder().decode(init.body));
      asked.push(init.headers?.["content-type"] ?? "");
      return new Response(null, { status: 201 });
    }
    const found = stored.get(name);
    return found === undefined
      ? new Response("", { status: 404 })
      : new Response(found, { headers: { "content-type": "application/vnd.oci.image.index.v1+json" } });
  };
  const client = new RegistryClient("reg.example/acme/base", undefined, send, "pull,push");
  expect([await client.tag(digest, "latest"), await client.tag(digest, "latest")]).toEqual([true, false]);
  expect(stored.get("latest")).toBe(manifest);
  expect(asked).toEqual([
    "GET latest",
    `GET ${digest}`,
    "PUT latest",
    "application/vnd.oci.image.index.v1+json",
    "GET latest",
  ]);
});

describe("retention", () => {
  const image = (createdMs: number, ...children: string[]) => ({ createdMs, children });
  const hex = "ab".repeat(32);

  it("keeps what a kept index needs, what moves, and what is locked though no tag names it", () => {
    const content = {
      tags: { "key-1": "i1", "key-2": "i2", "key-3": "i3", "base-latest": "i1" },
      manifests: {
        i1: image(1, "a", "shared"),
        i2: image(2, "b", "shared"),
        i3: image(3, "c", "shared"),
        locked: image(0, "b"),
        a: image(1),
        b: image(2),
        c: image(3),
        shared: image(1),
      },
    };
    expect(planRetention(content, 1, ["locked", "gone"])).toEqual({
      keep: ["i3", "i1", "locked"],
      remove: ["i2"],
      removedTags: ["key-2"],
    });
  });

  it("keeps and removes signatures with what they belong to, and counts them as no image", () => {
    const content = {
      tags: {
        new: `sha256:${hex}`,
        old: "old",
        [`sha256-${hex}.sig`]: "signature",
        [`sha256-${"cd".repeat(32)}`]: "orphan",
      },
      manifests: { [`sha256:${hex}`]: image(5), old: image(1), signature: image(9), orphan: image(9) },
    };
    expect(planRetention(content, 1)).toEqual({
      keep: [`sha256:${hex}`],
      remove: ["old", "orphan"],
      removedTags: ["old", `sha256-${"cd".repeat(32)}`],
    });
  });
});
