import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBodyProxy, type BodyProxy } from "../../../src/engine/dagger/body-proxy.ts";
import { isRecipeId } from "../../../src/engine/dagger/recipe-id.ts";
import { createAgent, query, type Endpoint } from "../../../src/graphql/client.ts";

/** Stands in for the session of a Dagger engine. */
let engine: http.Server;
let seen: { headers: http.IncomingHttpHeaders; body: Record<string, unknown> }[];
let respond: (response: http.ServerResponse) => void;
let session: Endpoint;
let proxy: BodyProxy;
let body: Endpoint;

beforeEach(async () => {
  seen = [];
  respond = (response) => void response.end('{"data":{"version":"v1"}}');
  engine = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
      });
      respond(response);
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  session = { port: (engine.address() as AddressInfo).port, token: "full", agent: createAgent() };
  proxy = await startBodyProxy(session);
  body = { port: proxy.port, token: proxy.token, agent: createAgent() };
});

afterEach(() => {
  for (const { agent } of [session, body]) agent.destroy();
  proxy.close();
  engine.closeAllConnections();
  engine.close();
});

const sent = (): unknown => seen.at(-1)?.body["query"];

/** A message of protobuf: fields with their bytes. */
function message(...fields: [number, Buffer | string][]): Buffer {
  return Buffer.concat(
    fields.flatMap(([field, value]) => [Buffer.from([field * 8 + 2, Buffer.byteLength(value)]), Buffer.from(value)]),
  );
}
const recipe = message([1, message([1, "xxh3:1"], [2, message([1, "xxh3:1"], [2, message([3, "host"])])])]).toString(
  "base64",
);
const handle = "EhII6j4SDQoJRGlyZWN0b3J5GAE=";

