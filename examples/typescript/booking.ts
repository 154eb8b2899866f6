// One meeting for an order, with Microsoft's own clients. See ../README.md for the environment; NODE_EXTRA_CA_CERTS has to name
// the same file as CONVENE_CA.

import assert from "node:assert/strict";
import { ClientSecretCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

interface Meeting {
  id: string;
  joinWebUrl: string;
  startDateTime: string;
}

const url = process.env["CONVENE_URL"] ?? "https://localhost:8443";
const tenant = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10";
const meetings = "/users/c0ffee00-0001-4a00-8000-000000000002/onlineMeetings";
const order = `typescript-${process.pid}`;

const credential = new ClientSecretCredential(
  tenant,
  "a9900000-0001-4a00-8000-000000000001",
  "booking-secret",
  {
    authorityHost: url,
    disableInstanceDiscovery: true,
  },
);
const graph = Client.initWithMiddleware({
  authProvider: new TokenCredentialAuthenticationProvider(credential, {
    scopes: ["https://graph.microsoft.com/.default"],
  }),
  baseUrl: `${url}/`,
  defaultVersion: "v1.0",
  customHosts: new Set([new URL(url).hostname]),
});

const first: Meeting = await graph
  .api(`${meetings}/createOrGet`)
  .post({ externalId: order, subject: `Order ${order}` });
const again: Meeting = await graph.api(`${meetings}/createOrGet`).post({ externalId: order });
assert.equal(again.id, first.id);

const moved: Meeting = await graph
  .api(`${meetings}/${first.id}`)
  .patch({ startDateTime: "2031-02-06T09:00:00Z", endDateTime: "2031-02-06T10:00:00Z" });
assert.equal(moved.startDateTime, "2031-02-06T09:00:00Z");

const found: { value: Meeting[] } = await graph
  .api(meetings)
  .filter(`JoinWebUrl eq '${encodeURIComponent(first.joinWebUrl)}'`)
  .get();
assert.deepEqual(
  found.value.map((m) => m.id),
  [first.id],
);

await graph.api(`${meetings}/${first.id}`).delete();
process.stdout.write(`one meeting for ${order}: ${first.joinWebUrl}\n`);
