// The parts of which pages are made, as web/README.md shows them, on a page of this server's origin.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { checkPage, launch, newPage } from "./browser.js";
import { url } from "./world.js";

const read = (path) => readFileSync(new URL(`../../web/${path}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("dist/manifest.json"));
const asset = (source) => `/${manifest[source].file}`;

// The examples and the policy are taken from the page that people copy them from.
const readme = read("README.md");
const [, parts] = [...readme.matchAll(/```html\n(.*?)```/gs)].map(([, html]) => html);
const policy = /^Content-Security-Policy: (.*)$/m.exec(readme)[1];

const sample = `<!doctype html><html lang="en"><head><meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1"><title>Parts – Convene</title>
  <link rel="stylesheet" href="${asset("src/convene.css")}">
  <link rel="icon" href="${asset("src/favicon.svg")}">
  <script type="module" src="${asset("src/convene.ts")}"></script></head>
  <body class="page">
    <header class="page-head"><span class="brand">
      <img src="${asset("src/favicon.svg")}" alt="" width="32" height="32">Convene</span></header>
    <main class="card"><h1>Parts</h1>${parts}
      <p class="notice good">It worked.</p><p class="notice">Read this. <a href="/">Or this.</a></p>
      <p class="quiet">Quiet text, and a code: <span class="code">BCDF-GHJK</span></p><pre tabindex="0">curl</pre>
      <div class="actions"><a class="button" href="/">Join</a>
        <button type="button" class="button plain" data-copy="what is copied" hidden>Copy link</button></div>
    </main>
    <footer class="page-foot">contoso.example</footer>
  </body></html>`;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(options) {
  const page = await newPage(browser, options);
  await page.route(`${url}/parts`, (route) =>
    route.fulfill({
      body: sample,
      contentType: "text/html; charset=utf-8",
      headers: { "Content-Security-Policy": policy },
    }),
  );
  await page.goto(`${url}/parts`);
  return page;
}

for (const { name, ...options } of [
  { name: "wide", viewport: { width: 1280, height: 900 } },
  { name: "wide-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "narrow", viewport: { width: 320, height: 640 } },
  { name: "narrow-dark", viewport: { width: 320, height: 640 }, colorScheme: "dark" },
  { name: "forced-colours", viewport: { width: 320, height: 640 }, forcedColors: "active" },
]) {
  test(`every part: ${name}`, async () => {
    const page = await open(options);
    try {
      await checkPage(page, `parts-${name}`);
    } finally {
      await page.context().close();
    }
  });
}

test("copying says that it was done, and what was copied is the text", async () => {
  const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
  try {
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("status").getByText("Copied.").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, "what is copied");
  } finally {
    await page.context().close();
  }
});

test("without script no button shows that could do nothing", async () => {
  const page = await open({ javaScriptEnabled: false });
  try {
    assert.equal(await page.getByRole("button", { name: "Copy link" }).count(), 0);
    await page.getByText("6 February 2031, 09:00–10:00 UTC").waitFor();
  } finally {
    await page.context().close();
  }
});

test("times are the visitor's own, and the page's words stay as their title", async () => {
  const page = await open({ timezoneId: "America/Los_Angeles", locale: "de-DE" });
  try {
    const time = page.locator("time").first();
    assert.match(await time.textContent(), /Donnerstag.*6\. Februar 2031.*01:00.*02:00/s);
    assert.equal(await time.getAttribute("title"), "6 February 2031, 09:00–10:00 UTC");
    assert.equal(await time.getAttribute("lang"), "de-DE");
  } finally {
    await page.context().close();
  }
});
