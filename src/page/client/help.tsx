import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

const keys: [keys: string, what: string][] = [
  ["j  k  ↓  ↑", "next, previous"],
  ["Enter", "open the chosen one's log"],
  ["Esc", "close, show all"],
  ["r", "run the chosen function, restart the chosen service"],
  ["c", "cancel its run"],
  ["l", "a process of this machine in the place of the chosen service (up --local), and back"],
  ["a", "run all; restart all services"],
  ["f", "run again what failed"],
  ["m", "manual mode: edits only mark what they affect; Shift+R runs that"],
  ["/", "show only what has this in its name"],
  ["s", "search the log"],
  ["1  2  3  4", "log, timeline, why, charts"],
  ["g", "graph or list"],
  ["d", "light or dark"],
  ["?", "this help"],
];

export function Help({ onClose }: { onClose(): void }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="help" aria-labelledby="help-title" onClose={onClose} onClick={() => box.current?.close()}>
      <h2 id="help-title">Keys</h2>
      <table>
        <tbody>
          {keys.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button onClick={() => box.current?.close()}>Close</button>
    </dialog>
  );
}
