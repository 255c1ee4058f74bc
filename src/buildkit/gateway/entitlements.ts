import { codec } from "../proto/codec.ts";
import type { Definition } from "../../llb/types.ts";

/** Rights of an exec that a daemon grants only if its configuration allows them. */
export type Entitlement = "security.insecure" | "network.host";

const opCodec = codec<{ exec?: { network: number; security: number } }>("pb.Op");

/** `ExecOp.network = 1` and `ExecOp.security = 1` as they occur in an encoded op. */
const networkHost = Buffer.from([0x18, 0x01]);
const securityInsecure = Buffer.from([0x20, 0x01]);

/**
 * Returns the entitlements that the execs of these definitions need. BuildKit refuses a whole build that asks for more
 * than the daemon grants, so each build asks for these only. Only ops that contain the bytes of such an exec are
 * decoded, because trees have thousands of ops.
 */
export function entitlementsOf(definitions: Iterable<Definition>): Entitlement[] {
  const needed = new Set<Entitlement>();
  for (const { def } of definitions) {
    for (const op of def) {
      const bytes = Buffer.from(op.buffer, op.byteOffset, op.byteLength);
      if (!bytes.includes(networkHost) && !bytes.includes(securityInsecure)) continue;
      const { exec } = opCodec.decode(op);
      if (exec?.network === 1) needed.add("network.host");
      if (exec?.security === 1) needed.add("security.insecure");
    }
  }
  return [...needed].toSorted();
}
