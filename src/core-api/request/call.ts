import type { Ref } from "../../buildkit/types.ts";
import type { Session } from "../session.ts";
import { CallEvents } from "../solve/events.ts";
import { ApiError } from "../values/errors.ts";

/** One client's request; what a resolver may use. */
export interface Call {
  readonly session: Session;
  readonly callId?: string;
  /** A function body asks. */
  readonly isBody: boolean;
  readonly signal: AbortSignal;
  /** What this request has told reporters. */
  readonly events: CallEvents;
  /** State digest -> its evaluation, for fields of one request that need the same. */
  readonly evaluations: Map<string, Promise<Ref | undefined>>;
  /** What this request is looking at, see solve/looks.ts. */
  readonly looks: Map<object, Promise<void>>;
  /** Passes a field's value on. Throws where the answer gets too long to be one text. */
  answered(value: unknown): unknown;
}

/** A file's contents at most (Dagger's limit), and room for all else. */
const maxAnswerChars = 160 * 1024 * 1024;
/** Of all answers of a session that are not read yet. */
const maxUnreadChars = 4 * maxAnswerChars;

interface CallOptions extends Pick<Call, "callId" | "signal" | "isBody"> {
  /** Resolves when the client has read the answer or is gone. */
  isRead?: Promise<void>;
}

/** `callId` attributes events to a function call; a call ends with `signal`. */
export function newCall(session: Session, { callId, signal, isBody, isRead }: CallOptions): Call {
  const events = new CallEvents(
    { emit: (event) => session.emit(event), mask: session.secrets.mask },
    callId,
    session.tellers,
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
  return { session, callId, isBody, signal, events, evaluations: new Map(), looks: new Map(), answered };
}
