/** Splits text as a shell does: quotes and backslashes, but no expansion. Undefined if a quote is not closed. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let end = 0;
  const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gsy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    end = pattern.lastIndex;
    words.push(
      match[1]!.replace(
        /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs,
        (_all, escaped?: string, double?: string, single?: string) => {
          return escaped ?? (double === undefined ? single! : double.replace(/\\(["\\$`])/g, "$1"));
        },
      ),
    );
  }
  return text.slice(end).trim() === "" ? words : undefined;
}
