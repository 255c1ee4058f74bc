import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectIdentity } from "../../../src/engine/embedded/project-identity.ts";

const base = realpathSync(mkdtempSync(path.join(tmpdir(), "identity-")));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const git = (cwd: string, ...args: string[]): void =>
  void execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd, stdio: "pipe" });

function repository(name: string): string {
  const root = path.join(base, name);
  mkdirSync(path.join(root, "ci/src"), { recursive: true });
  git(root, "init", "-q");
  writeFileSync(path.join(root, "ci/src/index.ts"), "");
  git(root, "add", "-A");
  git(root, "commit", "-qm", "x");
  return root;
}
const of = (root: string, name = "ci"): string =>
  projectIdentity({ workdir: root, module: { name, sourceDir: path.join(root, "ci") } });

describe("whose cache volumes a session has", () => {
  it("is one repository and one module, from whichever folder and through whichever link", () => {
    const root = repository("one");
    symlinkSync(root, path.join(base, "link"));
    expect(of(root)).toMatch(/^[0-9a-f]{24}$/);
    expect([
      of(path.join(base, "link")),
      projectIdentity({ workdir: path.join(root, "ci"), module: { name: "ci", sourceDir: path.join(root, "ci") } }),
    ]).toEqual([of(root), of(root)]);
    expect(of(root, "other")).not.toBe(of(root));
    expect(projectIdentity({ workdir: root })).not.toBe(of(root));
    expect(projectIdentity({ workdir: path.join(root, "ci") })).toBe(projectIdentity({ workdir: root }));
  });

  it("is another one for a copy, and the same for a worktree", () => {
    const root = repository("two");
    cpSync(root, path.join(base, "copy"), { recursive: true });
    expect(of(path.join(base, "copy"))).not.toBe(of(root));
    git(root, "worktree", "add", "-q", path.join(base, "tree"));
    expect(of(path.join(base, "tree"))).toBe(of(root));
  });

  it("is not what a `.git` file claims that its repository knows nothing of", () => {
    const root = repository("three");
    git(root, "worktree", "add", "-q", path.join(base, "real-tree"));
    const hostile = path.join(base, "hostile");
    mkdirSync(path.join(hostile, "ci/src"), { recursive: true });
    for (const claim of [
      path.join(root, ".git"),
      path.join(root, ".git/worktrees/real-tree"),
      "../three/.git/worktrees/real-tree",
    ]) {
      writeFileSync(path.join(hostile, ".git"), `gitdir: ${claim}\n`);
      expect(of(hostile)).not.toBe(of(root));
    }
  });

  it("is the project's where the module is from elsewhere, as fastloop's own", () => {
    const [shared, one, other] = [repository("module"), repository("user"), repository("another")];
    const module = { name: "ci", sourceDir: path.join(shared, "ci") };
    const user = (workdir: string): string => projectIdentity({ workdir, module });
    expect(user(one)).not.toBe(user(other));
    expect(user(one)).not.toBe(of(shared));
    expect(user(path.join(one, "ci"))).toBe(user(one));
    for (const name of ["bare-a", "bare-b"]) mkdirSync(path.join(base, name), { recursive: true });
    expect(user(path.join(base, "bare-a"))).not.toBe(user(path.join(base, "bare-b")));
  });

  it("is a folder's own where there is no repository", () => {
    for (const name of ["plain-a", "plain-b"]) mkdirSync(path.join(base, name, "ci"), { recursive: true });
    const before = of(path.join(base, "plain-a"));
    expect(of(path.join(base, "plain-b"))).not.toBe(before);
    renameSync(path.join(base, "plain-a"), path.join(base, "moved"));
    expect(of(path.join(base, "moved"))).not.toBe(before);
  });
});
