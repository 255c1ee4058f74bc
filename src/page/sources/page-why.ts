import type { Why } from "../../run/index.ts";
import { dayAndTime, printable, withoutFolders } from "../../text/index.ts";
import type { PageWhy } from "../types.ts";

/** Converts the answer of `fastloop why` for the page. */
export function pageWhy(why: Why): PageWhy {
  const { fingerprint, lastPassed } = why;
  const last =
    lastPassed === undefined
      ? why.hasFailedOnly
        ? "it has not passed yet"
        : "it has not run yet"
      : `last passed ${dayAndTime(lastPassed.startedAt)} on ${printable(lastPassed.engine.version)}`;
  return {
    summary: `${why.affected ? "affected" : "current"}; ${last}`,
    causes: why.causes,
    parts: [
      { name: "call", value: printable(fingerprint.call.join(" ")) },
      ...fingerprint.inputs.map(({ argument, path, digest }) => ({
        name: printable(argument),
        value: printable(path),
        digest: digest.slice(0, 12),
      })),
      { name: "module", value: "its code and configuration", digest: fingerprint.module.slice(0, 12) },
      { name: "engine", value: printable(withoutFolders(fingerprint.engine)) || "none ran yet" },
      ...Object.entries(fingerprint.environment).map(([variable, state]) => ({
        name: printable(variable),
        value: state,
      })),
      ...Object.entries(fingerprint.needs).map(([need, digest]) => ({
        name: "needs",
        value: printable(need),
        digest: digest.slice(0, 12),
      })),
    ],
  };
}
