package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// me is how the SDK spells /me in the path of a user.
const me = "me-token-to-replace"

func TestGoCreateOrGet(t *testing.T) {
	t.Parallel()
	client, statuses := graphClient(t, clientSecret(t, crm, crmSecret), graphDefault)
	start := time.Date(2031, 2, 6, 9, 0, 0, 0, time.UTC)

	made := createOrGet(t, client, dora, draft(t, "Renewal", start))
	again := createOrGet(t, client, dora, draft(t, "Another subject, ignored", start.Add(time.Hour)))

	if got := statuses.seen(); len(got) != 2 || got[0] != 201 || got[1] != 200 {
		t.Errorf("statuses %v; want 201, then 200", got)
	}
	if value(made.GetId()) == "" || value(made.GetId()) != value(again.GetId()) {
		t.Errorf("ids %q and %q; want the same one", value(made.GetId()), value(again.GetId()))
	}
	for _, m := range []models.OnlineMeetingable{made, again} {
		if got := value(m.GetSubject()); got != "Renewal" {
			t.Errorf("subject %q; want that of the first call", got)
		}
		if got := value(m.GetExternalId()); got != t.Name() {
			t.Errorf("externalId %q; want %q", got, t.Name())
		}
		if got := m.GetStartDateTime(); got == nil || !got.Equal(start) {
			t.Errorf("start %v; want %v", got, start)
		}
		if got := value(m.GetJoinWebUrl()); !strings.HasPrefix(got, server.url+"/l/meetup-join/") {
			t.Errorf("joinWebUrl %q; want one at %s", got, server.url)
		}
	}
	organizer := made.GetParticipants().GetOrganizer().GetIdentity().GetUser()
	if got := value(organizer.GetId()); got != dora {
		t.Errorf("organizer %q; want dora", got)
	}
}

func TestGoErrorIsRead(t *testing.T) {
	t.Parallel()
	client, _ := graphClient(t, clientSecret(t, crm, crmSecret), graphDefault)

	_, err := client.ByUserId(ann).OnlineMeetings().CreateOrGet().Post(t.Context(), draft(t, "No", time.Now()), nil)

	var odata *odataerrors.ODataError
	if !errors.As(err, &odata) {
		t.Fatalf("error %T %v; want an ODataError", err, err)
	}
	if odata.GetStatusCode() != http.StatusForbidden {
		t.Errorf("status %d; want 403", odata.GetStatusCode())
	}
	if got := value(odata.GetErrorEscaped().GetCode()); got != "Forbidden" {
		t.Errorf("code %q; want Forbidden", got)
	}
	if got := value(odata.GetErrorEscaped().GetMessage()); !strings.HasPrefix(got, "No application access policy found for this app") {
		t.Errorf("message %q; want that of a missing policy", got)
	}
	inner := odata.GetErrorEscaped().GetInnerError()
	if inner == nil || value(inner.GetRequestId()) == "" || inner.GetDate() == nil {
		t.Errorf("inner error %+v; want a request id and a date", inner)
	}
}

func TestGoWrongSecret(t *testing.T) {
	t.Parallel()
	_, err := clientSecret(t, crm, "not the secret").GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graphDefault}})
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) {
		t.Fatalf("error %T %v; want an AuthenticationFailedError", err, err)
	}
	if !strings.Contains(failed.Error(), "AADSTS7000215") {
		t.Errorf("error %v; want AADSTS7000215 in it", failed)
	}
}

