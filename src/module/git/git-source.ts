/** Addresses of modules in git repositories, as `dagger.json` writes them: `github.com/owner/name/folder@v1`. */

export interface GitSource {
  /** URL that git fetches from: `https://` or `ssh://`, without secrets. */
  url: string;
  /** Folder of the module in the repository; empty for its top. */
  folder: string;
  /** Full commit hash. Without one, the address may lead to another commit tomorrow. */
  commit?: string;
}

/**
 * Hosts whose repositories are the first two parts of a path; elsewhere `.git` marks the end of a repository's name.
 */
const hostsOfTwoParts = new Set(["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"]);

const host = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;
const user = /^[a-z0-9_][\w.-]*$/i;
/** Excludes anything that could act as an option, another folder or another part of an address. */
const part = /^[\w~][\w.~+-]*$/;
/**
 * A folder's name may begin with a dot, as in `.dagger`; git's own folder is never a module's, in any case of letters.
 */
const folderPart = /^(?!\.\.?$)(?!\.git$)[\w~.][\w.~+-]*$/i;
const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Returns the parsed source, or a message that says why the address is not accepted. */
export function parseGitSource(source: string, pin?: string): GitSource | string {
  const [address, version] = splitVersion(source);
  const placed = /^git@/i.test(address) ? address.replace(":", "/").replace(/^/, "ssh://") : address;
  const [, scheme = "https", rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(placed) ?? [];
  if (!/^(?:https|ssh)$/i.test(scheme)) return `modules are fetched by https and ssh, not by ${scheme}`;
  const [authority = "", ...path] = rest.replace(/(?<!\/)\/+$/, "").split("/");
  const [, name, hostName = "", port] = /^(?:([^@]*)@)?([^@:]*)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if (!host.test(hostName)) return "that is no host";
  if (name !== undefined && !user.test(name)) return "an address has a user's name and no password";
  if (path.length === 0 || !path.every((each) => folderPart.test(each))) return "that is no path in a repository";
  const at = path.findIndex((each) => each.endsWith(".git"));
  if (at === -1 && !hostsOfTwoParts.has(hostName.toLowerCase()))
    return "`.git` has to say where the repository's name ends, as in host.example/team/name.git/folder";
  const length = at === -1 ? 2 : at + 1;
  if (path.length < length || !path.slice(0, length).every((each) => part.test(each)))
    return "that is no path in a repository";
  if (pin !== undefined && pin !== "" && !commit.test(pin))
    return "the pin is no commit: 40 hexadecimal digits in full";
  const exact = pin || (version !== undefined && commit.test(version) ? version : undefined);
  const asUser = name === undefined ? "" : `${name}@`;
  return {
    url: `${scheme.toLowerCase()}://${asUser}${hostName}${port === undefined ? "" : `:${port}`}/${path.slice(0, length).join("/")}`,
    folder: path.slice(length).join("/"),
    ...(exact === undefined ? {} : { commit: exact }),
  };
}

/** Returns the branch, tag or commit that an address names. */
export const versionOf = (source: string): string | undefined => splitVersion(source)[1];

/** The `@` of a version comes after the host, unlike the one after a user's name; a tag may contain slashes. */
function splitVersion(source: string): [address: string, version?: string] {
  const from = source.search(/[^/:@]\/(?!\/)/);
  const at = source.indexOf("@", Math.max(0, from));
  return at === -1 ? [source] : [source.slice(0, at), source.slice(at + 1)];
}
