// An esbuild plugin: an import of a room's door (`src/ROOM/index.ts`) becomes one of the file behind it. esbuild splits
// a bundle by files and not by what is used of them, so that a command that needs one small thing of a room would load
// all that any program takes through its door.
import { readFileSync } from "node:fs";
import path from "node:path";

const braces = String.raw`\{([^{}]*)\}`;
const throughDoor = new RegExp(String.raw`^(import|export) ${braces} from "(\.[^"]*/index\.ts)";`, "gm");
const handedOn = new RegExp(String.raw`^export ${braces} from "(\.[^"]+)";`, "gm");

/** `root` holds the rooms. */
export function resolveDoors(root) {
  const doors = new Map();
  const isDoor = (file) => path.basename(file) === "index.ts" && path.dirname(path.dirname(file)) === root;
  /** Where a name of a door comes from; undefined for what the door has made itself. */
  const behind = (door, name) => {
    if (!doors.has(door)) doors.set(door, handedOnBy(door));
    const place = doors.get(door).get(name);
    return place !== undefined && isDoor(place.file) ? (behind(place.file, place.name) ?? place) : place;
  };
  return {
    name: "resolve-doors",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
        if (!file.startsWith(root + path.sep)) return undefined;
        const contents = readFileSync(file, "utf8").replace(throughDoor, (statement, keyword, names, specifier) => {
          const door = path.resolve(path.dirname(file), specifier);
          if (!isDoor(door)) return statement;
          const statements = parts(names).map(({ name, as }) => {
            const place = behind(door, name) ?? { file: door, name };
            return `${keyword} { ${place.name} as ${as} } from "${relative(path.dirname(file), place.file)}";`;
          });
          // As many lines as before: source maps go by them.
          return statements.join(" ") + "\n".repeat(statement.split("\n").length - 1);
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

/** What a door hands on: name -> the file that it says has it, and its name there. */
function handedOnBy(door) {
  const found = new Map();
  for (const [, names, specifier] of readFileSync(door, "utf8").matchAll(handedOn))
    for (const { name, as } of parts(names)) found.set(as, { file: path.resolve(path.dirname(door), specifier), name });
  return found;
}

function relative(folder, file) {
  const way = path.relative(folder, file).split(path.sep).join("/");
  return way.startsWith(".") ? way : `./${way}`;
}

/** The values in a list of names; types leave nothing in a bundle. */
function parts(names) {
  return names
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("type "))
    .map((part) => {
      const [name, as = name] = part.split(" as ");
      return { name, as };
    });
}