func TestGoDeviceCode(t *testing.T) {
	t.Parallel()
	cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions:            clientOptions(),
		DisableInstanceDiscovery: true,
		ClientID:                 portal,
		TenantID:                 contoso,
		UserPrompt: func(ctx context.Context, m azidentity.DeviceCodeMessage) error {
			if !strings.Contains(m.Message, m.UserCode) || !strings.Contains(m.Message, m.VerificationURL) {
				t.Errorf("message %q; want code %q and address %q in it", m.Message, m.UserCode, m.VerificationURL)
			}
			return approve(ctx, m.UserCode, annsName)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	signedIn(t, cred)
}

func TestGoUserNameAndPassword(t *testing.T) {
	t.Parallel()
	//lint:ignore SA1019 deprecated, since it cannot do multi-factor sign-in; people's tests use it all the same
	options := &azidentity.UsernamePasswordCredentialOptions{ClientOptions: clientOptions(), DisableInstanceDiscovery: true}
	cred, err := azidentity.NewUsernamePasswordCredential(contoso, portal, annsName, password, options)
	if err != nil {
		t.Fatal(err)
	}
	signedIn(t, cred)
}

// signedIn makes a meeting of Ann's own with a token that she signed in for.
func signedIn(t *testing.T, cred azcore.TokenCredential) {
	t.Helper()
	client, statuses := graphClient(t, cred, "https://graph.microsoft.com/OnlineMeetings.ReadWrite")
	m := createOrGet(t, client, me, draft(t, "My own", time.Now()))
	if got := statuses.seen(); len(got) != 1 || got[0] != 201 {
		t.Errorf("statuses %v; want one 201", got)
	}
	if got := value(m.GetParticipants().GetOrganizer().GetIdentity().GetUser().GetId()); got != ann {
		t.Errorf("organizer %q; want Ann", got)
	}
	reader, _ := graphClient(t, cred, "https://graph.microsoft.com/User.Read")
	u, err := reader.ByUserId(me).Get(t.Context(), nil)
	if err != nil || value(u.GetId()) != ann || value(u.GetUserPrincipalName()) != annsName || value(u.GetMail()) != annsName {
		t.Errorf("/me is %+v, error %v; want Ann", u, err)
	}
}

func clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: server.url}}
}

func clientSecret(t *testing.T, app, secret string) *azidentity.ClientSecretCredential {
	t.Helper()
	cred, err := azidentity.NewClientSecretCredential(contoso, app, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: clientOptions(), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

// graphClient builds what NewGraphServiceClientWithCredentialsAndHosts builds,
// for users alone: the whole SDK takes many minutes to compile.
func graphClient(t *testing.T, cred azcore.TokenCredential, scope string) (*users.UsersRequestBuilder, *statusLog) {
	t.Helper()
	base, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(cred, []string{scope}, []string{base.Hostname()})
	if err != nil {
		t.Fatal(err)
	}
	options := core.GraphClientOptions{GraphServiceLibraryVersion: "1.89.0"}
	log := &statusLog{}
	httpClient := core.GetDefaultClient(&options)
	log.next, httpClient.Transport = httpClient.Transport, log
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(auth, options, nil, nil, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	registerJSON()
	adapter.SetBaseUrl(server.url + "/v1.0")
	return users.NewUsersRequestBuilderInternal(map[string]string{"baseurl": adapter.GetBaseUrl()}, adapter), log
}

// registerJSON does once what the SDK's own client does whenever one is made.
var registerJSON = sync.OnceFunc(func() {
	abstractions.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory {
		return jsonserialization.NewJsonSerializationWriterFactory()
	})
	abstractions.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory {
		return jsonserialization.NewJsonParseNodeFactory()
	})
})

// draft asks for the meeting that belongs to the test.
func draft(t *testing.T, subject string, start time.Time) *users.ItemOnlineMeetingsCreateOrGetPostRequestBody {
	body := users.NewItemOnlineMeetingsCreateOrGetPostRequestBody()
	externalID, end := t.Name(), start.Add(30*time.Minute)
	body.SetExternalId(&externalID)
	body.SetSubject(&subject)
	body.SetStartDateTime(&start)
	body.SetEndDateTime(&end)
	return body
}

func createOrGet(t *testing.T, client *users.UsersRequestBuilder, user string, body users.ItemOnlineMeetingsCreateOrGetPostRequestBodyable) models.OnlineMeetingable {
	t.Helper()
	m, err := client.ByUserId(user).OnlineMeetings().CreateOrGet().Post(t.Context(), body, nil)
	if err != nil {
		t.Fatalf("createOrGet: %v", err)
	}
	return m
}

// A statusLog remembers the status of every answer that reaches the client.
type statusLog struct {
	next http.RoundTripper

	mu       sync.Mutex
	statuses []int
}

func (l *statusLog) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.statuses = append(l.statuses, resp.StatusCode)
	}
	return resp, err
}

func (l *statusLog) seen() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statuses
}

// value is the text, or none.
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