describe("the endpoint for function bodies", () => {
  it("hands on what they may ask, with the session's token, variables and the call's id", async () => {
    const options = { callId: "c1" };
    expect(await query(body, "query($a:Int){version}", { a: 1 }, options)).toEqual({ version: "v1" });
    expect(seen[0]?.headers).toMatchObject({ authorization: `Basic ${btoa("full:")}`, "x-fastloop-call": "c1" });
    expect(seen[0]?.body).toEqual({ query: "query ( $ a : Int ) { version }", variables: { a: 1 } });
  });

  it("keeps its connection to the session open", async () => {
    let connections = 0;
    engine.on("connection", () => connections++);
    for (let n = 0; n < 3; n++) await query(body, "{version}");
    expect(connections).toBe(1);
  });

  it("refuses the rest, and the session hears nothing of it", async () => {
    await expect(query(body, '{v:host{directory(path:"/"){entries}}}')).rejects.toThrow(
      "`host` is refused to function bodies",
    );
    await expect(query(body, "{")).rejects.toThrow("Syntax Error");
    expect(seen).toEqual([]);
  });

  it.each([
    ["no token", 401, {}],
    ["the session's own token", 401, { authorization: `Basic ${btoa("full:")}` }],
    ["a foreign origin", 403, { origin: "https://example.com" }],
    ["a name that was rebound to loopback", 403, { host: "example.com" }],
    ["a form's content type", 415, { "content-type": "text/plain" }],
  ])("refuses %s", async (what, expected, headers) => {
    const own = what === "no token" ? {} : { authorization: `Basic ${btoa(`${proxy.token}:`)}` };
    const status = await new Promise((resolve, reject) => {
      const options = {
        port: proxy.port,
        host: "127.0.0.1",
        path: "/query",
        method: "POST",
        agent: false,
        headers: { "content-type": "application/json", ...own, ...headers },
      };
      http
        .request(options, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end('{"query":"{version}"}');
    });
    expect(status).toBe(expected);
    expect(seen).toEqual([]);
  });

  it("writes documents anew, so that no parser reads them otherwise than the check did", async () => {
    await query(body, '{ # {host{id}} \n file(name:"""\n  a\\"""b\n  c""", contents:"\\u{68}\\u0001"){id}, }');
    expect(sent()).toBe('{ file ( name : "a\\"\\"\\"b\\nc" contents : "h\\u0001" ) { id } }');
  });

  it("hands on nothing but the request: no other keys of it", async () => {
    const text = JSON.stringify({ query: "{version}", Query: "{host{id}}", extensions: { persistedQuery: {} } });
    await new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", authorization: `Basic ${btoa(`${proxy.token}:`)}` };
      http
        .request(
          { port: proxy.port, host: "127.0.0.1", path: "/query", method: "POST", agent: false, headers },
          resolve,
        )
        .on("error", reject)
        .end(text);
    });
    expect(seen[0]?.body).toEqual({ query: "{ version }" });
  });

  it("takes the ids that the session gave, and none that a body wrote", async () => {
    await query(body, `{node(id:"${handle}"){id}}`);
    await query(body, "query($id:ID!){node(id:$id){id}}", { id: handle });
    expect(seen).toHaveLength(2);
    const refused = "an id that describes calls is refused to function bodies";
    await expect(query(body, `{node(id:"${recipe}"){... on Directory{entries}}}`)).rejects.toThrow(refused);
    await expect(query(body, `{node(id:"""${recipe}"""){id}}`)).rejects.toThrow(refused);
    await expect(query(body, "query($id:ID!){node(id:$id){id}}", { id: recipe })).rejects.toThrow(refused);
    await expect(query(body, "query($ids:[ID!]!){x(ids:$ids){id}}", { ids: [{ id: recipe }] })).rejects.toThrow(
      refused,
    );
    expect(seen).toHaveLength(2);
  });

  it("hands on errors as they are", async () => {
    respond = (response) =>
      void response.writeHead(422).end('{"errors":[{"message":"Cannot query field"}],"data":null}');
    await expect(query(body, "{nope}")).rejects.toThrow("Cannot query field");
    respond = (response) => void response.destroy();
    await expect(query(body, "{version}")).rejects.toThrow("the connection to the engine broke");
  });

  it("gives a request up when the body does", async () => {
    const controller = new AbortController();
    const closed = new Promise((resolve) => {
      respond = (response) => {
        response.once("close", resolve);
        controller.abort(new Error("stale"));
      };
    });
    await expect(query(body, "{slow}", {}, { signal: controller.signal })).rejects.toThrow("stale");
    await closed;
  });
});

describe("an id of a Dagger engine", () => {
  it("is a handle or a recipe", () => {
    expect(isRecipeId(handle)).toBe(false);
    expect(isRecipeId(recipe)).toBe(true);
  });

  it("is a recipe however it is written", () => {
    const inner = message([1, "xxh3:1"], [2, "x"]);
    const written = [
      // An unknown field before it; in two parts; another value of the union after it; with a line break.
      message([9, "?"], [1, inner]),
      message([1, inner.subarray(0, 8)], [1, inner.subarray(8)]),
      message([1, inner], [2, "x"]),
      Buffer.concat([Buffer.from([0x8a, 0x00, inner.length]), inner]),
    ].map((bytes) => bytes.toString("base64"));
    // Padded until it ends in two signs, between which Go reads over a line break.
    const padded = ["", "?", "??"]
      .map((text) => message([1, inner], [9, text]).toString("base64"))
      .find((text) => text.endsWith("=="))!;
    const broken = [`${recipe.slice(0, 5)}\r\n${recipe.slice(5)}`, `${padded.slice(0, -1)}\n=`];
    expect([...written, ...broken].map(isRecipeId)).toEqual([true, true, true, true, true, true]);
  });

  it("is no text that happens to be base64", () => {
    const texts = [
      "hello",
      "Chad",
      "CgABAgMEBQ==",
      "Cg==",
      btoa("\n\nsome text\n"),
      btoa("\nname: x\n"),
      "a".repeat(5000),
      Buffer.from("\n".repeat(300)).toString("base64"),
    ];
    expect(texts.map(isRecipeId)).toEqual(texts.map(() => false));
  });
});
