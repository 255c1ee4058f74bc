import {
  GraphQLError,
  Kind,
  TokenKind,
  type ConstValueNode,
  type DocumentNode,
  type ParseOptions,
  type SelectionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from "graphql";
import { Parser } from "graphql/language/parser.js";

/** What one request may ask for. */
export interface QueryLimits {
  levels: number;
  /** Fields and fragments, as they are written. */
  selections: number;
  tokens: number;
}

/** The embedded engine's: far above what programs send, below what JSON.stringify can nest an answer (about 2,500 levels). */
export const queryLimits: QueryLimits = { levels: 2100, selections: 4000, tokens: 100_000 };

/** Where a Dagger engine has limits of its own, and only the reader is to be kept from stalling. */
export const readingLimits: QueryLimits = { levels: 20_000, selections: 100_000, tokens: 2_000_000 };

/** Lists and objects in a value, lists in a type. */
const valueLevels = 100;

/** Parses a request. Unlike graphql-js it goes into selection sets without recursion: an SDK's chain of calls nests one per call. */
export function parseRequest(
  query: string,
  limits: QueryLimits,
  options: Pick<ParseOptions, "noLocation"> = {},
): DocumentNode {
  return new ChainParser(query, limits, options).parseDocument();
}

class ChainParser extends Parser {
  /** Selection sets that are open, the innermost last; undefined outside of any. */
  private open: { selections: SelectionNode[] }[] | undefined;
  private readonly limits: QueryLimits;
  private selections = 0;
  private valueLevels = 0;

  constructor(query: string, limits: QueryLimits, options: Pick<ParseOptions, "noLocation">) {
    super(query, { ...options, maxTokens: limits.tokens });
    this.limits = limits;
  }

  override parseSelectionSet(): SelectionSetNode {
    const set = { kind: Kind.SELECTION_SET as const, selections: [] as SelectionNode[] };
    this.expectToken(TokenKind.BRACE_L);
    if (this.open !== undefined) {
      // The last thing in a field or fragment: the loop below fills it after the field itself is done.
      this.open.push(set);
      const { levels } = this.limits;
      if (this.open.length > levels) throw new GraphQLError(`the query is nested more than ${levels} levels deep`);
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

  override parseSelection(): SelectionNode {
    const { selections } = this.limits;
    if (++this.selections > selections) throw new GraphQLError(`the query has more than ${selections} fields`);
    return super.parseSelection();
  }

  override parseValueLiteral(isConst: true): ConstValueNode;
  override parseValueLiteral(isConst: boolean): ValueNode;
  override parseValueLiteral(isConst: boolean): ValueNode {
    return this.nested(() => super.parseValueLiteral(isConst));
  }

  override parseTypeReference(): TypeNode {
    return this.nested(() => super.parseTypeReference());
  }

  private nested<T>(parse: () => T): T {
    if (++this.valueLevels > valueLevels) throw new GraphQLError("a value in the query is nested too deep");
    const parsed = parse();
    this.valueLevels--;
    return parsed;
  }
}
