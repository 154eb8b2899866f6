// @azure/identity and the Graph client for JavaScript, as their documentation shows them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientSecretCredential, DeviceCodeCredential } from "@azure/identity";
import { Client, ResponseType } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import {
  ann,
  approve,
  contoso,
  crm,
  dora,
  graphDefault,
  hostname,
  meetings,
  portal,
  url,
} from "./world.js";

const settings = { authorityHost: url, disableInstanceDiscovery: true };

function graph(credential, scope) {
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [scope] }),
    baseUrl: `${url}/`,
    defaultVersion: "v1.0",
    customHosts: new Set([hostname]),
  });
}

const app = (secret = crm.secret) => new ClientSecretCredential(contoso, crm.id, secret, settings);

test("an application makes a meeting, and gets it again", async () => {
  const client = graph(app(), graphDefault);
  const request = () =>
    client.api(`/users/${dora.id}/onlineMeetings/createOrGet`).responseType(ResponseType.RAW);
  const start = new Date("2031-02-06T09:00:00Z");
  const body = { externalId: "azure-identity", subject: "Renewal", startDateTime: start };

  const first = await request().post(body);
  const second = await request().post({ ...body, subject: "Ignored" });

  assert.deepEqual([first.status, second.status], [201, 200]);
  const made = await first.json();
  const again = await second.json();
  assert.equal(again.id, made.id);
  assert.equal(again.subject, "Renewal");
  assert.equal(again.externalId, "azure-identity");
  assert.equal(new Date(again.startDateTime).getTime(), start.getTime());
  assert.equal(again.participants.organizer.identity.user.id, dora.id);
  assert.ok(again.joinWebUrl.startsWith(`${url}/l/meetup-join/`), again.joinWebUrl);
});

test("the beta version gets the meeting that v1.0 made", async () => {
  const client = graph(app(), graphDefault);
  const request = client.api(`/users/${dora.id}/onlineMeetings/createOrGet`);
  const made = await request.post({ externalId: "azure-identity-versions" });
  const found = await request.version("beta").post({ externalId: "azure-identity-versions" });
  assert.equal(found.id, made.id);
});

test("a missing policy is read as an error", async () => {
  const request = graph(app(), graphDefault).api(`/users/${ann.id}/onlineMeetings/createOrGet`);
  await assert.rejects(request.post({ externalId: "no" }), (error) => {
    assert.deepEqual([error.statusCode, error.code], [403, "Forbidden"]);
    assert.match(error.message, /^No application access policy found for this app/);
    assert.ok(error.requestId, "request id");
    assert.ok(!Number.isNaN(error.date.getTime()), "date");
    return true;
  });
});

test("a wrong secret is read as an error", async () => {
  await assert.rejects(app("not the secret").getToken(graphDefault), /AADSTS7000215/);
});

test("a user approves a device code", async () => {
  let approved;
  const credential = new DeviceCodeCredential({
    ...settings,
    tenantId: contoso,
    clientId: portal.id,
    userPromptCallback: ({ userCode, message }) => {
      assert.ok(message.includes(userCode), message);
      approved = approve(userCode, ann);
    },
  });
  const made = await graph(credential, meetings)
    .api("/me/onlineMeetings/createOrGet")
    .post({ externalId: "azure-identity-device" });
  await approved;
  assert.equal(made.participants.organizer.identity.user.id, ann.id);
});
