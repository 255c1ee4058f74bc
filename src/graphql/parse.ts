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

/** Limits on one request. */
export interface QueryLimits {
  levels: number;
  /** Number of fields and fragments as written, before expansion. */
  selections: number;
  tokens: number;
}

/**
 * Limits of the embedded engine: far above what programs send, and below the nesting that JSON.stringify can write
 * (about 2,500 levels).
 */
export const queryLimits: QueryLimits = { levels: 2100, selections: 4000, tokens: 100_000 };

/**
 * Limits for reading queries to a Dagger engine, which has limits of its own. They only keep the reader from stalling.
 */
export const readingLimits: QueryLimits = { levels: 20_000, selections: 100_000, tokens: 2_000_000 };

/** Maximum nesting of lists and objects in a value, and of lists in a type. */
const valueLevels = 100;

/**
 * Parses a request. Unlike graphql-js, it parses selection sets without recursion, because an SDK's chain nests one per
 * call. Throws a `GraphQLError` for a syntax error or an exceeded limit.
 */
export function parseRequest(
  query: string,
  limits: QueryLimits,
  options: Pick<ParseOptions, "noLocation"> = {},
): DocumentNode {
  return new ChainParser(query, limits, options).parseDocument();
}

class ChainParser extends Parser {
  /** Open selection sets, the innermost last; undefined outside of any. */
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
      // A selection set ends its field or fragment, so the loop below can fill it after the field itself is complete.
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
