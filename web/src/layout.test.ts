import assert from "node:assert/strict";
import { test } from "node:test";
import { grid } from "./layout.js";

const gap = 8;
const screens = {
  "a small phone": { width: 304, height: 460 },
  "a phone on its side": { width: 640, height: 220 },
  "a laptop": { width: 1264, height: 690 },
  "a large screen": { width: 3800, height: 1900 },
};

for (const [name, area] of Object.entries(screens)) {
  test(`1 to 49 tiles are legible on ${name}`, () => {
    for (let count = 1; count <= 49; count++) {
      const { columns, width, height, scrolls } = grid(count, area, gap);
      const rows = Math.ceil(count / columns);
      assert.ok(width >= 132, `${count}: ${width} px wide`);
      assert.ok(columns * (width + gap) - gap <= area.width, `${count}: wider than the area`);
      assert.equal(rows * (height + gap) - gap > area.height, scrolls, `${count}: scrolling`);
    }
  });
}

test("one tile fills the area in one direction", () => {
  assert.deepEqual(grid(1, { width: 1600, height: 900 }, gap), {
    columns: 1,
    width: 1600,
    height: 900,
    scrolls: false,
  });
});

test("49 tiles stand on a laptop's screen without scrolling", () => {
  assert.equal(grid(49, screens["a laptop"], gap).scrolls, false);
});

test("two tiles stand side by side where it is wide, one above the other where it is high", () => {
  assert.equal(grid(2, screens["a laptop"], gap).columns, 2);
  assert.equal(grid(2, screens["a small phone"], gap).columns, 1);
});

test("an area that has not been measured yet is no trouble", () => {
  assert.deepEqual(grid(3, { width: 0, height: 0 }, gap), {
    columns: 1,
    width: 0,
    height: 0,
    scrolls: true,
  });
});
