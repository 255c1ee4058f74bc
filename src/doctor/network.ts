/** Checks DNS, proxies, registries, and the clock, which certificates are checked against. */
import { lookup } from "node:dns/promises";
import https from "node:https";
import http from "node:http";
import { proxySetting } from "../paths/index.ts";
import type { Config } from "../config/index.ts";
import { ok, unknown, wrong, type CheckResult } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const timeoutMs = 3000;
const mostSkewMs = 5 * 60_000;
const defaultRegistry = "registry-1.docker.io";

/** Returns the hosts of the registries that the configuration's images come from. */
export function registriesOf({ images, tests, publish }: Config): string[] {
  const named = [
    images?.base?.from,
    images?.base?.registry,
    images?.dev?.base,
    images?.prod?.from,
    publish?.image,
    ...Object.values(tests?.suites ?? {}).map(({ image }) => image),
    ...Object.values(tests?.services ?? {}).map(({ image }) => image),
  ].filter((image) => image !== undefined && !["base", "dev", "prod"].includes(image));
  const hosts = named.map((image) => {
    const [first = "", ...rest] = (image ?? "").split("/");
    return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : defaultRegistry;
  });
  return [...new Set(hosts.length === 0 ? [defaultRegistry] : hosts)];
}

/** Returns a proxy's address with credentials masked. */
export function withoutCredentials(address: string): string {
  return address.replace(/\/\/[^@/]*@/, "//***@");
}

export function checkProxy(env: Environment): CheckResult {
  const named = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"].flatMap((name) => {
    const value = proxySetting(env, name);
    return value !== "" ? [`${name}=${withoutCredentials(value)}`] : [];
  });
  const bad = named.find(
    (text) => /^HTTPS?_PROXY=/.test(text) && URL.parse(text.slice(text.indexOf("=") + 1)) === null,
  );
  if (bad === undefined) return ok("proxy", named.length === 0 ? "none" : named.join(", "));
  return wrong("problem", "proxy", {
    found: bad,
    expected: "an address such as http://proxy.example:3128",
    impact: "nothing outside can be reached",
    fix: "correct the variable, or unset it",
  });
}

/** Checks whether a registry answers, and the clock against the registry's time. */
export async function checkRegistry(host: string, env: Environment): Promise<CheckResult[]> {
  const id = `registry ${host}`;
  const { hostname } = new URL(`https://${host}`);
  const isProxied = proxySetting(env, "HTTPS_PROXY") !== "";
  if (!isProxied) {
    const problem = await lookup(hostname).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (problem !== undefined)
      return [
        wrong("warning", id, {
          found: `its name leads nowhere (${problem})`,
          expected: "an answer of the DNS",
          impact: "images that are not here yet cannot be fetched; what is here runs",
          fix: "look at the network and at DNS, or work with `--offline`",
        }),
      ];
  }
  if (isProxied) return [unknown(id, "is asked through the proxy when an image is fetched")];
  const isPlain = hostname === "localhost" || hostname.startsWith("127.");
  const answer = await ask(`${isPlain ? "http" : "https"}://${host}/v2/`);
  if ("problem" in answer)
    return [
      wrong("warning", id, {
        found: answer.problem,
        expected: "an answer within 3 s",
        impact: "images that are not here yet cannot be fetched; what is here runs",
        fix: "look at proxy, firewall and certificates, or work with `--offline`",
      }),
    ];
  return [
    ok(id, `answers (${answer.status})`),
    ...(answer.date === undefined ? [] : [checkClock(Date.now(), answer.date)]),
  ];
}

/** Compares the clock with a registry's time; both in milliseconds since 1970. */
export function checkClock(nowMs: number, toldMs: number): CheckResult {
  const skewMs = Math.abs(nowMs - toldMs);
  const found = `${Math.round(skewMs / 1000)} s off what the registry says`;
  if (skewMs <= mostSkewMs) return ok("clock", found);
  return wrong("problem", "clock", {
    found,
    expected: "5 min at most",
    impact: "certificates and tokens count as expired, or as not valid yet",
    fix: "set the clock (timedatectl set-ntp true)",
  });
}

function ask(address: string): Promise<{ status: number; date?: number } | { problem: string }> {
  return new Promise((resolve) => {
    const request = (address.startsWith("https:") ? https : http).get(
      address,
      { agent: false, timeout: timeoutMs },
      (response) => {
        response.resume();
        const date = Date.parse(response.headers.date ?? "");
        resolve({ status: response.statusCode ?? 0, ...(Number.isNaN(date) ? {} : { date }) });
        request.destroy();
      },
    );
    request.once("timeout", () => {
      resolve({ problem: `no answer within ${timeoutMs / 1000} s` });
      request.destroy();
    });
    request.once("error", (error: NodeJS.ErrnoException) => resolve({ problem: error.code ?? error.message }));
  });
}
