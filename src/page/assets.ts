/** Reads the page's own files, which the build bundles, and writes its HTML; nothing else is served. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { distFile } from "../paths/index.ts";

export interface Assets {
  script: string;
  style: string;
}

export function readAssets(): Assets {
  const folder = distFile("page");
  const read = (name: string): string => readFileSync(path.join(folder, name), "utf8");
  return { script: read("page.js"), style: read("page.css") };
}

/**
 * Content security policy of the live page: only what this server serves, no inline script, no framing. The graph's
 * layout runs in a worker from a blob.
 */
export const livePolicy = policy({ script: "'self'", style: "'self'", connect: "'self'" });

export function htmlOfPage(): string {
  return document(
    `<link rel="stylesheet" href="/page.css"><script type="module" src="/page.js"></script>`,
    "",
    "fastloop",
  );
}

/**
 * Returns a page in one file that opens from disk. Its policy names script and style by their digests, and nothing is
 * fetched.
 */
export function htmlOfSnapshot({ script, style }: Assets, title: string, json: string): string {
  const rules = policy({ script: hashOf(script), style: hashOf(style), connect: "'none'" });
  const meta = `<meta http-equiv="Content-Security-Policy" content="${rules}">`;
  return document(
    `${meta}<style>${style}</style>`,
    // Escaping `<` keeps log text from ending the element or starting a comment in it.
    `<script type="application/json" id="snapshot">${json.replaceAll("<", "\\u003c")}</script><script type="module">${script}</script>`,
    title,
  );
}

function document(head: string, end: string, title: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><title>${escaped(title)}</title><link rel="icon" href="data:,">${head}</head>
<body><div id="app"><p class="loading">One moment…</p></div><noscript>This page needs JavaScript.</noscript>${end}</body></html>
`;
}

function policy({ script, style, connect }: { script: string; style: string; connect: string }): string {
  const rules = {
    "default-src": "'none'",
    "script-src": script,
    "style-src": style,
    "connect-src": connect,
    "img-src": "data:",
    "worker-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
  };
  return Object.entries(rules)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
