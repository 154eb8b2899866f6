// What every script knows: where the server is, and the built-in world of "convene dev".

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run these scripts with "make e2e"`);
  }
  return value;
}

export const url = setting("CONVENE_URL");
export const host = new URL(url).host;
export const hostname = new URL(url).hostname;

export const contoso = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10";
export const authority = `${url}/${contoso}`;
export const graphDefault = "https://graph.microsoft.com/.default";
export const meetings = "https://graph.microsoft.com/OnlineMeetings.ReadWrite";

export const ann = { id: "c0ffee00-0001-4a00-8000-000000000002", name: "ann@contoso.example" };
export const bob = { id: "c0ffee00-0001-4a00-8000-000000000003", name: "bob@contoso.example" };
export const dora = { id: "c0ffee00-0001-4a00-8000-000000000004", name: "dora@contoso.example" };
export const password = "convene";

export const booking = { id: "a9900000-0001-4a00-8000-000000000001", secret: "booking-secret" };
export const crm = { id: "a9900000-0002-4a00-8000-000000000002", secret: "crm-secret" };
export const portal = { id: "a9900000-0004-4a00-8000-000000000004" };
export const studio = {
  id: "a9900000-0006-4a00-8000-000000000006",
  secret: "studio-secret",
  redirect: "http://localhost:53682/callback",
};

/** approve lets the user say yes to a device code. */
export async function approve(code, user) {
  const data = setting("CONVENE_DATA");
  await run(setting("CONVENE_BIN"), [
    "device",
    "approve",
    code,
    "--user",
    user.name,
    "--data",
    data,
  ]);
}

/** post sends JSON to Graph with a token, as any HTTP client would. */
export async function post(token, path, body) {
  const response = await fetch(`${url}/v1.0${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** createOrGet makes or finds the meeting of /me, or of a user. */
export function createOrGet(token, body, user) {
  const owner = user ? `/users/${user.id}` : "/me";
  return post(token, `${owner}/onlineMeetings/createOrGet`, body);
}
