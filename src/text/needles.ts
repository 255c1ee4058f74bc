/** Finds any of many texts in one pass, however many there are (Aho-Corasick). */
export class Needles {
  /** Total length of the texts, in characters. */
  readonly size: number;
  readonly texts: readonly string[];
  // The nodes form a tree of the texts' characters. A node is a number, 0 is the root, and `sibling` links children.
  private readonly code: Uint16Array;
  private readonly child: Int32Array;
  private readonly sibling: Int32Array;
  /**
   * Node to continue at when no child fits: that of the longest suffix of this node's text that is a prefix of a text.
   */
  private readonly fail: Int32Array;
  /** Length of the node's text: this much of what was read may be the beginning of a match. */
  readonly depth: Int32Array;
  /** Length of the longest text that ends here; 0 if none does. */
  readonly longest: Int32Array;
  /** Children of the root by their ASCII character. */
  private readonly first = new Int32Array(128);
  private nodes = 1;

  constructor(texts: readonly string[]) {
    this.texts = texts;
    this.size = texts.reduce((sum, { length }) => sum + length, 0);
    const room = this.size + 1;
    this.code = new Uint16Array(room);
    [this.child, this.sibling, this.fail, this.depth, this.longest] = [0, 0, 0, 0, 0].map(
      () => new Int32Array(room),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
    for (const text of texts) this.insert(text);
    this.link();
  }

  /** Returns the node after one more character. */
  step(node: number, code: number): number {
    let at = node;
    for (;;) {
      const next = this.find(at, code);
      if (next !== 0 || at === 0) return next;
      at = this.fail[at]!;
    }
  }

  private find(node: number, code: number): number {
    if (node === 0 && code < 128) return this.first[code]!;
    let next = this.child[node]!;
    while (next !== 0 && this.code[next] !== code) next = this.sibling[next]!;
    return next;
  }

  private insert(text: string): void {
    let node = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      let next = this.find(node, code);
      if (next === 0) {
        next = this.nodes++;
        this.code[next] = code;
        this.depth[next] = index + 1;
        this.sibling[next] = this.child[node]!;
        this.child[node] = next;
        if (node === 0 && code < 128) this.first[code] = next;
      }
      node = next;
    }
    if (node !== 0) this.longest[node] = text.length;
  }

  /** Sets the fail links, shorter texts first, as each link leads to a shorter one. */
  private link(): void {
    const queue = new Int32Array(this.nodes);
    let end = 0;
    for (let node = this.child[0]!; node !== 0; node = this.sibling[node]!) queue[end++] = node;
    for (let at = 0; at < end; at++) {
      const parent = queue[at]!;
      if (this.longest[parent] === 0) this.longest[parent] = this.longest[this.fail[parent]!]!;
      for (let node = this.child[parent]!; node !== 0; node = this.sibling[node]!) {
        this.fail[node] = this.step(this.fail[parent]!, this.code[node]!);
        queue[end++] = node;
      }
    }
  }
}
