// One meeting for an order, with Azure.Identity and Microsoft.Graph (5.x). See ../README.md for the environment; on Linux
// SSL_CERT_FILE has to name the same file as CONVENE_CA. Not run here.
using Azure.Identity;
using Microsoft.Graph;
using Microsoft.Graph.Models;
using Microsoft.Graph.Users.Item.OnlineMeetings.CreateOrGet;
using Microsoft.Kiota.Authentication.Azure;

var url = Environment.GetEnvironmentVariable("CONVENE_URL") ?? "https://localhost:8443";
var credential = new ClientSecretCredential("5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", "a9900000-0001-4a00-8000-000000000001", "booking-secret",
    new ClientSecretCredentialOptions { AuthorityHost = new Uri(url), DisableInstanceDiscovery = true });
var auth = new AzureIdentityAuthenticationProvider(credential, allowedHosts: [new Uri(url).Host], scopes: ["https://graph.microsoft.com/.default"]);
var graph = new GraphServiceClient(auth, $"{url}/v1.0");
var meetings = graph.Users["c0ffee00-0001-4a00-8000-000000000002"].OnlineMeetings;
var order = $"csharp-{Environment.ProcessId}";

var first = await meetings.CreateOrGet.PostAsync(new CreateOrGetPostRequestBody { ExternalId = order, Subject = $"Order {order}" });
var again = await meetings.CreateOrGet.PostAsync(new CreateOrGetPostRequestBody { ExternalId = order });
if (again!.Id != first!.Id) throw new Exception("two meetings for one order");

await meetings[first.Id].PatchAsync(new OnlineMeeting
{
    StartDateTime = DateTimeOffset.Parse("2031-02-06T09:00:00Z"),
    EndDateTime = DateTimeOffset.Parse("2031-02-06T10:00:00Z"),
});
var found = await meetings.GetAsync(r => r.QueryParameters.Filter = $"JoinWebUrl eq '{first.JoinWebUrl}'");
if (found!.Value!.Single().Id != first.Id) throw new Exception("the link leads elsewhere");

await meetings[first.Id].DeleteAsync();
Console.WriteLine($"one meeting for {order}: {first.JoinWebUrl}");
