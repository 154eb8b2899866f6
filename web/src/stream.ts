// Reading a stream of JSON objects, one a line.

/** lines yields each line of the body as the value that it is. Empty lines are skipped. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader();
  // One decoder for all: a character may arrive in two parts.
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const parts = rest.split("\n");
      // What follows the last line feed is not a whole line yet, and never will be once the stream is done.
      rest = parts.pop() ?? "";
      for (const part of parts) {
        if (part.trim() !== "") {
          yield JSON.parse(part);
        }
      }
      if (done) {
        return;
      }
    }
  } finally {
    // The reader may stop early; then the server should hear of it.
    await reader.cancel().catch(() => undefined);
  }
}

/** pause is how long to wait, in ms, before trying for the nth time (from 0): growing, and 3 s at most. */
export function pause(attempt: number, random: () => number = Math.random): number {
  const longest = Math.min(3000, 300 * 2 ** Math.min(attempt, 10));
  // Many pages lose the server at the same moment and should not all come back at one.
  return Math.round(longest * (0.6 + 0.4 * random()));
}

/** sleep resolves after so many ms, or when the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
  });
}
