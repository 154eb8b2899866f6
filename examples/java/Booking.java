// One meeting for an order, with azure-identity and microsoft-graph (6.x). See ../README.md for the environment; the JVM trusts
// CONVENE_CA through a trust store (keytool -importcert, -Djavax.net.ssl.trustStore). Not run here.
import com.azure.identity.ClientSecretCredentialBuilder;
import com.microsoft.graph.models.OnlineMeeting;
import com.microsoft.graph.serviceclient.GraphServiceClient;
import com.microsoft.graph.users.item.onlinemeetings.createorget.CreateOrGetPostRequestBody;
import com.microsoft.kiota.authentication.AzureIdentityAuthenticationProvider;
import java.net.URI;
import java.time.OffsetDateTime;

public class Booking {
    public static void main(String[] args) {
        var url = System.getenv().getOrDefault("CONVENE_URL", "https://localhost:8443");
        var credential = new ClientSecretCredentialBuilder()
            .tenantId("5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10")
            .clientId("a9900000-0001-4a00-8000-000000000001")
            .clientSecret("booking-secret")
            .authorityHost(url)
            .disableInstanceDiscovery()
            .build();
        var auth = new AzureIdentityAuthenticationProvider(
            credential, new String[] {URI.create(url).getHost()}, "https://graph.microsoft.com/.default");
        var graph = new GraphServiceClient(auth);
        graph.getRequestAdapter().setBaseUrl(url + "/v1.0");
        var meetings = graph.users().byUserId("c0ffee00-0001-4a00-8000-000000000002").onlineMeetings();
        var order = "java-" + ProcessHandle.current().pid();

        var body = new CreateOrGetPostRequestBody();
        body.setExternalId(order);
        body.setSubject("Order " + order);
        var first = meetings.createOrGet().post(body);
        var again = meetings.createOrGet().post(body);
        if (!again.getId().equals(first.getId())) {
            throw new IllegalStateException("two meetings for one order");
        }

        var moved = new OnlineMeeting();
        moved.setStartDateTime(OffsetDateTime.parse("2031-02-06T09:00:00Z"));
        moved.setEndDateTime(OffsetDateTime.parse("2031-02-06T10:00:00Z"));
        meetings.byOnlineMeetingId(first.getId()).patch(moved);

        var found = meetings.get(r -> r.queryParameters.filter = "JoinWebUrl eq '" + first.getJoinWebUrl() + "'");
        if (!found.getValue().get(0).getId().equals(first.getId())) {
            throw new IllegalStateException("the link leads elsewhere");
        }

        meetings.byOnlineMeetingId(first.getId()).delete();
        System.out.println("one meeting for " + order + ": " + first.getJoinWebUrl());
    }
}
