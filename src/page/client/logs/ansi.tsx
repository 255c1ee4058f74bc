import Anser, { type AnserJsonEntry } from "anser";
import type { CSSProperties, JSX } from "preact";

/** Renders a line with its colors and marks search matches. All text stays text: none of it is treated as HTML. */
export function AnsiText({ text, query }: { text: string; query: string }): JSX.Element {
  if (!text.includes("\u001b")) return <>{marked(text, query)}</>;
  const pieces = Anser.ansiToJson(text, { use_classes: true, remove_empty: true });
  return (
    <>
      {pieces.map((piece, index) => (
        <span key={index} class={classOf(piece)} style={styleOf(piece)}>
          {marked(piece.content, query)}
        </span>
      ))}
    </>
  );
}

function classOf({ fg, bg, decorations }: AnserJsonEntry): string {
  const names = [...(decorations ?? []), fg === null ? "" : `${fg}-fg`, bg === null ? "" : `${bg}-bg`];
  return names.filter((name) => /^[a-z0-9-]+$/.test(name ?? "")).join(" ");
}

/** Mixes numbered colors with the text color, so that they are readable on light and dark. */
function styleOf({ fg, fg_truecolor: rgb }: AnserJsonEntry): CSSProperties | undefined {
  if (fg === "ansi-truecolor" && /^[\d, ]+$/.test(rgb ?? "")) return mixed(`rgb(${rgb})`);
  const index = /^ansi-palette-(\d{1,3})$/.exec(fg ?? "")?.[1];
  return index === undefined ? undefined : mixed(paletteColor(Number(index)));
}

const mixed = (color: string): CSSProperties => ({ color: `color-mix(in oklab, ${color} 60%, var(--text))` });

/** Returns a color of the 6 × 6 × 6 cube or of the grays after it. */
function paletteColor(index: number): string {
  if (index >= 232) return `rgb(${(8 + (index - 232) * 10).toString().concat(" ").repeat(3)})`;
  const levels = [0, 95, 135, 175, 215, 255];
  const at = Math.max(0, index - 16);
  return `rgb(${levels[Math.floor(at / 36) % 6]},${levels[Math.floor(at / 6) % 6]},${levels[at % 6]})`;
}

function marked(text: string, query: string): (string | JSX.Element)[] {
  if (query === "") return [text];
  const parts: (string | JSX.Element)[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, from)) {
    parts.push(text.slice(from, at), <mark>{text.slice(at, at + query.length)}</mark>);
    from = at + query.length;
  }
  parts.push(text.slice(from));
  return parts;
}
