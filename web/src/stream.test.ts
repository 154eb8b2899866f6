import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, pause, sleep } from "./stream.js";

async function read(...chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(chunk);
      }
      controller.close();
    },
  });
  const all: unknown[] = [];
  for await (const line of lines(body)) {
    all.push(line);
  }
  return all;
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("each line is a value", async () => {
  assert.deepEqual(await read(bytes('{"a":1}\n{}\r\n\n[2]\n')), [{ a: 1 }, {}, [2]]);
});

test("lines and characters may come in parts", async () => {
  const all = bytes('{"name":"Ελένη"}\n{"b":2}\n');
  const single = Array.from(all, (byte) => Uint8Array.of(byte));
  assert.deepEqual(await read(...single), [{ name: "Ελένη" }, { b: 2 }]);
});

test("a line that was cut off is none", async () => {
  assert.deepEqual(await read(bytes('{"a":1}\n{"b":')), [{ a: 1 }]);
});

test("who stops reading cancels the stream", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes("1\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const line of lines(body)) {
    assert.equal(line, 1);
    break;
  }
  assert.ok(cancelled);
});

test("pauses grow, to three seconds at most", () => {
  const longest = [0, 1, 2, 3, 4, 50].map((attempt) => pause(attempt, () => 1));
  assert.deepEqual(longest, [300, 600, 1200, 2400, 3000, 3000]);
  assert.equal(
    pause(0, () => 0),
    180,
  );
});

test("a sleep can be cut short", async () => {
  const stop = new AbortController();
  const slept = sleep(60_000, stop.signal);
  stop.abort();
  await slept;
  await sleep(60_000, stop.signal);
});
