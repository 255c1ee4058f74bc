// Progress of one or more steps at once. On a terminal one line that is redrawn, else plain lines with a heartbeat.
import process from "node:process";
import { StepStopped } from "./run.mjs";

const redrawMs = 120;
const heartbeatMs = 20_000;
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export function createProgress(stream) {
  const terminal = stream.isTTY && process.env.TERM !== "dumb";
  const color = terminal && !process.env.NO_COLOR;
  const paint = (code, text) => (color ? `\u001b[${code}m${text}\u001b[39m` : text);
  const running = new Map();
  let timer;
  let frame = 0;

  const clear = () => terminal && stream.write("\r\u001b[K");
  const line = (text) => {
    clear();
    stream.write(`${text}\n`);
  };
  const draw = () => {
    const parts = [...running.values()].map(({ title, startedAt, detail }) => {
      const note = detail === "" ? "" : ` · ${detail}`;
      return `${title} ${seconds(startedAt)}${note}`;
    });
    const text = `${spinner[frame++ % spinner.length]} ${parts.join("   ")}`;
    stream.write(`\r\u001b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const beat = () => {
    for (const { title, startedAt, detail } of running.values()) {
      line(`    ${title}: ${seconds(startedAt)} so far${detail === "" ? "" : ` (${detail})`}`);
    }
  };
  const update = () => {
    if (running.size > 0 && timer === undefined) {
      timer = terminal ? setInterval(draw, redrawMs) : setInterval(beat, heartbeatMs);
    } else if (running.size === 0) {
      clearInterval(timer);
      timer = undefined;
      clear();
    }
  };

  return {
    /** Before anything is done. */
    announce: (title, why) => line(`set-up: ${title} (${why})`),
    /** Runs `work` with a function that takes the latest line of detail. */
    async run(title, work) {
      const step = { title, startedAt: performance.now(), detail: "" };
      running.set(step, step);
      update();
      try {
        const note = await work((detail) => (step.detail = detail.trim().slice(0, 60)), pause);
        line(`${paint(32, "  ok")}  ${title} in ${seconds(step.startedAt)}${note ? `: ${note}` : ""}`);
      } catch (error) {
        const how = error instanceof StepStopped ? paint(33, "  ended") : paint(31, "  failed");
        line(`${how}  ${title} after ${seconds(step.startedAt)}`);
        throw error;
      } finally {
        running.delete(step);
        update();
      }
    },
    stop() {
      running.clear();
      update();
    },
  };

  /** Leaves the terminal to a question; returns the function that takes it back. */
  function pause() {
    clearInterval(timer);
    timer = undefined;
    clear();
    return update;
  }
}

function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
