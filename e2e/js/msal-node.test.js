// @azure/msal-node: the library under most of Microsoft's own tools.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfidentialClientApplication,
  CryptoProvider,
  PublicClientApplication,
} from "@azure/msal-node";
import { listen, visit } from "./browser.js";
import {
  ann,
  approve,
  authority,
  bob,
  booking,
  contoso,
  createOrGet,
  graphDefault,
  host,
  meetings,
  portal,
} from "./world.js";

const auth = { authority, knownAuthorities: [host] };
const publicClient = () => new PublicClientApplication({ auth: { ...auth, clientId: portal.id } });

test("client credentials", async () => {
  const client = new ConfidentialClientApplication({
    auth: { ...auth, clientId: booking.id, clientSecret: booking.secret },
  });
  const { accessToken } = await client.acquireTokenByClientCredential({ scopes: [graphDefault] });
  const first = await createOrGet(accessToken, { externalId: "msal" }, bob);
  const second = await createOrGet(accessToken, { externalId: "msal" }, bob);
  assert.deepEqual([first.status, second.status], [201, 200], JSON.stringify(first.body));
  assert.equal(second.body.id, first.body.id);

  const again = await client.acquireTokenByClientCredential({ scopes: [graphDefault] });
  assert.ok(again.fromCache, "the second token came from the cache");
});

test("device code, then silently a new token", async () => {
  const client = publicClient();
  let approved;
  const signedIn = await client.acquireTokenByDeviceCode({
    scopes: [meetings],
    deviceCodeCallback: ({ userCode }) => {
      approved = approve(userCode, bob);
    },
  });
  await approved;
  await renews(client, signedIn, bob);
});

test("user name and password", async () => {
  const signedIn = await publicClient().acquireTokenByUsernamePassword({
    scopes: [meetings],
    username: ann.name,
    password: "convene",
  });
  assert.equal(signedIn.account.username, ann.name);
});

test("authorization code with PKCE in the browser, then silently a new token", async () => {
  const client = publicClient();
  const back = await listen();
  try {
    const crypto = new CryptoProvider();
    const { verifier, challenge } = await crypto.generatePkceCodes();
    const state = crypto.createNewGuid();
    const nonce = crypto.createNewGuid();
    const request = { scopes: [meetings], redirectUri: back.redirect };
    const address = await client.getAuthCodeUrl({
      ...request,
      state,
      nonce,
      codeChallenge: challenge,
      codeChallengeMethod: "S256",
      prompt: "select_account",
    });

    const { searchParams } = await visit(address, ann, back.called);

    assert.equal(searchParams.get("state"), state);
    const code = searchParams.get("code");
    const redeem = { ...request, code, codeVerifier: verifier, nonce };
    const signedIn = await client.acquireTokenByCode(redeem);
    assert.equal(signedIn.idTokenClaims.nonce, nonce);
    await renews(client, signedIn, ann);
    await assert.rejects(
      publicClient().acquireTokenByCode(redeem),
      /AADSTS/,
      "a code is good once",
    );
  } finally {
    back.close();
  }
});

// renews checks who signed in, and that a refresh token gives a token that works.
async function renews(client, signedIn, user) {
  assert.equal(signedIn.account.username, user.name);
  assert.equal(signedIn.account.homeAccountId, `${user.id}.${contoso}`);
  assert.equal(signedIn.tenantId, contoso);
  assert.ok(signedIn.scopes.includes(meetings), `scopes ${signedIn.scopes}`);
  const { account } = signedIn;
  const renewed = await client.acquireTokenSilent({
    account,
    scopes: [meetings],
    forceRefresh: true,
  });
  assert.ok(!renewed.fromCache);
  const { status, body } = await createOrGet(renewed.accessToken, {
    externalId: `msal-${signedIn.correlationId}`,
  });
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(body.participants.organizer.identity.user.id, user.id);
}
