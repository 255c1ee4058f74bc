/** Action of a key. `text` and `erase` only occur while a filter is being typed. */
export type KeyAction =
  | {
      kind:
        | "run-all"
        | "rerun-failed"
        | "run-stale"
        | "start-filter"
        | "toggle-manual"
        | "quit"
        | "open-page"
        | "interrupt"
        | "suspend"
        | "accept"
        | "clear"
        | "erase";
    }
  | { kind: "text"; text: string };

const always: Record<string, KeyAction["kind"]> = { "\u0003": "interrupt", "\u001a": "suspend" };
const commands: Record<string, KeyAction["kind"]> = {
  a: "run-all",
  f: "rerun-failed",
  r: "run-stale",
  "\r": "run-stale",
  "/": "start-filter",
  m: "toggle-manual",
  q: "quit",
  u: "open-page",
  "\u001b": "clear",
};
const typing: Record<string, KeyAction["kind"]> = {
  "\r": "accept",
  "\n": "accept",
  "\u001b": "clear",
  "\u007f": "erase",
  "\b": "erase",
};

/** Converts terminal input to actions. Arrows and other keys that send escape sequences are ignored. */
export function keyActions(input: string, isTyping: boolean): KeyAction[] {
  if (input.length > 1 && input.startsWith("\u001b")) return [];
  const actions: KeyAction[] = [];
  let types = isTyping;
  for (const key of input) {
    const kind = always[key] ?? (types ? typing[key] : commands[key]);
    if (kind !== undefined) {
      actions.push({ kind } as KeyAction);
      types = kind === "start-filter" || (types && kind === "erase");
    } else if (types && key >= " ") actions.push({ kind: "text", text: key });
  }
  return actions;
}
