/** Loads chunks of the command line (`dist/cli`, CommonJS by tools/build-cli.mjs) with cached V8 code. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";
import type { CodeStore } from "./code-store.ts";

interface Chunk {
  exports: unknown;
}

type Run = (
  exports: unknown,
  require: (id: string) => unknown,
  importOther: (id: string) => Promise<unknown>,
  module: Chunk,
  file: string,
  folder: string,
) => void;

/**
 * Module loader for chunks. Node's own loaders compile each file again, and the ES module loader takes a turn of the
 * event loop for each: a third of the time of a short command. Node's own code cache (`module.enableCompileCache`)
 * exists only from 22.1 on.
 */
export class Chunks {
  private readonly folder: string;
  private readonly store: CodeStore | undefined;
  private readonly chunks = new Map<string, Chunk>();
  private readonly scripts = new Map<string, { wasTaken: boolean; code: () => Buffer }>();
  private readonly requireOther: NodeJS.Require;

  /** `folder` holds the chunks. Without a store, no code is cached. */
  constructor(folder: string, store: CodeStore | undefined) {
    this.folder = folder;
    this.store = store;
    this.requireOther = createRequire(path.join(folder, "chunks.cjs"));
  }

  /** Returns the chunk's exports; runs the chunk at the first call. */
  load(name: string): unknown {
    const known = this.chunks.get(name);
    // In a cycle these are the exports so far, as in CommonJS.
    if (known !== undefined) return known.exports;
    const chunk: Chunk = { exports: {} };
    this.chunks.set(name, chunk);
    const file = path.join(this.folder, name);
    const cachedData = this.store?.codeOf(name);
    const script = new Script(
      `(function(exports,require,__import,module,__filename,__dirname){${readFileSync(file, "utf8")}\n})`,
      { filename: file, cachedData },
    );
    const wasTaken = cachedData !== undefined && script.cachedDataRejected === false;
    this.scripts.set(name, { wasTaken, code: () => script.createCachedData() });
    (script.runInThisContext() as Run)(chunk.exports, this.require, importOther, chunk, file, this.folder);
    return chunk.exports;
  }

  /** Stores the code that V8 has compiled by now for the next process. */
  save(): void {
    this.store?.save(this.scripts);
  }

  private readonly require = (id: string): unknown =>
    id.startsWith("./") ? this.load(id.slice(2)) : this.requireOther(id);
}

/** Resolved relative to this file, which is in the same package. */
const importOther = (id: string): Promise<unknown> => import(id);
