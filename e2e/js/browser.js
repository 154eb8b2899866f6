// Chromium, driven by playwright-core. It does not read NODE_EXTRA_CA_CERTS, so it is told to take
// the server's certificate as it is; the other clients check it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { password, url } from "./world.js";

/** launch starts Chromium; close it when done. */
export function launch() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** newPage opens a page that reports what a visitor must never meet. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.troubles = [];
  page.on("pageerror", (error) => page.troubles.push(`script: ${error.message}`));
  page.on("console", (message) => {
    // A form that is refused with a 4xx is noted there, too, and is no trouble.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      page.troubles.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    const { origin, hostname } = new URL(request.url());
    if (origin !== url && hostname !== "localhost") {
      page.troubles.push(`asked another host: ${request.url()}`);
    }
  });
  return page;
}

/** signIn fills in the sign-in page, which the page shows. */
export async function signIn(page, user, secret = password) {
  await page.getByLabel("User name", { exact: true }).fill(user.name);
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** checkPage looks for what automatic checks can find wrong, and keeps a picture for people. */
export async function checkPage(page, picture) {
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${picture}.png`), fullPage: true });
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html }) => html).join("\n  ")}`,
  );
  assert.deepEqual(found, [], `${picture}: axe`);
  const { wide, room } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    room: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= room, `${picture}: ${wide} px wide on a screen of ${room}`);
  assert.deepEqual(page.troubles, [], picture);
}

/** listen waits, as an application would, for the browser to come back to its redirect address. */
export async function listen(port = 0) {
  const server = createServer();
  server.listen(port, "localhost");
  await once(server, "listening");
  const redirect = `http://localhost:${server.address().port}/callback`;
  const called = new Promise((resolve) => {
    server.on("request", (request, response) => {
      const at = new URL(request.url, redirect);
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(
        "<!doctype html><html lang=en><title>Back</title><h1>Back in the application</h1>",
      );
      if (at.pathname === "/callback") {
        resolve(at);
      }
    });
  });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { redirect, called, close };
}

/** visit signs the user in at an authorization address, and returns where the browser was sent back to. */
export async function visit(authorization, user, called) {
  const browser = await launch();
  try {
    const page = await newPage(browser);
    await page.goto(String(authorization));
    await signIn(page, user);
    const back = await called;
    assert.deepEqual(page.troubles, [], "sign-in page");
    return back;
  } finally {
    await browser.close();
  }
}
