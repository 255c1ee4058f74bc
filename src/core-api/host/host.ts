import { existsSync } from "node:fs";
import path from "node:path";
import { localPatterns, PatternMatcher } from "../../tree/index.ts";
import { ApiError, notServed } from "../values/errors.ts";
import { hostServiceResolvers, hostServiceSdl } from "./services.ts";
import { id, typeModule } from "../values/resolver.ts";
import type { Directory, File, Host } from "../values/values.ts";

/** Returns the patterns that have an effect. Throws an `ApiError` in a Dagger engine's words for an invalid one. */
function checked(kind: "include" | "exclude", patterns: readonly string[]): string[] {
  const invalid = (why: string, cause?: unknown): ApiError =>
    new ApiError(`invalid ${kind}patterns: [${patterns.join(" ")}]: ${why}`, {}, cause);
  if (patterns.includes("!")) throw invalid('illegal exclusion pattern: "!"');
  const local = localPatterns(patterns);
  try {
    return new PatternMatcher(local).isEmpty ? [] : local;
  } catch (cause) {
    throw invalid("syntax error in pattern", cause);
  }
}

export const hostModule = typeModule<Host>(
  "Host",
  /* GraphQL */ `
  "Information about the host environment."
  type Host implements Node {
    id: ID!
    directory(
      path: String!
      exclude: [String!] = []
      include: [String!] = []
      noCache: Boolean = false
      gitignore: Boolean = false
    ): Directory!
    file(path: String!, noCache: Boolean = false): File!
    findUp(name: String!, noCache: Boolean = false): String
    containerImage(name: String!): Container!
    ${hostServiceSdl}
  }
`,
  {
    id,
    directory: async (
      _host,
      args: { path: string; include: string[]; exclude: string[]; gitignore: boolean; noCache: boolean },
      call,
    ) => {
      const [include, exclude] = [checked("include", args.include), checked("exclude", args.exclude)];
      const { gitignore } = args;
      const filter = {
        ...(include.length > 0 ? { include } : {}),
        ...(exclude.length > 0 ? { exclude } : {}),
        ...(gitignore ? { gitignore } : {}),
      };
      const tree = await call.session.hostTrees.directory(args.path, filter, args.noCache, call.signal);
      return { type: "Directory", tree, path: "/" } satisfies Directory;
    },
    file: async (_host, args: { path: string; noCache: boolean }, call) => {
      const { tree, path: inTree } = await call.session.hostTrees.file(args.path, args.noCache);
      return { type: "File", tree, path: inTree } satisfies File;
    },
    findUp: (_host, { name }: { name: string }, call) => {
      const { workdir } = call.session.options;
      for (let folder = path.resolve(workdir); ; folder = path.dirname(folder)) {
        if (existsSync(path.join(folder, name))) return path.relative(workdir, path.join(folder, name));
        if (folder === path.dirname(folder)) return null;
      }
    },
    ...hostServiceResolvers,
    containerImage: () => {
      throw notServed("Host.containerImage", "it has no container runtime's image store");
    },
  },
);
