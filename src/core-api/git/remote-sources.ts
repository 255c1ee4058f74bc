import path from "node:path/posix";
import { nameMatcher } from "../../tree/index.ts";
import { ApiError, notServed, refusedOffline } from "../values/errors.ts";
import { fetchGitRefs, type GitRefs } from "./refs.ts";
import { gitProxyFor } from "./proxy.ts";
import { requireReachableGit } from "./reach.ts";
import { httpTree } from "../file/http-file.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { Directory, File, Secret } from "../values/values.ts";

/** A remote repository. */
interface GitRepository {
  readonly type: "GitRepository";
  readonly url: string;
  readonly keepGitDir: boolean;
  /** Ids in BuildKit's secret store. */
  readonly tokenSecret?: string;
  readonly headerSecret?: string;
}

interface GitRef {
  readonly type: "GitRef";
  readonly repository: GitRepository;
  /** Full name (`refs/heads/main`), or empty for a commit given by its hash. */
  readonly name: string;
  readonly commit: string;
}

const sdl = /* GraphQL */ `
  "A git repository."
  type GitRepository implements Node {
    id: ID!
    url: String
    head: GitRef!
    ref(name: String!): GitRef!
    branch(name: String!): GitRef!
    tag(name: String!): GitRef!
    commit(id: String!): GitRef!
    branches(patterns: [String!]): [String!]!
    tags(patterns: [String!]): [String!]!
    latestVersion: GitRef!
  }

  "A git ref (tag, branch, or commit)."
  type GitRef implements Node {
    id: ID!
    commit: String!
    ref: String!
    tree(discardGitDir: Boolean = false, depth: Int = 1, includeTags: Boolean = false): Directory!
  }

  extend type Query {
    git(
      url: String!
      keepGitDir: Boolean = true
      sshKnownHosts: String = ""
      sshAuthSocket: ID @expectedType(name: "Socket")
      httpAuthUsername: String = ""
      httpAuthToken: ID @expectedType(name: "Secret")
      httpAuthHeader: ID @expectedType(name: "Secret")
      experimentalServiceHost: ID @expectedType(name: "Service")
    ): GitRepository!
    http(
      url: String!
      name: String
      permissions: Int
      checksum: String
      authHeader: ID @expectedType(name: "Secret")
      experimentalServiceHost: ID @expectedType(name: "Service")
    ): File!
  }
`;

interface GitArguments {
  url: string;
  keepGitDir: boolean;
  sshAuthSocket?: string | null;
  httpAuthToken?: string | null;
  httpAuthHeader?: string | null;
  experimentalServiceHost?: string | null;
}

interface HttpArguments {
  url: string;
  name?: string | null;
  permissions?: number | null;
  checksum?: string | null;
  authHeader?: string | null;
  experimentalServiceHost?: string | null;
}

const remoteQuery = typeModule<unknown>("Query", sdl, {
  git: async (_root, args: GitArguments, call) => {
    if (args.experimentalServiceHost) throw notServed("git(experimentalServiceHost)");
    if (args.sshAuthSocket) throw notServed("git(sshAuthSocket)");
    if (call.session.options.offline === true) throw refusedOffline(args.url);
    if (call.isBody) await requireReachableGit(args.url);
    return {
      type: "GitRepository",
      url: args.url,
      keepGitDir: args.keepGitDir,
      ...(args.httpAuthToken ? { tokenSecret: await secretIdOf(call, args.httpAuthToken) } : {}),
      ...(args.httpAuthHeader ? { headerSecret: await secretIdOf(call, args.httpAuthHeader) } : {}),
    } satisfies GitRepository;
  },
  http: async (_root, args: HttpArguments, call) => {
    if (args.experimentalServiceHost) throw notServed("http(experimentalServiceHost)");
    if (args.authHeader) throw notServed("http(authHeader)");
    let url: URL;
    try {
      url = new URL(args.url);
    } catch (cause) {
      throw new ApiError(`invalid URL ${JSON.stringify(args.url)}`, {}, cause);
    }
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw new ApiError(`unsupported URL scheme ${url.protocol} in ${args.url}`);
    const filename = args.name ? path.basename(args.name) : path.basename(url.pathname) || "index";
    if (filename === ".." || filename.includes("\0"))
      throw new ApiError(`${JSON.stringify(filename)} is not a file name`);
    const tree = await httpTree(call, {
      url: args.url,
      filename,
      mode: args.permissions ?? 0o600,
      ...(args.checksum ? { checksum: args.checksum } : {}),
    });
    return { type: "File", tree, path: `/${filename}` } satisfies File;
  },
});

