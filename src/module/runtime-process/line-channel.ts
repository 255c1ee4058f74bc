/** JSON messages, one per line, over a stream whose other end may send anything. */
import type { Duplex } from "node:stream";

/** Limit of a message, which carries results such as a file's contents; the core API accepts as much in one request. */
const maxMessageBytes = 128 * 1024 * 1024;

const newline = 0x0a;

/**
 * Calls `onMessage` with the content of each line. Calls `onBroken` once, with the reason, when reading stops: a line
 * that is not JSON, or one that is too long.
 */
export function readLines(
  stream: Duplex,
  onMessage: (message: unknown) => void,
  onBroken: (why: string) => void,
  maxBytes = maxMessageBytes,
): void {
  let pieces: Buffer[] = [];
  let sizeBytes = 0;
  const stop = (why: string): void => {
    stream.removeListener("data", onData);
    stream.resume();
    pieces = [];
    onBroken(why);
  };
  const onData = (chunk: Buffer): void => {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      pieces.push(chunk.subarray(from, end));
      from = end + 1;
      const line = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      pieces = [];
      sizeBytes = 0;
      let message: unknown;
      try {
        message = JSON.parse(line.toString("utf8"));
      } catch {
        return stop("a line that is no JSON");
      }
      onMessage(message);
    }
    if (from < chunk.length) {
      pieces.push(chunk.subarray(from));
      sizeBytes += chunk.length - from;
      if (sizeBytes > maxBytes) stop(`a message of more than ${maxBytes} bytes`);
    }
  };
  stream.on("data", onData);
}

export function writeLine(stream: Duplex, message: unknown): void {
  if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
}
