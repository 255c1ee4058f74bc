import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { TreeScanner, type TreeScan, type TreeSelection } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "./fixture.ts";

const selections: TreeSelection[] = [
  { path: "" },
  { path: "", filter: { exclude: ["**/x*", "!a/x1"], gitignore: true } },
  { path: "", filter: { include: ["**/f1"] } },
  { path: "a" },
  { path: "a/b/f2" },
];

/** A folder's times move with its children; nobody asks for them. */
function shown(scan: TreeScan): unknown {
  const { entries } = scan.listing;
  return {
    entries: entries.map((entry) =>
      entry.type === "directory" ? { ...entry, mtimeNs: 0n, ctimeNs: 0n } : { ...entry },
    ),
    selected: scan.selections.map((indices) => Array.from(indices, (index) => entries[index]!.path)),
    folders: scan.folders,
  };
}

test("a scan after hints is the scan of everything, whatever was edited", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const root = makeTree({ "a/b/f1": "1", "a/f2": "1", "x1/f1": "1", "b/c/d/f3": "1", ".gitignore": "f3\n" });
    const scanner = new TreeScanner(root, selections);
    scanner.scan();
    const names = ["a", "b", "c", "x1", "x2", "f1", "f2", "f3"];
    const pick = (): string => Array.from({ length: 1 + random(3) }, () => names[random(names.length)]!).join("/");
    for (let round = 0; round < 12; round++) {
      const hints = new Set<string>();
      for (let count = 0; count <= random(4); count++) {
        const at = path.join(root, pick());
        const other = path.join(root, pick());
        hints.add(at);
        try {
          switch (random(7)) {
            case 0:
              writeFileSync(at, `${seed} ${round}`);
              break;
            case 1:
              mkdirSync(at);
              writeFileSync(path.join(at, "f1"), "1");
              break;
            case 2:
              rmSync(at, { recursive: true });
              break;
            case 3:
              hints.add(other);
              renameSync(at, other);
              break;
            case 4:
              symlinkSync("elsewhere", at);
              break;
            case 5:
              chmodSync(at, 0o700 + random(8));
              break;
            default:
              hints.add(path.join(root, ".gitignore"));
              writeFileSync(path.join(root, ".gitignore"), `${names[random(names.length)]}\n`);
          }
        } catch {
          // The random edit was not possible here; the tree is what it is.
        }
      }
      // A look that is given up halfway, or that nobody takes over, changes nothing.
      const steps = scanner.scanSteps();
      for (let given = random(6); given > 0 && steps.next().done !== true; given--);
      const after = shown(scanner.scan(hints));
      // What was begun before may go on after.
      if (random(2) === 0) for (let step = steps.next(); step.done !== true; step = steps.next());
      expect(after, `seed ${seed} round ${round}`).toEqual(shown(new TreeScanner(root, selections).scan()));
    }
  }
});

test("a look folder by folder sees what a scan sees, in as many steps as there are folders", () => {
  const root = makeTree({ "a/b/f1": "1", "a/f2": "1", "x1/f1": "1", "b/c/d/f3": "1" });
  const scanner = new TreeScanner(root, selections);
  scanner.scan();
  writeFileSync(path.join(root, "a/f2"), "two");
  let steps = 0;
  const look = scanner.scanSteps();
  let step = look.next();
  for (; step.done !== true; step = look.next()) steps++;
  expect(shown(step.value!)).toEqual(shown(new TreeScanner(root, selections).scan()));
  expect(steps).toBe(step.value!.folders.length);
  rmSync(root, { recursive: true });
  expect(scanner.scanSteps().next()).toEqual({ done: true, value: undefined });
});

test("only the folders that hints name are read", () => {
  const root = makeTree({ "a/f": "1", "b/f": "1" });
  const scanner = new TreeScanner(root, [{ path: "" }]);
  scanner.scan();
  writeFileSync(path.join(root, "a/new"), "1");
  writeFileSync(path.join(root, "b/new"), "1");
  const paths = scanner.scan(new Set([path.join(root, "a/new")])).listing.entries.map((entry) => entry.path);
  expect(paths).toEqual(["a", "a/f", "a/new", "b", "b/f"]);
  expect(readdirSync(path.join(root, "b"))).toContain("new");
});
