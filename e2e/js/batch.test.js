// Batches of the Graph client for JavaScript: what its helpers send, and what they make of the answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchRequestContent,
  BatchResponseContent,
  PageIterator,
} from "@microsoft/microsoft-graph-client";
import { graphClient } from "./graph-client.js";
import { ann, bob, dora, url } from "./world.js";

const client = graphClient();

// The helper of 3.0.7 takes the host off a URL and leaves the rest: no version may stand in it.
const get = (path) => new Request(`${url}${path}`);
const createOrGet = (user, externalId) =>
  new Request(`${url}/users/${user.id}/onlineMeetings/createOrGet`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ externalId }),
  });

async function send(steps) {
  const content = new BatchRequestContent(steps);
  return new BatchResponseContent(await client.api("/$batch").post(await content.getContent()));
}

test("meetings and users come back in one answer", async () => {
  const answer = await send([
    { id: "1", request: createOrGet(ann, "js-batch") },
    { id: "2", request: createOrGet(bob, "js-batch") },
    { id: "3", request: get(`/users/${ann.id}?$select=displayName,mail`) },
    { id: "4", request: createOrGet(dora, "js-batch") },
  ]);
  const statuses = ["1", "2", "3", "4"].map((id) => answer.getResponseById(id).status);
  assert.deepEqual(statuses, [201, 201, 200, 403]);
  const made = await answer.getResponseById("1").json();
  assert.equal(made.externalId, "js-batch");
  assert.equal(made.participants.organizer.identity.user.id, ann.id);
  const person = await answer.getResponseById("3").json();
  assert.deepEqual([person.displayName, person.mail], ["Ann", ann.name]);
  const { error } = await answer.getResponseById("4").json();
  assert.equal(error.code, "Forbidden");
  assert.match(error.message, /^No application access policy found for this app/);
  assert.equal(
    error.innerError["request-id"],
    answer.getResponseById("4").headers.get("request-id"),
  );
});

test("a failed step takes those that depend on it along", async () => {
  const answer = await send([
    { id: "1", request: createOrGet(dora, "never") },
    { id: "2", request: get(`/users/${ann.id}`), dependsOn: ["1"] },
    { id: "3", request: get(`/users/${bob.id}`), dependsOn: ["2"] },
  ]);
  const statuses = ["1", "2", "3"].map((id) => answer.getResponseById(id).status);
  assert.deepEqual(statuses, [403, 424, 424]);
});

test("a URL with a version is an error that says so", async () => {
  const answer = await send([{ id: "1", request: get(`/v1.0/users/${ann.id}`) }]);
  const { error } = await answer.getResponseById("1").json();
  assert.match(error.message, /begins with a version/);
});

test("a batch that is too long is read as an error", async () => {
  const requests = Array.from({ length: 21 }, (_, i) => ({
    id: `${i}`,
    method: "GET",
    url: "/users",
  }));
  await assert.rejects(client.api("/$batch").post({ requests }), (error) => {
    assert.deepEqual([error.statusCode, error.code], [400, "MaximumValueExceeded"]);
    assert.equal(error.message, "Number of batch request steps exceeds the maximum value of 20.");
    return true;
  });
});

test("a user is found by mail, and all are listed page by page", async () => {
  const found = await client.api("/users").filter(`mail eq '${ann.name}'`).select("id").get();
  assert.deepEqual(found.value, [{ id: ann.id }]);

  const names = [];
  const first = await client.api("/users").top(4).select(["userPrincipalName"]).count(true).get();
  assert.equal(first["@odata.count"], 6);
  await new PageIterator(client, first, (user) => names.push(user.userPrincipalName)).iterate();
  assert.deepEqual(
    names,
    ["olga", "ann", "bob", "dora", "erik", "gina"].map((name) => `${name}@contoso.example`),
  );
});
