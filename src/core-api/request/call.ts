import type { Ref } from "../../buildkit/types.ts";
import type { Session } from "../session.ts";
import { CallEvents } from "../solve/events.ts";
import { ApiError } from "../values/errors.ts";

/** One request of a client, as resolvers see it. */
export interface Call {
  readonly session: Session;
  readonly callId?: string;
  /** Whether a function body sent the request. */
  readonly isBody: boolean;
  readonly signal: AbortSignal;
  /** Reports this request's steps and logs to reporters. */
  readonly events: CallEvents;
  /** Evaluations by state digest, shared by the fields of this request that need the same tree. */
  readonly evaluations: Map<string, Promise<Ref | undefined>>;
  /** Pending inspections of edits' destinations, shared by the fields of this request; see solve/destinations.ts. */
  readonly destinationStats: Map<object, Promise<void>>;
  /**
   * Passes a field's value through and counts its length. Throws an `ApiError` when the answer becomes too long for one
   * text.
   */
  answered(value: unknown): unknown;
}

/** Maximum length of one answer: the largest file content that Dagger allows, plus room for everything else. */
const maxAnswerChars = 160 * 1024 * 1024;
/** Maximum total length of a session's unread answers. */
const maxUnreadChars = 4 * maxAnswerChars;

interface CallOptions extends Pick<Call, "callId" | "signal" | "isBody"> {
  /** Resolves when the client has read the answer or disconnected. */
  isRead?: Promise<void>;
}

/** Creates the context of one request. `callId` attributes its events to a function call; `signal` cancels it. */
export function newCall(session: Session, { callId, signal, isBody, isRead }: CallOptions): Call {
  const events = new CallEvents(
    { emit: (event) => session.emit(event), mask: session.secrets.mask },
    callId,
    session.stepClaims,
  );
  let answerChars = 0;
  const answered = (value: unknown): unknown => {
    if (typeof value !== "string") return value;
    answerChars += value.length;
    if (isRead !== undefined) session.unreadChars += value.length;
    if (session.unreadChars > maxUnreadChars)
      throw new ApiError(
        `answers of this session with more than ${maxUnreadChars} characters are not read yet: ask for less at a time`,
      );
    if (answerChars > maxAnswerChars)
      throw new ApiError(
        `the answer has more than ${maxAnswerChars} characters: ask for less in one query, or export files`,
      );
    return value;
  };
  void isRead?.then(() => (session.unreadChars -= answerChars));
  return { session, callId, isBody, signal, events, evaluations: new Map(), destinationStats: new Map(), answered };
}
