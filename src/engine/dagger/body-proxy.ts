/**
 * Proxy between function bodies and a Dagger engine's session, whose single token gives access to everything. The proxy
 * runs in this process, has a token of its own, rejects what bodies may not request, and forwards the rest.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import http from "node:http";
import { TokenKind, type DocumentNode } from "graphql";
import {
  refusedToBodies,
  parseRequest,
  readingLimits,
  type Endpoint,
  Refusal,
  startLoopbackServer,
  type Answer,
  type GraphqlRequest,
  type RequestContext,
} from "../../graphql/index.ts";
import { isRecipeId } from "./recipe-id.ts";

export interface BodyProxy {
  readonly port: number;
  readonly token: string;
  close(): void;
}

/** `refusal` is the answer to every request if the engine offers no way to check what bodies ask. */
export async function startBodyProxy(session: Endpoint, refusal?: string): Promise<BodyProxy> {
  const token = randomBytes(32).toString("hex");
  const known = digest(token);
  const server = await startLoopbackServer<true>({
    find: (given) => timingSafeEqual(digest(given), known) || undefined,
    onError: () => undefined,
    async answer(_client, request, context) {
      const document = parse(request.query);
      if (typeof document === "string") return failed(document);
      const refused =
        refusal ?? refusedToBodies(document) ?? (hasRecipe(document, request.variables) ? recipeRefused : undefined);
      if (refused !== undefined) return failed(refused);
      return await forward(session, { ...request, query: canonical(document) }, context);
    },
  });
  return { port: server.port, token, close: () => server.close() };
}

const recipeRefused =
  "an id that describes calls is refused to function bodies: it could reach your machine, where an engine's container sees " +
  "only itself. Instead, use the ids that the session gives";

/** Answers in the form in which the engine rejects a request. */
function failed(message: string): Answer {
  return {
    status: 200,
    text: JSON.stringify({ errors: [{ message, extensions: { code: "BODY_REFUSED" } }], data: null }),
  };
}

function parse(query: string): DocumentNode | string {
  try {
    return parseRequest(query, readingLimits);
  } catch (error) {
    if (error instanceof RangeError) return "a value in the query is nested too deep";
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Rewrites the document token by token, so that the engine parses exactly what was checked, however its parser treats
 * unusual input.
 */
function canonical(document: DocumentNode): string {
  const words: string[] = [];
  for (const token of tokens(document)) {
    const isText = token.kind === TokenKind.STRING || token.kind === TokenKind.BLOCK_STRING;
    words.push(isText ? JSON.stringify(token.value) : (token.value ?? token.kind));
  }
  return words.join(" ");
}

function* tokens({ loc }: DocumentNode) {
  for (let token = loc?.startToken.next; token && token.kind !== TokenKind.EOF; token = token.next) {
    if (token.kind !== TokenKind.COMMENT) yield token;
  }
}

function hasRecipe(document: DocumentNode, variables: unknown): boolean {
  for (const { kind, value } of tokens(document)) {
    if ((kind === TokenKind.STRING || kind === TokenKind.BLOCK_STRING) && isRecipeId(value)) return true;
  }
  const open: unknown[] = [variables];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string" && isRecipeId(value)) return true;
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) open.push(inner);
  }
  return false;
}

function forward(session: Endpoint, request: GraphqlRequest, { callId, gone }: RequestContext): Promise<Answer> {
  const body = JSON.stringify(request);
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void =>
      reject(new Refusal(502, `the connection to the engine broke (${cause.code ?? cause.message})`));
    const outgoing = http.request(
      {
        host: "127.0.0.1",
        port: session.port,
        path: "/query",
        method: "POST",
        agent: session.agent,
        signal: gone,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          authorization: `Basic ${Buffer.from(`${session.token}:`).toString("base64")}`,
          ...(callId === undefined ? {} : { "x-fastloop-call": callId }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 502, text: Buffer.concat(chunks) }));
        response.on("error", fail);
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

/** Gives all tokens the same length, which `timingSafeEqual` requires. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
