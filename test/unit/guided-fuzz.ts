/**
 * Fuzzing that is led by coverage: a parser is bundled, a counter is put at each of its branches, and inputs that reach a
 * branch for the first time, or far more often than before, are those of which the next ones are made.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import { packageRoot } from "../../src/paths/index.ts";
import { inTime } from "./fuzz.ts";

/** `FASTLOOP_FUZZ_SECONDS`: each parser is tried for so long, with other inputs each time (the nightly workflow). */
const seconds = Number(process.env["FASTLOOP_FUZZ_SECONDS"] ?? 0);
const gateInputs = 10_000;
const maxInputBytes = 4096;

type Program = Record<string, (...words: never[]) => unknown>;

interface Instrumented {
  parsers: Program;
  counters: Uint32Array;
}

/** Imports what the lines of `source` export, with counters in it. */
export async function instrumented(source: string): Promise<Instrumented> {
  const bundle = await build({
    stdin: { contents: source, resolveDir: packageRoot(), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    external: ["typescript", "esbuild"],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    logLevel: "error",
  });
  let count = 0;
  const counter = (): ts.Statement =>
    ts.factory.createExpressionStatement(ts.factory.createIdentifier(`__hits[${count++}]++`));
  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const counted = (block: ts.Block): ts.Block =>
      ts.factory.updateBlock(block, [
        counter(),
        ...block.statements.map((each) => ts.visitNode(each, visit) as ts.Statement),
      ]);
    const visit = (node: ts.Node): ts.Node => {
      if (ts.isBlock(node)) return counted(node);
      if (ts.isConditionalExpression(node)) return hit(ts.visitEachChild(node, visit, context));
      if (ts.isCaseClause(node)) {
        const inside = ts.visitEachChild(node, visit, context);
        return ts.factory.updateCaseClause(inside, inside.expression, [counter(), ...inside.statements]);
      }
      if (ts.isIfStatement(node) && !ts.isBlock(node.thenStatement)) {
        const then = ts.factory.createBlock([node.thenStatement]);
        return visit(ts.factory.updateIfStatement(node, node.expression, then, node.elseStatement));
      }
      return ts.visitEachChild(node, visit, context);
    };
    const hit = (node: ts.ConditionalExpression): ts.Node => {
      const marked = (value: ts.Expression): ts.Expression =>
        ts.factory.createParenthesizedExpression(
          ts.factory.createComma(ts.factory.createIdentifier(`__hits[${count++}]++`), value),
        );
      const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
      return ts.factory.updateConditionalExpression(
        node,
        condition,
        questionToken,
        marked(whenTrue),
        colonToken,
        marked(whenFalse),
      );
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
  const { outputText } = ts.transpileModule(bundle.outputFiles[0]!.text, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, allowJs: true },
    fileName: "bundle.js",
    transformers: { before: [transformer] },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-guided-"));
  const file = path.join(folder, "bundle.mjs");
  const global = globalThis as unknown as { __hits: Uint32Array };
  try {
    const name = `__hits_${path.basename(folder)}`.replaceAll(/\W/g, "_");
    const counters = ((global as unknown as Record<string, Uint32Array>)[name] = new Uint32Array(count));
    writeFileSync(file, `const __hits = globalThis.${name};\n${outputText}`);
    return { parsers: (await import(pathToFileURL(file).href)) as Program, counters };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function changed(corpus: readonly Buffer[], words: readonly Buffer[], pick: (below: number) => number): Buffer {
  let input = corpus[pick(corpus.length)]!;
  for (let left = 1 + pick(4); left > 0; left--) {
    const at = pick(input.length + 1);
    const other = corpus[pick(corpus.length)]!;
    const until = at + pick(Math.min(64, input.length - at + 1));
    const put = [
      Buffer.from([pick(256)]),
      words[pick(words.length)] ?? Buffer.alloc(0),
      Buffer.alloc(0),
      other.subarray(pick(other.length + 1)).subarray(0, pick(64)),
      Buffer.concat([input.subarray(at, until), input.subarray(at, until)]),
    ][pick(5)]!;
    input = Buffer.concat([input.subarray(0, at), put, input.subarray(until)]).subarray(0, maxInputBytes);
  }
  return input;
}

/**
 * Ten thousand inputs of one seed in the gate. `parse` throws what is wrong with the parser, not with the input; one that takes
 * a second of computing is wrong. Gives how many branches were reached, by the seeds and in all.
 */
export async function guidedFuzz(
  { counters }: Instrumented,
  seeds: readonly (Buffer | string)[],
  words: readonly string[],
  parse: (input: Buffer) => unknown,
): Promise<{ ofSeeds: number; reached: number }> {
  const known = new Uint8Array(counters.length);
  const corpus: Buffer[] = [];
  const isNew = (): boolean => {
    let found = false;
    for (let index = 0; index < counters.length; index++) {
      // Once, twice, four times, …: a loop that goes round more often is news as well.
      const level = 32 - Math.clz32(counters[index]!);
      if (level > known[index]!) [known[index], found] = [level, true];
    }
    return found;
  };
  const tries = async (input: Buffer): Promise<void> => {
    counters.fill(0);
    try {
      await inTime(() => parse(input));
    } catch (cause) {
      throw new Error(`input (base64): ${input.toString("base64")}`, { cause });
    }
    if (isNew()) corpus.push(input);
  };
  const reached = (): number => known.reduce((sum, level) => sum + (level > 0 ? 1 : 0), 0);
  for (const seed of seeds) {
    await tries(Buffer.from(seed));
    corpus.push(Buffer.from(seed));
  }
  const ofSeeds = reached();
  const until = Date.now() + seconds * 1000;
  const pick = random(seconds > 0 ? Date.now() : 20_260_101);
  const known256 = words.map((word) => Buffer.from(word, "latin1"));
  for (let done = 1; done <= gateInputs || Date.now() < until; done++) {
    await tries(changed(corpus, known256, pick));
    // Vitest hears of the test now and then.
    if (done % 1000 === 0) await setImmediate();
  }
  return { ofSeeds, reached: reached() };
}
