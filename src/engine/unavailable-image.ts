/** Explains an unavailable image in one message: why, which images the host has, and how to name another one. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { imagesDir } from "../engine-daemon/index.ts";

const failure = /^(?:(\S+ \S+): )?(?:Error: )?failed to resolve image "([^"]+)" \(platform: "([^"]+)"\): ([^]*)$/;

/** Wording of `Images` in an offline session. */
const offlineReason = "it is not on this machine, and --offline fetches nothing";

/** `401 Unauthorized (...)`: the engine knows whose password was refused, or that it has none. */
const login = /\b40[13] [A-Z][a-z]+ \(/;
const isLogin = (why: string): boolean => why.endsWith(")") && login.test(why);

/** Converts an engine's error about an image; undefined for any other error. `folder` holds the host's own images. */
export function unavailableImage(error: Error, folder = imagesDir()): UserError | undefined {
  const [, where, reference = "", platform = "", reason = ""] = failure.exec(error.message) ?? [];
  if (reference === "") return undefined;
  const name = reference.replace(/^docker\.io\/(?:library\/)?/, "");
  if (reason.endsWith(offlineReason))
    return new UserError(
      "function-failed",
      `${where === undefined ? "" : `${where}: `}the image ${name} is not available: ${offlineReason}`,
      {
        hint: "`fastloop offline prepare` fetches it while you are online",
        cause: error,
      },
    );
  const own = ownImages(folder);
  const why = whyNot(reference, platform, reason, own);
  const message = `${where === undefined ? "" : `${where}: `}the image ${name} is not available: ${why}`;
  if (isLogin(why)) return new UserError("function-failed", message, { cause: error });
  return new UserError("function-failed", message, {
    hint: `${has(own)}name another one in fastloop.yaml (\`image:\` of a suite, \`from:\` of a base), or a registry that can be reached; see docs/air-gapped.md`,
    cause: error,
  });
}

/** Images that set-up built because no registry can be reached, and the reason. */
interface OwnImages {
  why: string;
  names: string[];
}

const has = (own: OwnImages | undefined): string =>
  own === undefined || own.names.length === 0 ? "" : `this machine has ${own.names.join(", ")}; `;

function whyNot(reference: string, platform: string, reason: string, own: OwnImages | undefined): string {
  const host = reference.split("/")[0] ?? reference;
  const last = reason.trim().split("\n").at(-1) ?? "";
  const network =
    /(no such host|i\/o timeout|connection refused|connection reset|network is unreachable|no route to host|server misbehaving|Temporary failure|x509: .*|tls: .*)/.exec(
      last,
    )?.[1];
  // The host's own images stand in for docker.io, so a missing one is "not found".
  if (host === "docker.io" && own !== undefined) return `${own.why}, and it is not one of this machine's own images`;
  if (network !== undefined) return `${host} can't be reached (${network})`;
  if (/no match for platform|no matching manifest/i.test(last)) return `it has no variant for ${platform}`;
  if (isLogin(last)) return last.slice(last.search(login));
  if (/unauthorized|authorization|denied|forbidden|\b40[13]\b/i.test(last))
    return `${host} has no such image, or wants a login for it`;
  if (/not found|manifest unknown/i.test(last)) return `${host} has no image of this name and tag`;
  return last;
}

/** Undefined if images come from a registry. */
function ownImages(folder: string): OwnImages | undefined {
  try {
    const { mode, why } = JSON.parse(readFileSync(path.join(folder, "decision.json"), "utf8")) as Record<
      string,
      unknown
    >;
    if (mode !== "local") return undefined;
    const repositories = path.join(folder, "registry/docker/registry/v2/repositories/library");
    const names = readdirSync(repositories).flatMap((repository) => {
      const tags = readdirSync(path.join(repositories, repository, "_manifests/tags"));
      // The longest tag is the most specific one.
      const tag = tags.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))[0];
      return tag === undefined ? [] : [`${repository}:${tag}`];
    });
    return { why: typeof why === "string" ? why : "docker.io can't be reached", names };
  } catch {
    return undefined;
  }
}
