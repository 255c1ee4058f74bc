// The shop's front end: the files of public/, and the API under /api/ for the page.
import { createReadStream } from "node:fs";
import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";

const api = new URL(process.env.API_URL ?? "http://127.0.0.1:8080");
const port = Number(process.env.PORT ?? 3000);
const pages = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/shop.js": ["shop.js", "text/javascript; charset=utf-8"],
  "/shop.css": ["shop.css", "text/css; charset=utf-8"],
};

const server = createServer((asked, answer) => {
  const { pathname } = new URL(asked.url ?? "/", "http://shop");
  if (pathname.startsWith("/api/")) {
    const { method, headers } = asked;
    const passed = request(new URL(pathname.slice("/api".length), api), { method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on("error", (error) => answer.writeHead(502).end(`the API does not answer: ${error.message}\n`));
    asked.pipe(passed);
    return;
  }
  const [file, type] = pages[pathname] ?? [];
  if (file === undefined) return void answer.writeHead(404).end("there is no such page\n");
  answer.writeHead(200, { "content-type": type, "cache-control": "no-cache" });
  createReadStream(fileURLToPath(new URL(`public/${file}`, import.meta.url))).pipe(answer);
});
server.listen(port, () => console.log(`shop web on port ${port}`));
process.once("SIGTERM", () => server.close());
