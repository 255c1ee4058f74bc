import type { JSX } from "preact";
import type { NodeDetails, PageNode } from "../../types.ts";

/** Shows what `fastloop why` says, and the failure if there is one. */
export function WhyPanel({ node, details }: { node: PageNode; details: NodeDetails | undefined }): JSX.Element {
  const why = details?.why;
  return (
    <div class="panel why">
      {node.failure !== undefined && (
        <section>
          <h3>Failure</h3>
          <pre tabIndex={0}>{node.failure}</pre>
        </section>
      )}
      {why === undefined ? (
        <p class="empty">{details === undefined ? "One moment…" : "Nothing is known of it yet."}</p>
      ) : (
        <>
          <p class="lead">{why.summary}</p>
          {why.causes.length > 0 && (
            <section>
              <h3>Causes</h3>
              <ul class="causes">
                {why.causes.map((cause, index) => (
                  <li key={index}>{cause}</li>
                ))}
              </ul>
            </section>
          )}
          <section>
            <h3>{node.kind === "function" ? "What its digest is made of" : "Where it is"}</h3>
            <table>
              <tbody>
                {why.parts.map(({ name, value, digest }, index) => (
                  <tr key={index}>
                    <th scope="row">{name}</th>
                    <td>{value}</td>
                    <td class="digest">{digest}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </div>
  );
}
