// Bundles the page's part in the browser: dist/page/page.js and page.css. The layout of the graph is a worker of its own,
// which the page starts from a text, so that a saved page needs no second file.
import { build } from "esbuild";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const client = path.join(root, "src/page/client");

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: ["es2022"],
  metafile: true,
  logLevel: "warning",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
};

/** Returns esbuild's metafiles: what is bundled has licences to be named. */
export async function buildPage(dist) {
  const worker = await build({
    ...common,
    entryPoints: [path.join(client, "graph/layout-worker.ts")],
    format: "iife",
    write: false,
  });
  const asText = {
    name: "worker-text",
    setup(plugin) {
      plugin.onResolve({ filter: /^worker:layout$/ }, () => ({ path: "layout", namespace: "worker" }));
      plugin.onLoad({ filter: /.*/, namespace: "worker" }, () => ({
        contents: worker.outputFiles[0].text,
        loader: "text",
      }));
    },
  };
  const page = await build({
    ...common,
    entryPoints: { page: path.join(client, "main.tsx") },
    outdir: path.join(dist, "page"),
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [asText],
  });
  return [worker.metafile, page.metafile];
}
