/** Renders the results of the checks, for the user and for a bug tracker. */
import os from "node:os";
import type { Paint } from "../report/index.ts";
import { outputText, printable } from "../text/index.ts";
import type { CheckResult } from "./finding.ts";

const marks = { ok: "ok", warning: "warning", problem: "problem", unknown: "-" } as const;
const colours = { ok: "green", warning: "yellow", problem: "red", unknown: "dim" } as const;

export function renderChecks(results: readonly CheckResult[], paint: Paint): string {
  const width = Math.max(...results.map(({ id }) => id.length));
  const lines = results.flatMap(({ id, status, found, expected, impact, fix }) => {
    const [first = "", ...more] = found.split("\n").map(printable);
    const head = `${paint(colours[status], marks[status].padEnd(7))}  ${printable(id).padEnd(width)}  ${first}`;
    const details = [
      ...more,
      ...(expected === undefined ? [] : [`expected: ${expected}`]),
      ...(impact === undefined ? [] : [`impact:   ${impact}`]),
      ...(fix === undefined ? [] : [`fix:      ${printable(fix)}`]),
    ];
    return [head, ...details.map((line) => `${" ".repeat(9)}${line}`)];
  });
  return `${lines.join("\n")}\n`;
}

/** Values that a report must not contain; placeholders replace them. */
export interface Private {
  home: string;
  user: string;
  host: string;
  project: string;
}

export const thisUser = (project: string): Private => ({
  home: os.homedir(),
  user: os.userInfo().username,
  host: os.hostname(),
  project,
});

/**
 * Returns Markdown to paste into an issue. It contains no values of variables except proxies without their credentials,
 * no paths of the user, no names of user, host and project, and no hosts of registries except public ones.
 */
export function bugReport(results: readonly CheckResult[], version: string, hidden: Private): string {
  const hide = (text: string): string => withoutPrivate(outputText(text), hidden);
  const rows = results.map(
    ({ id, status, found }) =>
      `| ${hide(id)} | ${marks[status]} | ${hide(found).replaceAll(/\s+/g, " ").replaceAll("|", "\\|")} |`,
  );
  return [
    `fastloop ${version}, ${os.type()} ${os.release()} ${os.arch()}`,
    "",
    "| check | | found |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

const publicHosts = /(?:^|\.)(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|github\.com|mcr\.microsoft\.com)$/;

/** Replaces private names, paths, hosts and addresses in a text by placeholders. */
export function withoutPrivate(text: string, { home, user, host, project }: Private): string {
  const words: [string, string][] = [
    [project, "PROJECT"],
    [home, "~"],
    [host, "HOST"],
    [user, "USER"],
  ];
  const named = words
    .filter(([word]) => word.length > 1)
    .reduce((shown, [word, stand]) => shown.replaceAll(word.includes("/") ? word : wholeWord(word), stand), text);
  return (
    named
      .replaceAll(/\/\/[^@/\s]*@/g, "//***@")
      // Replaces other paths of the user, and hosts that are not public.
      .replaceAll(
        /(?<![\w.~])\/(?!usr\/|etc\/|proc\/|sys\/|run\/|var\/run\/|dev\/|v2\/)[\w.@+-]+(?:\/[\w.@+-]+)+/g,
        "PATH",
      )
      .replaceAll(/(?<![\w-]|[\w-]\.)(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?\b/gi, (found) => (isShown(found) ? found : "NAME"))
      .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, (address) => (address.startsWith("127.") ? address : "ADDRESS"))
  );
}

/** Reports whether a name may be shown: a public registry, or a file or setting of fastloop that looks like a host. */
const isShown = (name: string): boolean =>
  publicHosts.test(name.replace(/:\d+$/, "")) ||
  /^(?:fastloop\.yaml|dagger\.json)$/.test(name) ||
  /^(?:engine|watch|images|fs)\.[\w.]+$/.test(name);

const wholeWord = (word: string): RegExp =>
  new RegExp(`(?<![\\w-])${word.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?![\\w-])`, "g");
