// openid-client: a certified client that trusts nothing it has not checked.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oidc from "openid-client";
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
  meetings,
  portal,
  studio,
} from "./world.js";

const issuer = new URL(`${authority}/v2.0`);
const everything = `openid profile offline_access ${meetings}`;

test("discovery", async () => {
  const config = await oidc.discovery(issuer, booking.id, booking.secret);
  const metadata = config.serverMetadata();
  assert.equal(metadata.issuer, issuer.href);
  assert.ok(metadata.supportsPKCE());
  for (const name of ["authorization", "token", "device_authorization", "end_session"]) {
    assert.equal(new URL(metadata[`${name}_endpoint`]).origin, issuer.origin, name);
  }
});

for (const [name, authentication] of [
  ["in the form", oidc.ClientSecretPost(booking.secret)],
  ["in the header", oidc.ClientSecretBasic(booking.secret)],
]) {
  test(`client credentials, the secret ${name}`, async () => {
    const config = await oidc.discovery(issuer, booking.id, undefined, authentication);
    const tokens = await oidc.clientCredentialsGrant(config, { scope: graphDefault });
    const { status } = await createOrGet(tokens.access_token, { externalId: `oidc ${name}` }, bob);
    assert.equal(status, 201);
  });
}

test("a wrong secret is read as an error", async () => {
  const config = await oidc.discovery(issuer, booking.id, "not the secret");
  await assert.rejects(oidc.clientCredentialsGrant(config, { scope: graphDefault }), (error) => {
    assert.deepEqual([error.status, error.error], [401, "invalid_client"]);
    assert.match(error.error_description, /^AADSTS7000215: /);
    return true;
  });
});

test("device code", async () => {
  const config = await oidc.discovery(issuer, portal.id, undefined, oidc.None());
  oidc.enableNonRepudiationChecks(config);
  const device = await oidc.initiateDeviceAuthorization(config, { scope: everything });
  await approve(device.user_code, bob);
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, device);
  assert.equal(tokens.claims().oid, bob.id);
});

test("authorization code with PKCE by a confidential client, then refresh", async () => {
  const config = await oidc.discovery(issuer, studio.id, studio.secret);
  // Signatures of ID tokens are checked with the keys at jwks_uri, though TLS would do.
  oidc.enableNonRepudiationChecks(config);
  const back = await listen(Number(new URL(studio.redirect).port));
  try {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    const address = oidc.buildAuthorizationUrl(config, {
      redirect_uri: studio.redirect,
      scope: everything,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });

    const called = await visit(address, ann, back.called);

    const tokens = await oidc.authorizationCodeGrant(config, called, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    assert.deepEqual(
      { oid: claims.oid, tid: claims.tid, name: claims.preferred_username, ver: claims.ver },
      { oid: ann.id, tid: contoso, name: ann.name, ver: "2.0" },
    );

    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    const { status } = await createOrGet(renewed.access_token, { externalId: `oidc ${state}` });
    assert.equal(status, 201);
    assert.notEqual(renewed.refresh_token, tokens.refresh_token, "refresh tokens rotate");
    await assert.rejects(
      oidc.refreshTokenGrant(config, tokens.refresh_token),
      { error: "invalid_grant" },
      "a refresh token is good once",
    );
  } finally {
    back.close();
  }
});
