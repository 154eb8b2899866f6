import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

// What people download decides how fast they are in; this keeps it small. 1 kB is 1000 bytes.

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
}

const dist = fileURLToPath(new URL("../../../../dist/", import.meta.url));
const manifest: Record<string, Chunk> = JSON.parse(readFileSync(`${dist}manifest.json`, "utf8"));

/** reach returns the files that the browser fetches for chunks; with later, also for what they import later. */
function reach(names: readonly string[], later: boolean, seen = new Set<string>()): Set<string> {
  for (const name of names) {
    const chunk = manifest[name];
    assert.ok(chunk, `${name} was built`);
    if (!seen.has(chunk.file)) {
      seen.add(chunk.file);
      for (const css of chunk.css ?? []) {
        seen.add(css);
      }
      reach(
        [...(chunk.imports ?? []), ...(later ? (chunk.dynamicImports ?? []) : [])],
        later,
        seen,
      );
    }
  }
  return seen;
}

function kilobytes(files: Iterable<string>): number {
  let sum = 0;
  for (const file of files) {
    sum += gzipSync(readFileSync(dist + file), { level: 9 }).length;
  }
  return sum / 1000;
}

const page = ["src/convene.css", "src/convene.ts", "src/meeting.css", "src/meeting.tsx"];

test("script and style that are needed before joining are at most 90 kB", () => {
  const size = kilobytes(reach(page, false));
  assert.ok(size > 5 && size <= 90, `${size} kB`);
});

test("the whole room with what is fetched ahead is at most 330 kB", () => {
  const files = reach(page, true);
  assert.ok(
    [...files].some((file) => file.includes("media-")),
    "the engine's client is counted",
  );
  const size = kilobytes(files);
  assert.ok(size <= 330, `${size} kB`);
});
