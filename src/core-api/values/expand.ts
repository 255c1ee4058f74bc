/**
 * Replaces `$VAR` and `${VAR}` like Go's `os.Expand`, which Dagger uses. Unknown names become empty. A `$` before
 * anything else is removed together with the text that it cannot name.
 */
export function expandVariables(text: string, lookup: (name: string) => string): string {
  let result = "";
  let position = 0;
  for (;;) {
    const dollar = text.indexOf("$", position);
    if (dollar < 0 || dollar === text.length - 1) return result + text.slice(position);
    result += text.slice(position, dollar);
    const { name, length } = shellName(text, dollar + 1);
    if (name === "" && length === 0) result += "$";
    else if (name !== "") result += lookup(name);
    position = dollar + 1 + length;
  }
}

const special = /[*#$@!?\-0-9]/;

/** Returns the name that starts at `start`, and how many characters it takes including braces. */
function shellName(text: string, start: number): { name: string; length: number } {
  const first = text[start] ?? "";
  if (first === "{") {
    if (special.test(text[start + 1] ?? "") && text[start + 2] === "}") return { name: text[start + 1]!, length: 3 };
    const end = text.indexOf("}", start);
    // Bad syntax (`${` without an end, or `${}`) is dropped, as in Go.
    if (end < 0) return { name: "", length: 1 };
    return { name: text.slice(start + 1, end), length: end - start + 1 };
  }
  if (special.test(first)) return { name: first, length: 1 };
  const name = /^[A-Za-z0-9_]*/.exec(text.slice(start))![0];
  return { name, length: name.length };
}
