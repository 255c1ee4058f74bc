import { Kind, TokenKind, type DocumentNode, type SelectionNode, type SelectionSetNode } from "graphql";
import { Parser } from "graphql/language/parser.js";

/** Parses a request. Unlike graphql-js it goes into selection sets without recursion: an SDK's chain of calls nests one per call. */
export function parseRequest(query: string): DocumentNode {
  return new ChainParser(query).parseDocument();
}

class ChainParser extends Parser {
  /** Selection sets that are open, the innermost last; undefined outside of any. */
  private open: { selections: SelectionNode[] }[] | undefined;

  override parseSelectionSet(): SelectionSetNode {
    const set = { kind: Kind.SELECTION_SET as const, selections: [] as SelectionNode[] };
    this.expectToken(TokenKind.BRACE_L);
    if (this.open !== undefined) {
      // The last thing in a field or fragment: the loop below fills it after the field itself is done.
      this.open.push(set);
      return set;
    }
    this.open = [set];
    for (let top = this.open.at(-1); top !== undefined; top = this.open.at(-1)) {
      if (top.selections.length > 0 && this.expectOptionalToken(TokenKind.BRACE_R)) this.open.pop();
      else top.selections.push(this.parseSelection());
    }
    this.open = undefined;
    return set;
  }
}
