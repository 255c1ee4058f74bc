/** A marshalled LLB graph: `pb.Definition` with each op encoded already. */
export interface Definition {
  def: Uint8Array[];
  /** Metadata by op digest (`sha256:…`). */
  metadata: Record<string, { description?: Record<string, string>; ignoreCache?: boolean }>;
}
