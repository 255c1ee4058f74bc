// One kind of long work in a session (argv[2]), and small queries beside it. Prints what came of both: how much the daemon's
// main thread (argv[3] is its pid) computed while one of the small ones waited, which no other program's load makes longer.
import { readFileSync } from "node:fs";
import http from "node:http";
import process from "node:process";

const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
const [kind, pid] = process.argv.slice(2);
const once = String(process.hrtime.bigint());
const authorization = `Basic ${Buffer.from(`${token}:`).toString("base64")}`;

/** Resolves with the answer's length and its first characters. */
function post(query, variables) {
  const body = JSON.stringify({ query, variables });
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: "/query", method: "POST", agent: false };
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), authorization };
    const request = http.request({ ...options, headers }, (response) => {
      let sizeBytes = 0;
      let start = "";
      response.on("data", (chunk) => {
        sizeBytes += chunk.length;
        if (start.length < 20_000) start += chunk.toString("latin1");
      });
      response.on("end", () => resolve({ status: response.statusCode, sizeBytes, start }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Milliseconds that the main thread of the daemon has computed. */
function computed() {
  const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8");
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) * 10;
}

const inContainer = (inside) => `{ container { from(address: "debian:bookworm-slim") { ${inside} } } }`;
const shell = (script) => `withExec(args: ["sh", "-c", ${JSON.stringify(`${script} # ${once}`)}])`;
const file = (script, inside) => inContainer(`${shell(`${script} > /made`)} { file(path: "/made") { ${inside} } }`);
const fill = (bytes, text) => `yes '${text}' | tr -d '\\n' | head -c ${bytes}`;

const works = {
  // Answers.
  answer: () => post(file(fill(120_000_000, '"'), "contents")),
  answers: () => post(file(fill(30_000_000, "a"), [1, 2, 3, 4].map((each) => `a${each}: contents`).join(" "))),
  "too much": () => post(file(fill(100_000_000, "a"), "a: contents b: contents")),
  lists: () => post(file("seq 1 200000", 'search(pattern: "1") { lineNumber matchedLines submatches { text start } }')),
  // JSON documents.
  json: () => post(file(`printf '[1'; ${fill(40_000_000, ",1")}; printf ']'`, "asJSON { contents(pretty: true) }")),
  elements: () => post(file(`printf '[1'; ${fill(20_000_000, ",1")}; printf ']'`, "asJSON { asArray { contents } }")),
  "json of brackets": () => post(file(fill(60_000_000, "[],"), "asJSON { contents }")),
  indents: () =>
    post(
      `{ json { withContents(contents: ${JSON.stringify("[".repeat(20_000) + "]".repeat(20_000))}) { contents(pretty: true) } } }`,
    ),
  // Patterns.
  regex: () => post(file(`${fill(20_000_000, "a")}; echo '!'`, 'search(pattern: "(a+)+$") { lineNumber }')),
  nested: () =>
    post(
      file(fill(2_000_000, "ab"), `search(pattern: ${JSON.stringify("(a|b|ab)*".repeat(50) + "c")}) { lineNumber }`),
    ),
  glob: () =>
    post(
      `{ directory { withNewFile(path: "${"a".repeat(200)}", contents: "x") { glob(pattern: "${"*a".repeat(500)}b") } } }`,
    ),
  braces: () =>
    post(
      `{ directory { withNewFile(path: "a", contents: "x") { search(pattern: "x", globs: ["${"{a,b}".repeat(20)}"]) { filePath } } } }`,
    ),
  // Queries.
  fields: () =>
    post(
      `{ ${Array.from({ length: 1300 }, (_, i) => `a${i}: directory { withNewFile(path: "a", contents: "${i}") { id } }`).join(" ")} }`,
    ),
  query: () =>
    post(`{ directory { withNewFile(path: "a", contents: ${JSON.stringify("x".repeat(60_000_000))}) { id } } }`),
  variables: () =>
    post(`query ($a: String!) { directory { withNewFile(path: "a", contents: $a) { file(path: "a") { size } } } }`, {
      a: "é".repeat(30_000_000),
    }),
  // Images, logs, files.
  archive: () => post(inContainer(`${shell(`${fill(100_000_000, "a")} > /made`)} { asTarball { size } }`)),
  import: async () => {
    const { start } = await post(inContainer(`${shell("head -c 60000000 /dev/urandom > /made")} { asTarball { id } }`));
    const id = /"id":"([^"]+)"/.exec(start)[1];
    return post(`{ container { import(source: "${id}") { rootfs { entries } } } }`);
  },
  log: () => post(inContainer(`${shell("yes 'a line of a log' | head -n 3000000")} { stdout }`)),
  "log of one line": () => post(inContainer(`${shell(fill(60_000_000, "a"))} { stdout }`)),
  failure: () =>
    post(inContainer(`${shell("yes 'a line of a log' | head -n 1000000 | tee /dev/stderr; exit 3")} { stdout }`)),
  entries: () =>
    post(
      inContainer(
        `${shell("mkdir /made; cd /made; seq 1 30000 | xargs touch")} { directory(path: "/made") { entries glob(pattern: "**") } }`,
      ),
    ),
  sessions: () => post(inContainer(`${shell("true")} { exitCode }`)),
};

if (kind === "kinds") {
  console.log(JSON.stringify(Object.keys(works)));
  process.exit();
}
let longestMs = 0;
let isOver = false;
const beside = (async () => {
  while (!isOver) {
    const before = computed();
    await post("{ version }");
    longestMs = Math.max(longestMs, computed() - before);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
})();
const startedMs = performance.now();
const { status, sizeBytes, start } = await works[kind]();
isOver = true;
await beside;
const error = /"message":"((?:[^"\\]|\\.)*)"/.exec(start)?.[1]?.slice(0, 200);
console.log(
  JSON.stringify({ kind, status, sizeBytes, error, ms: Math.round(performance.now() - startedMs), longestMs }),
);
