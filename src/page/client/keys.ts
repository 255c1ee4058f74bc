import { useEffect, useRef } from "preact/hooks";

/** What keys do, wherever the focus is but in a field that takes text. Keys with Ctrl, Alt or Meta stay the browser's. */
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
      // A button that has the focus is pressed by it; what scrolls is scrolled.
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
