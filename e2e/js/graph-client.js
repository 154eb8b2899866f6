// Microsoft's Graph client, pointed at the server by configuration alone, as the application booking.

import { ClientSecretCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import { booking, contoso, graphDefault, hostname, url } from "./world.js";

export function graphClient() {
  const credential = new ClientSecretCredential(contoso, booking.id, booking.secret, {
    authorityHost: url,
    disableInstanceDiscovery: true,
  });
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [graphDefault] }),
    baseUrl: `${url}/`,
    defaultVersion: "v1.0",
    customHosts: new Set([hostname]),
  });
}
