/**
 * Sends GraphQL requests over loopback HTTP. It uses `node:http` rather than `fetch`: a query lasts as long as the work
 * that it runs, and `fetch` gives up on response headers after 300 seconds.
 */
import http from "node:http";
import { UserError } from "../errors/index.ts";
import { type GraphqlError, toQueryError } from "./errors.ts";

export interface QueryOptions {
  signal?: AbortSignal;
  /** Attributes steps and logs to one function call; sent as header `x-fastloop-call`. */
  callId?: string;
}

/** Returns an agent that keeps one session's connections open between queries. */
export function createAgent(): http.Agent {
  return new http.Agent({ keepAlive: true, maxFreeSockets: 16 });
}

export interface Endpoint {
  port: number;
  token: string;
  agent: http.Agent;
}

interface Response {
  data?: unknown;
  errors?: GraphqlError[];
}

/**
 * Runs a query and returns its data. Throws a `QueryError` for the first error of the response, and a `UserError` when
 * the connection breaks or the answer is not GraphQL. When the signal is aborted, throws its reason.
 */
export async function query<T>(
  endpoint: Endpoint,
  document: string,
  variables: Record<string, unknown> = {},
  options: QueryOptions = {},
): Promise<T> {
  const text = await post(endpoint, JSON.stringify({ query: document, variables }), options);
  const response = parse(text);
  const error = response.errors?.[0];
  if (error !== undefined) throw toQueryError(error);
  return response.data as T;
}

function parse(text: string): Response {
  try {
    return JSON.parse(text) as Response;
  } catch (cause) {
    throw new UserError("engine-unavailable", "the engine sent a response that is not JSON", {
      detail: text.slice(0, 400),
      cause,
    });
  }
}

function post(endpoint: Endpoint, body: string, options: QueryOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      if (options.signal?.aborted === true)
        reject(options.signal.reason instanceof Error ? options.signal.reason : cause);
      else reject(connectionLost(cause));
    };
    const request = http.request(
      {
        host: "127.0.0.1",
        port: endpoint.port,
        path: "/query",
        method: "POST",
        agent: endpoint.agent,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          authorization: `Basic ${Buffer.from(`${endpoint.token}:`).toString("base64")}`,
          ...(options.callId === undefined ? {} : { "x-fastloop-call": options.callId }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const status = response.statusCode ?? 0;
          // GraphQL servers answer 4xx with a JSON body of errors when the document is wrong; that is still an answer.
          // 401 and 503 are not: they mean that the session is over.
          if (status === 503) reject(new UserError("engine-unavailable", firstMessage(text)));
          else if (status < 300 || (status !== 401 && text.startsWith("{"))) resolve(text);
          else
            reject(
              new UserError("engine-unavailable", `the engine answered ${status}`, { detail: text.slice(0, 400) }),
            );
        });
        response.on("error", fail);
      },
    );
    request.on("error", fail);
    request.end(body);
  });
}

function firstMessage(text: string): string {
  const message: unknown = parse(text).errors?.[0]?.message;
  return typeof message === "string" ? message : "the engine answered 503";
}

function connectionLost(cause: NodeJS.ErrnoException): UserError {
  return new UserError("engine-unavailable", `the connection to the engine broke (${cause.code ?? cause.message})`, {
    hint: "`fastloop engine status` shows whether the embedded engine is running, `fastloop engine logs` why not",
    cause,
  });
}
