// What describes the API, read by the tools of those who define the formats.

import assert from "node:assert/strict";
import { request } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import csdl from "odata-csdl";
import { url } from "./world.js";

async function read(path) {
  const answer = await fetch(url + path); // without a token
  assert.equal(answer.status, 200);
  return answer.text();
}

for (const version of ["v1.0", "beta"]) {
  test(`the metadata of ${version} is CSDL`, async () => {
    const messages = [];
    const model = csdl.xml2json(await read(`/${version}/$metadata`), { strict: true, messages });
    assert.deepEqual(messages, []);
    const types = model["microsoft.graph"];
    assert.equal(types.onlineMeeting.$Kind, "EntityType");
    assert.equal(types.onlineMeeting.$BaseType, "graph.onlineMeetingBase");
    assert.equal(types.onlineMeetingBase.lobbyBypassSettings.$Type, "graph.lobbyBypassSettings");
    assert.equal(types.createOrGet[0].$Kind, "Action");
    assert.deepEqual(
      types.createOrGet[0].$Parameter.map((p) => p.$Name),
      [
        "bindingParameter",
        "chatInfo",
        "endDateTime",
        "externalId",
        "participants",
        "startDateTime",
        "subject",
      ],
    );
    assert.equal(types.lobbyBypassScope.organizationExcludingGuests, 6);
    assert.equal(types.GraphService.users.$Type, "graph.user"); // as the tool writes the namespace
  });

  test(`the OpenAPI document of ${version} is one`, async () => {
    const document = JSON.parse(await read(`/${version}/openapi.json`));
    const result = await new Validator().validate(document);
    assert.deepEqual(result.errors, undefined);
    assert.ok(result.valid);
    assert.equal(document.servers[0].url, `${url}/${version}`);
    assert.ok(document.paths["/me/onlineMeetings/createOrGet"].post);
  });
}

test("the OpenAPI document of management is one", async () => {
  const socketPath = path.join(process.env.CONVENE_DATA, "convene.sock");
  const answer = await new Promise((resolve, reject) => {
    request({ socketPath, path: "/v1/openapi.json" }, resolve).on("error", reject).end();
  });
  const document = JSON.parse(await text(answer));
  const result = await new Validator().validate(document);
  assert.deepEqual(result.errors, undefined);
  assert.ok(document.paths["/v1/faults"].post);
});
