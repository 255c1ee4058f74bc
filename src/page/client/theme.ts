import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const key = "fastloop-theme";
const preference = matchMedia("(prefers-color-scheme: dark)");

/**
 * Returns the stored choice; undefined: the system's preference applies. A page opened from a file may have no storage.
 */
function chosen(): Theme | undefined {
  try {
    const stored = localStorage.getItem(key);
    return stored === "light" || stored === "dark" ? stored : undefined;
  } catch {
    return undefined;
  }
}

export function useTheme(): [theme: Theme, toggle: () => void] {
  const [theme, setTheme] = useState<Theme>(() => chosen() ?? (preference.matches ? "dark" : "light"));
  useEffect(() => {
    const follow = (): void => setTheme(chosen() ?? (preference.matches ? "dark" : "light"));
    preference.addEventListener("change", follow);
    return () => preference.removeEventListener("change", follow);
  }, []);
  useEffect(() => void (document.documentElement.dataset["theme"] = theme), [theme]);
  const toggle = (): void => {
    const next = theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(key, next);
    } catch {
      // Without storage, the choice lasts for this page.
    }
    setTheme(next);
  };
  return [theme, toggle];
}
