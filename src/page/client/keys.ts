import { useEffect, useRef } from "preact/hooks";

/** Binds keys to actions, except in fields that take text. Keys with Ctrl, Alt or Meta are left to the browser. */
export function useKeys(actions: Record<string, () => void>): void {
  const newest = useRef(actions);
  newest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.closest("dialog") !== null) return;
      if (target.matches("input, select, textarea")) {
        if (event.key === "Escape" || event.key === "Enter") target.blur();
        return;
      }
      // Enter presses a focused button, and arrow keys scroll a focused list.
      if (event.key === "Enter" && target.matches("button, a, summary")) {
        if (!target.matches(".card, .row")) return;
      }
      if (event.key.startsWith("Arrow") && target.matches(".lines, .scroll, pre, ol")) return;
      const action = newest.current[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
