/** A marshalled LLB graph: `pb.Definition`, each op already encoded. */
export interface Definition {
  def: Uint8Array[];
  /** Keyed by op digest (`sha256:…`). */
  metadata: Record<string, { description?: Record<string, string>; ignoreCache?: boolean }>;
}
