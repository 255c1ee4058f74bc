// Debian packages that a bootstrap has fetched, kept until one has come to its end: a set-up that was ended fetches only the
// others the next time. apt compares what it finds with its lists as it does with what it fetches.
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import path from "node:path";

const archives = "var/cache/apt/archives";
/** Between two looks; mmdebstrap removes what it has installed, seconds after it came. */
const pollMs = 300;

/** Copies what mmdebstrap, whose temporary folders lie in `parent`, fetches into `folder`, until the returned function is called. */
export function keepPackages(parent, folder) {
  mkdirSync(folder, { recursive: true });
  const look = () => {
    for (const root of readdirSync(parent).filter((name) => name.startsWith("mmdebstrap.")))
      keepFrom(path.join(parent, root, archives), folder);
  };
  const timer = setInterval(look, pollMs);
  return () => clearInterval(timer);
}

/** mmdebstrap's option that lays what is kept into the new system. */
export function keptPackagesOption(folder) {
  const quoted = `'${folder.replaceAll("'", "'\\''")}'`;
  return `--setup-hook=mkdir -p "$1/${archives}" && find ${quoted} -name '*.deb' -exec cp -t "$1/${archives}" {} +`;
}

function keepFrom(source, folder) {
  for (const name of listed(source)) {
    const target = path.join(folder, name);
    if (existsSync(target)) continue;
    const temporary = `${target}.${process.pid}`;
    try {
      copy(path.join(source, name), temporary);
      renameSync(temporary, target);
    } catch {
      // It was removed meanwhile, or there is no room: it is fetched again then.
    }
  }
}

/** What has come whole: apt has the rest in a folder of its own. */
function listed(folder) {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".deb"));
  } catch {
    return [];
  }
}

function copy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
