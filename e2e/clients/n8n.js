// The Microsoft Teams node of n8n as it is published, and around it what n8n does for a node: parameters with their
// defaults, credentials, items. What goes over the wire is written by n8n's own packages, and by its credentials.

import { randomUUID } from "node:crypto";
import Module, { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// n8n-core is n8n itself. The node's files take two functions from it for forms in a browser, which no meeting needs.
const load = Module._load;
Module._load = (name, ...rest) => (name === "n8n-core" ? {} : load(name, ...rest));

const { OutboundHttp, removeEmptyBody } = require("@n8n/backend-network");
const { ClientOAuth2 } = require("@n8n/client-oauth2");
const { Container } = require("@n8n/di");
const { NodeApiError, NodeHelpers } = require("n8n-workflow");

const published = "n8n-nodes-base/dist";
const credentialType = (name) =>
  new (require(`${published}/credentials/${name}.credentials.js`)[name])();
const servicePrincipal = credentialType("MicrosoftEntraServicePrincipalApi");
const signedIn = [credentialType("MicrosoftTeamsOAuth2Api"), credentialType("MicrosoftOAuth2Api")];

const { MicrosoftTeams } = require(`${published}/nodes/Microsoft/Teams/MicrosoftTeams.node.js`);
const teams = new MicrosoftTeams().getNodeType();

const send = (options) => Container.get(OutboundHttp).requests().requestLegacy(options);

/**
 * signIn gets a token and renews it, as the credential "Microsoft Teams OAuth2 API" does. visit takes somebody to an
 * address, and returns the one that they came back to.
 */
export async function signIn(app, authority, redirectUri, visit) {
  const properties = signedIn.flatMap((type) => type.properties);
  const preset = (name) => properties.find((property) => property.name === name).default;
  const options = {
    clientId: app.id,
    authorizationUri: `${authority}/oauth2/v2.0/authorize`,
    accessTokenUri: `${authority}/oauth2/v2.0/token`,
    authentication: preset("authentication"),
    query: Object.fromEntries(new URLSearchParams(preset("authQueryParameters"))),
    scopes: preset("enabledScopes").split(" "),
    redirectUri,
  };
  const { code } = new ClientOAuth2(options);
  const state = randomUUID();
  const back = await visit(code.getUri({ state }));
  const body = { client_id: app.id, client_secret: app.secret };
  const { data } = await code.getToken(back.href, { state, body });
  return new ClientOAuth2({ ...options, clientSecret: app.secret }).createToken(data).refresh();
}

/** withToken runs the node for somebody who signed in. */
export function withToken(token, graphApiBaseUrl) {
  return runner(
    signedIn[0].name,
    { graphApiBaseUrl },
    {
      requestOAuth2(_type, options) {
        removeEmptyBody(options);
        return send(token.sign(options));
      },
    },
  );
}

/** withSecret runs the node for an application, whose credential knows Microsoft's own hosts alone. */
export function withSecret(tenantId, app) {
  const given = { tenantId, clientId: app.id, clientSecret: app.secret };
  return runner(servicePrincipal.name, given, {
    async requestWithAuthentication(_type, options) {
      removeEmptyBody(options);
      try {
        const token = await servicePrincipal.preAuthentication(given);
        return await send(await servicePrincipal.authenticate({ ...given, ...token }, options));
      } catch (error) {
        throw new NodeApiError(this.getNode(), error);
      }
    },
  });
}

/** connectionWorks makes the request behind "Connection tested successfully" for an application's credential. */
export async function connectionWorks(tenantId, app) {
  const { url, method } = servicePrincipal.test.request;
  const given = { tenantId, clientId: app.id, clientSecret: app.secret };
  const token = await servicePrincipal.preAuthentication(given);
  const options = { baseURL: "https://graph.microsoft.com", url, method, json: true };
  return send(await servicePrincipal.authenticate(token, options));
}

function runner(authentication, credentials, helpers) {
  const context = (given) => {
    const node = {
      name: "Microsoft Teams",
      typeVersion: 2,
      parameters: { authentication, ...given },
    };
    const { properties } = teams.description;
    // As n8n does, with the defaults, and without what the node does not show.
    const parameters = NodeHelpers.getNodeParameters(
      properties,
      node.parameters,
      true,
      false,
      node,
      teams.description,
    );
    return {
      getInputData: () => [{ json: {} }],
      getNode: () => node,
      getInstanceId: () => "e2e",
      getTimezone: () => "Europe/Zurich",
      getCredentials: async () => credentials,
      continueOnFail: () => false,
      getNodeParameter(name, _item, fallback, { extractValue } = {}) {
        const value = parameters[name] ?? fallback;
        if (value === undefined) {
          throw new Error(`Could not get parameter "${name}"`);
        }
        return extractValue ? value.value : value;
      },
      helpers: {
        ...helpers,
        returnJsonArray: (data) => [data].flat().map((json) => ({ json })),
        constructExecutionMetaData: (items) => items,
      },
    };
  };
  return {
    /** run returns what the next node in a workflow would get. */
    async run(operation, given = {}) {
      const [items] = await teams.execute.call(
        context({ resource: "onlineMeeting", operation, ...given }),
      );
      return items.map(({ json }) => json);
    },
    /** users is the list behind "Organizer, from list". */
    users: (filter, page) => teams.methods.listSearch.getUsers.call(context(), filter, page),
  };
}
