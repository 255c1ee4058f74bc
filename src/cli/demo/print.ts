import { causes, duration, painter } from "../../report/index.ts";
import type { Scene } from "./scenes.ts";

/** Prints the demo: a heading for each scene, one line per function, and the outcome. */
export class StoryPrinter {
  private readonly write: (line: string) => void;
  private readonly paint: ReturnType<typeof painter>;
  private scenes = 0;

  constructor(write: (line: string) => void, colors: boolean) {
    this.write = write;
    this.paint = painter(colors);
  }

  line(text: string): void {
    this.write(text);
  }

  heading(title: string): void {
    this.scenes++;
    this.write(`\n${this.paint("bold", `${this.scenes}. ${title}`)}`);
  }

  edit(file: string, before: string, after: string): void {
    const added =
      after
        .replace(before, "")
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .at(-1) ?? after;
    const shown = after.includes(before) ? `+ ${added}` : `${before.trim()} → ${after.trim()}`;
    this.write(`   ${this.paint("dim", `${file}: ${shown}`)}`);
  }

  scene(scene: Scene, untouched: readonly string[]): void {
    for (const { finished, reasons } of scene.ran) {
      const good = finished.outcome === "passed";
      const mark = good ? this.paint("green", "✔") : this.paint("red", "✘");
      const { total, cached } = finished.steps;
      const steps = total === 0 ? "" : `, ${total - cached} of ${total} steps executed`;
      this.write(
        `   ${mark} ${finished.name.padEnd(7)} ${duration(finished.durationMs).padStart(7)}  ${good ? testsOf(finished.value) : "failed"}${steps}`,
      );
      if (reasons.length > 0) this.write(`     ${this.paint("dim", `because ${causes(reasons)}`)}`);
      if (!good) for (const line of failureLines(finished.error)) this.write(`     ${this.paint("red", line)}`);
    }
    for (const { name, need } of scene.blocked)
      this.write(`   ${this.paint("yellow", "…")} ${name.padEnd(7)} ${"".padStart(7)}  waits for ${need}`);
    if (untouched.length > 0)
      this.write(`   ${this.paint("dim", `· ${untouched.join(", ")}: not concerned, nothing executed`)}`);
    this.write(`   ${this.paint("cyan", `verdict after ${duration(scene.tookMs)}`)}`);
  }

  problem(text: string): void {
    this.write(`   ${this.paint("red", `NOT AS DESCRIBED: ${text}`)}`);
  }
}

/** Adds up reports: `lib  smoke  1 passed` and `lib  fast  9 passed` become `1 + 9 tests passed`. */
function testsOf(report: string | undefined): string {
  const counts = [...(report ?? "").matchAll(/(?<!\d)(\d+) passed/g)].map((match) => match[1]);
  return counts.length === 0 ? "passed" : `${counts.join(" + ")} tests passed`;
}

const interesting = /^\s*(not ok|error:|expected:|actual:|FAILED|E {2,}|AssertionError|✖)/;

/** Returns the few lines of a failure's output that say what is wrong; the log has the rest. */
function failureLines(error: { message: string; detail?: string } | undefined): string[] {
  const lines = `${error?.message ?? ""}\n${error?.detail ?? ""}`.split("\n");
  const telling = lines.filter((line) => interesting.test(line)).map((line) => line.trim());
  return (telling.length > 0 ? telling : lines.filter((line) => line.trim() !== "")).slice(0, 5);
}
