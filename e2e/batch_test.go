package e2e

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

const (
	booking       = "a9900000-0001-4a00-8000-000000000001"
	bookingSecret = "booking-secret"
)

// registerErrors does once what the SDK's own client does for batches.
var registerErrors = sync.OnceValue(func() error {
	return core.RegisterError(core.BatchRequestErrorRegistryKey, abstractions.ErrorMappings{
		"4XX": odataerrors.CreateODataErrorFromDiscriminatorValue, "5XX": odataerrors.CreateODataErrorFromDiscriminatorValue,
	})
})

// The Go SDK sends a batch, gzipped like everything else, and reads a meeting, a
// user and an error out of what comes back.
func TestGoBatch(t *testing.T) {
	t.Parallel()
	client, statuses := graphClient(t, clientSecret(t, booking, bookingSecret), graphDefault)
	if err := registerErrors(); err != nil {
		t.Fatal(err)
	}
	batch := core.NewBatchRequest(client.RequestAdapter)
	step := func(info *abstractions.RequestInformation, err error) core.BatchItem {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		item, err := batch.AddBatchRequestStep(*info)
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
	create := func(user string) core.BatchItem {
		return step(client.ByUserId(user).OnlineMeetings().CreateOrGet().ToPostRequestInformation(t.Context(), draft(t, "Batched", time.Now()), nil))
	}
	made := create(ann)
	again := create(ann)
	again.DependsOnItem(made)
	refused := create(dora)
	never := step(client.ByUserId(ann).ToGetRequestInformation(t.Context(), nil))
	never.DependsOnItem(refused)
	person := step(client.ByUserId(ann).ToGetRequestInformation(t.Context(), &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"displayName", "mail"}},
	}))

	answer, err := batch.Send(t.Context(), client.RequestAdapter)
	if err != nil {
		t.Fatal(err)
	}

	if got := statuses.seen(); len(got) != 1 || got[0] != http.StatusOK {
		t.Errorf("statuses %v; want one 200", got)
	}
	for _, tt := range []struct {
		name   string
		item   core.BatchItem
		status int32
		code   string
	}{
		{"made", made, 201, ""}, {"again", again, 200, ""}, {"person", person, 200, ""},
		{"refused", refused, 403, "Forbidden"}, {"never", never, 424, "FailedDependency"},
	} {
		item := answer.GetResponseById(*tt.item.GetId())
		if item == nil || item.GetStatus() == nil || *item.GetStatus() != tt.status {
			t.Errorf("%s: %+v; want status %d", tt.name, item, tt.status)
			continue
		}
		if tt.code == "" {
			continue
		}
		_, err := core.GetBatchResponseById[models.OnlineMeetingable](answer, *tt.item.GetId(), models.CreateOnlineMeetingFromDiscriminatorValue)
		var odata *odataerrors.ODataError
		if !errors.As(err, &odata) || value(odata.GetErrorEscaped().GetCode()) != tt.code {
			t.Errorf("%s: error %T %v; want an ODataError %s", tt.name, err, err, tt.code)
		}
	}
	var ids []string
	for _, item := range []core.BatchItem{made, again} {
		m, err := core.GetBatchResponseById[models.OnlineMeetingable](answer, *item.GetId(), models.CreateOnlineMeetingFromDiscriminatorValue)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, value(m.GetId()))
	}
	if ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("ids %q; want the same one", ids)
	}
	u, err := core.GetBatchResponseById[models.Userable](answer, *person.GetId(), models.CreateUserFromDiscriminatorValue)
	if err != nil || value(u.GetMail()) != annsName || value(u.GetDisplayName()) != "Ann" {
		t.Errorf("user %+v, error %v; want Ann", u, err)
	}
}

// The Go SDK finds a user by mail, and lists all of them page by page.
func TestGoUsers(t *testing.T) {
	t.Parallel()
	client, _ := graphClient(t, clientSecret(t, booking, bookingSecret), graphDefault)
	filter, top, count := "mail eq '"+annsName+"'", int32(4), true
	found, err := client.Get(t.Context(), &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Filter: &filter, Count: &count},
	})
	if err != nil {
		t.Fatal(err)
	}
	if all := found.GetValue(); len(all) != 1 || value(all[0].GetId()) != ann || *found.GetOdataCount() != 1 || found.GetOdataNextLink() != nil {
		t.Errorf("found %+v; want Ann alone", found)
	}
	first, err := client.Get(t.Context(), &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Top: &top, Select: []string{"id", "userPrincipalName"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := core.NewPageIterator[models.Userable](first, client.RequestAdapter, models.CreateUserCollectionResponseFromDiscriminatorValue)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := pages.Iterate(t.Context(), func(u models.Userable) bool {
		names = append(names, value(u.GetUserPrincipalName()))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(names) != 6 || names[0] != "olga@contoso.example" || names[5] != "gina@contoso.example" {
		t.Errorf("users %q; want all six of contoso", names)
	}
}
