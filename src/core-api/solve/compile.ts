import {
  diff,
  exec,
  file,
  git,
  image,
  local,
  scratch,
  type ExecResult,
  type FileAction,
  type State,
} from "../../llb/index.ts";
import { scriptOnOneLine } from "../../text/index.ts";
import { execMounts, execCommand, isLargeSnapshot, metaMountPath, type MountKeys } from "./compile-exec.ts";
import { fileActions } from "./compile-edit.ts";
import type { FileEdit } from "../tree/copy.ts";
import type { CopyDestination, FileDestination, FolderCopy } from "./destinations.ts";
import { editRun, treesOf } from "./trees-of.ts";
import type { Exec, HostTree, Tree } from "../values/values.ts";

export interface CompilerHooks extends MountKeys {
  /** Called once for every exec, with the digest under which BuildKit reports it. */
  onExec(digest: string, exec: Exec): void;
  /** Returns the LLB of a `definition` tree (a Dockerfile build). */
  definitionOf(key: string): State;
  /** Returns what is known about a copy and its destination. */
  destinationOf(edit: FolderCopy): CopyDestination;
  fileDestinationOf(edit: FileEdit): FileDestination;
  /** Masks secrets in the names of steps, which BuildKit stores. */
  masked(text: string): string;
}

/** Prefix of the names of internal steps, which reporters hide. */
export const internalStepPrefix = "[internal] ";

/** Compiles recipes to LLB. Every tree and every exec is compiled once, however many users it has. */
export class Compiler {
  private readonly states = new WeakMap<Tree, State>();
  private readonly execs = new WeakMap<Exec, ExecResult>();
  private readonly hooks: CompilerHooks;

  constructor(hooks: CompilerHooks) {
    this.hooks = hooks;
  }

  /** Compiles a tree, children first and without recursion, because chains of thousands of edits are common. */
  compile(tree: Tree): State {
    const stack: Tree[] = [tree];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const missing = this.states.has(top) ? [] : treesOf(top).filter((child) => !this.states.has(child));
      if (missing.length > 0) {
        for (const child of missing) stack.push(child);
        continue;
      }
      if (!this.states.has(top)) this.states.set(top, this.build(top));
      stack.pop();
    }
    return this.states.get(tree)!;
  }

  private readonly known = (tree: Tree): State => this.states.get(tree)!;

  private build(tree: Tree): State {
    switch (tree.kind) {
      case "scratch":
        return scratch;
      case "image":
        return image(tree.reference, { platform: tree.platform, name: `from ${tree.name}` });
      case "host":
        return hostState(tree);
      case "edit": {
        const run = editRun(tree);
        const actions: FileAction[] = fileActions(
          run.edits,
          (each) => this.states.get(each) ?? this.compile(each),
          this.hooks.destinationOf,
          this.hooks.fileDestinationOf,
        );
        return file(this.known(run.base), actions, { name: editName(run.edits) });
      }
      case "exec":
        return this.execOutput(tree.exec, tree.output);
      case "diff":
        return diff(this.known(tree.lower), this.known(tree.upper), { name: `${internalStepPrefix}diff` });
      case "fixed":
        return this.known(tree.tree);
      case "git":
        return git(tree.remote, {
          ref: tree.ref,
          keepGitDir: tree.keepGitDir,
          name: `git ${tree.name}`,
          ...(tree.tokenSecret === undefined ? {} : { authTokenSecret: tree.tokenSecret }),
          ...(tree.headerSecret === undefined ? {} : { authHeaderSecret: tree.headerSecret }),
        });
      case "definition":
        return this.hooks.definitionOf(tree.key);
    }
  }

  private execOutput(recipe: Exec, output: string): State {
    let result = this.execs.get(recipe);
    if (result === undefined) {
      result = exec({
        root: this.known(recipe.rootfs),
        args: execCommand(recipe),
        env: recipe.env,
        cwd: recipe.cwd,
        user: recipe.user,
        platform: recipe.platform,
        mounts: execMounts(recipe, this.known, this.hooks),
        secretEnv: recipe.secrets.flatMap(({ id, envName }) => (envName === undefined ? [] : [{ id, name: envName }])),
        insecure: recipe.insecure,
        name: execName(recipe, this.hooks.masked),
      });
      this.execs.set(recipe, result);
      this.hooks.onExec(result.digest, recipe);
    }
    if (output === "/") return result.root;
    const state = result.mount(output);
    if (state === undefined)
      throw new Error(`exec has no output ${output} (only ${metaMountPath} and writable mounts have)`);
    return state;
  }
}

/**
 * Returns a host tree as it was when it was read, keyed by its content alone. The copy is needed because the next
 * transfer of the same folder changes BuildKit's own copy, and because BuildKit sees that one differently once a
 * command has had it mounted writable.
 */
function hostState(tree: HostTree): State {
  const read = local({ sessionId: tree.sessionId, name: tree.localName }, { name: hostStepName(tree) });
  if (tree.internal || isLargeSnapshot(tree)) return read;
  const copy = {
    kind: "copy",
    from: read,
    source: "/",
    destination: "/",
    dirCopyContents: true,
    include: ["**"],
  } as const;
  return file(scratch, [copy], { name: `${internalStepPrefix}keep ${tree.name}` });
}

function hostStepName(tree: HostTree): string {
  return tree.internal ? `${internalStepPrefix}${tree.name}` : `host ${tree.name}`;
}

function editName(edits: (Tree & { kind: "edit" })["edit"][]): string {
  const [first] = edits;
  const more = edits.length > 1 ? ` and ${edits.length - 1} more` : "";
  return `${internalStepPrefix}${first?.action} ${first?.path}${more}`;
}

/**
 * Limit on a step's name in characters. A tier's commands follow those that measure them, and reporters show 120
 * characters of the remaining text.
 */
const longestName = 320;

function execName(recipe: Exec, masked: CompilerHooks["masked"]): string {
  // Mask before cutting the text or joining its lines, because half a secret must not be shown either.
  const text = masked(recipe.args.map((word) => scriptOnOneLine(masked(word))).join(" "));
  return `exec ${text.length > longestName ? `${text.slice(0, longestName)}…` : text}`;
}
