/** Fetches registry tokens, and decides which token services may see a password. */
import type http from "node:http";
import { isIP } from "node:net";
import type { RegistryAuth, RegistryToken, TokenRequest } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { Route } from "../network/connect.ts";
import { get, type AskOptions } from "../network/fetch.ts";

/** Registries whose token service is a different host of the same owner. */
const known: [registry: RegExp, service: string | ((region: string) => string)][] = [
  [/^docker\.io$/, "auth.docker.io"],
  [/^registry\.digitalocean\.com$/, "api.digitalocean.com"],
  [/^rg\.[a-z]+-[a-z]+\.scw\.cloud$/, "api.scaleway.com"],
  [/^registry(?:-intl)?\.([a-z0-9-]+)\.aliyuncs\.com$/, (region) => `dockerauth.${region}.aliyuncs.com`],
];

/**
 * Reports whether a registry's password may be sent to the token service that the registry names. It may be the
 * registry itself, a host above or below it (`gitlab.com` for `registry.gitlab.com`), or a service that is known to be
 * its own. Only the registry itself may be asked without HTTPS.
 */
export function isTokenServiceOf(realm: URL, registry: string): boolean {
  const host = canonicalHost(registry);
  if (realm.protocol !== "https:" && realm.protocol !== "http:") return false;
  if (realm.host === host || (realm.protocol === "https:" && realm.host === host.replace(/:443$/, ""))) return true;
  if (realm.protocol !== "https:" || (realm.port !== "" && realm.port !== "443")) return false;
  const [service, name] = [realm.hostname, host.replace(/:\d+$/, "")];
  if (isIP(service.replace(/^\[|\]$/g, "")) !== 0 || isIP(name) !== 0) return false;
  if (service === name || service.endsWith(`.${name}`)) return name.includes(".") || service === name;
  if (name.endsWith(`.${service}`) && service.includes("."))
    return name.split(".").length === service.split(".").length + 1;
  return known.some(([pattern, own]) => {
    const match = pattern.exec(name);
    return match !== null && service === (typeof own === "string" ? own : own(match[1] ?? ""));
  });
}

/**
 * Requests a token like Docker's clients: GET with the password first, then OAuth's POST. Throws an `ApiError` when the
 * service refuses or its answer has no token.
 */
export async function fetchToken(
  { realm, service, scopes }: TokenRequest,
  { username, secret }: RegistryAuth,
  route: Route & { ca?: string },
): Promise<RegistryToken> {
  const url = new URL(realm);
  if (username === "")
    return await oauth(
      url,
      { grant_type: "refresh_token", refresh_token: secret, service, scope: scopes.join(" ") },
      route,
    );
  const query = new URL(url);
  if (service !== "") query.searchParams.set("service", service);
  for (const scope of scopes) query.searchParams.append("scope", scope);
  const authorization = `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`;
  const answer = await answerTo(query, { headers: { authorization } }, route);
  if (answer.status === 200) return tokenIn(answer.text, url);
  if (![401, 404, 405].includes(answer.status)) throw refused(url, answer.status);
  const posted = await answerTo(
    url,
    form({ grant_type: "password", username, password: secret, service, scope: scopes.join(" ") }),
    route,
  );
  if (posted.status !== 200) throw refused(url, answer.status);
  return tokenIn(posted.text, url);
}

async function oauth(url: URL, fields: Record<string, string>, route: Route & { ca?: string }): Promise<RegistryToken> {
  const { status, text } = await answerTo(url, form(fields), route);
  if (status !== 200) throw refused(url, status);
  return tokenIn(text, url);
}

function form(fields: Record<string, string>): AskOptions {
  const body = new URLSearchParams({ client_id: "buildkit-client", ...fields }).toString();
  return {
    method: "POST",
    body,
    headers: { "content-type": "application/x-www-form-urlencoded", "content-length": String(Buffer.byteLength(body)) },
  };
}

const longestAnswerBytes = 1024 * 1024;

/** Redirects are not followed, because the password is meant for this service only. */
async function answerTo(
  url: URL,
  asked: AskOptions,
  route: Route & { ca?: string },
): Promise<{ status: number; text: string }> {
  const response: http.IncomingMessage = await get(url, route, asked);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestAnswerBytes)
      throw new ApiError(`the token service ${url.host} answers with more than ${longestAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

function refused({ host }: URL, status: number): ApiError {
  const names: Record<number, string> = { 401: "401 Unauthorized", 403: "403 Forbidden" };
  return new ApiError(`the token service ${host} answered ${names[status] ?? status}`);
}

function tokenIn(text: string, { host }: URL): RegistryToken {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const fields = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
  const token = fields["token"] ?? fields["access_token"];
  if (typeof token !== "string" || token === "") throw new ApiError(`the token service ${host} gave no token`);
  const issued = Date.parse(String(fields["issued_at"]));
  const expires = Number(fields["expires_in"]);
  return {
    token,
    expiresInSeconds: Number.isSafeInteger(expires) && expires > 0 ? expires : 60,
    issuedAtSeconds: Number.isNaN(issued) ? 0 : Math.floor(issued / 1000),
  };
}

/** Returns a registry's host as images name it. Docker Hub has several names. */
export function canonicalHost(text: string): string {
  const host = text.replace(/^https?:\/\//, "").split("/")[0]!;
  return ["index.docker.io", "registry-1.docker.io", "docker.io"].includes(host) ? "docker.io" : host;
}
