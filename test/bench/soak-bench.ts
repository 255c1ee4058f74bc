import { onPrivateEngine, soak, type Footprint } from "./soak.ts";
import type { Bench, Row } from "./types.ts";

const fields: readonly [keyof Footprint, string, Row["unit"]][] = [
  ["rssMb", "memory of the daemon", "MB"],
  ["openFiles", "open files of the daemon", "count"],
  ["processes", "processes below the daemon", "count"],
  ["sessions", "open sessions", "count"],
  ["temporaryFiles", "temporary folders", "count"],
];

/** 1,000 sessions one after the other and 50 at once: what the daemon holds after them beside what it held before. */
export const soakBench: Bench = {
  name: "soak",
  summary: "1,000 sequential and 50 concurrent sessions: what the daemon holds afterwards [SEQUENTIAL CONCURRENT]",
  run: async ({ note, words }) => {
    const [sequential = 1_000, concurrent = 50] = words.map(Number);
    const { warm, end, perSessionMs } = await onPrivateEngine(note, () => soak({ sequential, concurrent }));
    note(`${sequential} sessions in a row took ${perSessionMs.toFixed(0)} ms each`);
    return fields.map(([name, what, unit]): Row => {
      const limit = name === "rssMb" ? 1.2 : 1;
      const met = end[name] <= warm[name] * limit;
      return {
        case: what,
        value: end[name],
        unit,
        reference: warm[name],
        against: "after warm-up",
        ratio: warm[name] === 0 ? undefined : end[name] / warm[name],
        aim: `<= ${limit}x`,
        met,
      };
    });
  },
};