const gitRepositoryModule = typeModule<GitRepository>("GitRepository", "", {
  id,
  url: ({ url }) => url,
  head: async (repository, _args: object, call) => refNamed(repository, await refs(repository, call), "HEAD"),
  ref: async (repository, { name }: { name: string }, call) => anyRef(repository, name, call),
  branch: async (repository, { name }: { name: string }, call) =>
    refNamed(repository, await refs(repository, call), `refs/heads/${name.replace(/^refs\/heads\//, "")}`),
  tag: async (repository, { name }: { name: string }, call) =>
    refNamed(repository, await refs(repository, call), `refs/tags/${name.replace(/^refs\/tags\//, "")}`),
  commit: (repository, args: { id: string }) => {
    if (!/^[0-9a-f]{40}$/.test(args.id))
      throw new ApiError(`invalid commit ${JSON.stringify(args.id)}: a commit is 40 hexadecimal digits`);
    return { type: "GitRef", repository, name: "", commit: args.id } satisfies GitRef;
  },
  branches: async (repository, args: { patterns?: string[] | null }, call) =>
    names(await refs(repository, call), "refs/heads/", args.patterns),
  tags: async (repository, args: { patterns?: string[] | null }, call) =>
    names(await refs(repository, call), "refs/tags/", args.patterns),
  latestVersion: async (repository, _args: object, call) => {
    const known = await refs(repository, call);
    const versions = names(known, "refs/tags/").filter((name) => /^v?\d+\.\d+\.\d+$/.test(name));
    const latest = versions.toSorted(byVersion).at(-1);
    if (latest === undefined) throw new ApiError(`no version tags in ${repository.url}`);
    return refNamed(repository, known, `refs/tags/${latest}`);
  },
});

const gitRefModule = typeModule<GitRef>("GitRef", "", {
  id,
  commit: ({ commit }) => commit,
  ref: ({ name, commit }) => (name === "" ? commit : name),
  tree: ({ repository, commit, name }, args: { discardGitDir: boolean }) => {
    const tree: Directory["tree"] = {
      kind: "git",
      remote: repository.url,
      ref: commit,
      keepGitDir: repository.keepGitDir && !args.discardGitDir,
      name: `${repository.url} ${name === "" ? commit.slice(0, 12) : name.replace(/^refs\/(heads|tags)\//, "")}`,
      ...(repository.tokenSecret === undefined ? {} : { tokenSecret: repository.tokenSecret }),
      ...(repository.headerSecret === undefined ? {} : { headerSecret: repository.headerSecret }),
    };
    return { type: "Directory", tree, path: "/" } satisfies Directory;
  },
});

async function secretIdOf(call: Call, argument: string): Promise<string> {
  return (await call.session.secrets.resolve(load<Secret>(call, argument, "Secret"))).id;
}

/** Lists the remote's refs once per session, so that a session sees a single version of the repository. */
async function refs(repository: GitRepository, call: Call): Promise<GitRefs> {
  const { session } = call;
  const { isBody } = call;
  const key = `git ${isBody ? "guarded " : ""}${repository.url} ${repository.tokenSecret ?? ""} ${repository.headerSecret ?? ""}`;
  const proxy = isBody ? await gitProxyFor(session.options.env) : undefined;
  return await session.once(key, call.signal, () =>
    fetchGitRefs(
      repository.url,
      session.options.env,
      call.signal,
      {
        token:
          repository.tokenSecret === undefined
            ? undefined
            : session.secrets.get(repository.tokenSecret)?.toString("utf8"),
        header:
          repository.headerSecret === undefined
            ? undefined
            : session.secrets.get(repository.headerSecret)?.toString("utf8"),
      },
      proxy,
    ),
  );
}

function refNamed(repository: GitRepository, known: GitRefs, name: string): GitRef {
  const commit = known.commits.get(name);
  if (commit === undefined)
    throw new ApiError(`repository ${repository.url} does not contain ref ${JSON.stringify(name)}`);
  return { type: "GitRef", repository, name: name === "HEAD" ? (known.head ?? "HEAD") : name, commit };
}

async function anyRef(repository: GitRepository, name: string, call: Call): Promise<GitRef> {
  if (/^[0-9a-f]{40}$/.test(name)) return { type: "GitRef", repository, name: "", commit: name };
  const known = await refs(repository, call);
  const full = [name, `refs/tags/${name}`, `refs/heads/${name}`, `refs/${name}`].find((candidate) =>
    known.commits.has(candidate),
  );
  return refNamed(repository, known, full ?? name);
}

function names(known: GitRefs, prefix: string, patterns?: readonly string[] | null): string[] {
  const all = [...known.commits.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  if (!patterns || patterns.length === 0) return all;
  const wanted = patterns.map(nameMatcher);
  return all.filter((name) => wanted.some((fits) => fits(name) || fits(name.replace(/^refs\/(?:heads|tags)\//, ""))));
}

function byVersion(a: string, b: string): number {
  const parts = (text: string): number[] => text.replace(/^v/, "").split(".").map(Number);
  const [left, right] = [parts(a), parts(b)];
  return left[0]! - right[0]! || left[1]! - right[1]! || left[2]! - right[2]!;
}

export const remoteModules = [remoteQuery, gitRepositoryModule, gitRefModule];
