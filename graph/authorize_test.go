package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

const (
	fabrikam = "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11"
	erikID   = "c0ffee00-0001-4a00-8000-000000000005"
	ginaID   = "c0ffee00-0001-4a00-8000-000000000006"
	fredID   = "c0ffee00-0002-4a00-8000-000000000001"
	salesID  = "c0ffee00-0001-4b00-8000-000000000001"
)

// unknownMeeting is the id of a meeting of Gina's that does not exist.
var unknownMeeting = meeting.Meeting{Owner: meeting.Owner{User: ginaID}, MessageID: "0", ThreadID: "19:meeting_x@thread.v2"}.ID()

// A policyState is what is granted to gina: to herself, to her group and to
// her tenant. "yes" is a policy that lists booking, "no" one that does not, ""
// no grant.
type policyState struct{ user, group, tenant string }

// allows says what the documentation of application access policies says: the
// user's own grant counts, else the group's, else the tenant's, and never two.
func (p policyState) allows() bool {
	for _, grant := range []string{p.user, p.group, p.tenant} {
		if grant != "" {
			return grant == "yes"
		}
	}
	return false
}

// Every operation, for every sort of token, permission, policy and user.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	ctx := t.Context()
	policies := f.srv.Policies()
	for name, apps := range map[string][]string{"yes": {bookingID}, "no": {portalID}} {
		if _, err := policies.New(ctx, "test", contoso, name, apps, ""); err != nil {
			t.Fatal(err)
		}
	}
	// Gina's meeting, of which the others know nothing.
	var made struct{ ID, JoinWebURL string }
	organizer := f.sign(t, map[string]any{"roles": nil, "scp": "OnlineMeetings.ReadWrite", "appid": portalID, "oid": ginaID, "idtyp": "user"})
	if w := ask(f.srv, http.MethodPost, "/v1.0/me/onlineMeetings", organizer, `{}`); w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	} else if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	id := "/onlineMeetings/" + made.ID
	read, readAll := []string{"OnlineMeetings.Read", "OnlineMeetings.ReadWrite"}, []string{"OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"}
	write, writeAll := []string{"OnlineMeetings.ReadWrite"}, []string{"OnlineMeetings.ReadWrite.All"}
	only := func(permission string) []string { return []string{permission} }
	operations := []struct {
		name, method, path, body string
		delegated, application   []string
		own, others              []int // at Gina's path, at another's
	}{
		{"createOrGet", http.MethodPost, "/onlineMeetings/createOrGet", `{"externalId":"table"}`, write, writeAll, []int{200, 201}, []int{200, 201}},
		{"create", http.MethodPost, "/onlineMeetings", `{}`, write, writeAll, []int{201}, []int{201}},
		{"get", http.MethodGet, id, ``, read, readAll, []int{200}, []int{404}},
		{"find", http.MethodGet, "/onlineMeetings?$filter=" + url.QueryEscape("JoinWebUrl eq '"+made.JoinWebURL+"'"), ``, read, readAll, []int{200}, []int{403}},
		{"update", http.MethodPatch, id, `{"subject":"x"}`, write, writeAll, []int{200}, []int{404}},
		{"delete", http.MethodDelete, "/onlineMeetings/" + unknownMeeting, ``, write, writeAll, []int{404}, []int{404}},
		{"appointment", http.MethodGet, id + "/getVirtualAppointmentJoinWebUrl", ``,
			append([]string{"VirtualAppointment.Read", "VirtualAppointment.ReadWrite"}, read...), []string{"VirtualAppointment.Read.All", "VirtualAppointment.ReadWrite.All"}, []int{200}, []int{404}},
		{"sms", http.MethodPost, id + "/sendVirtualAppointmentSms", `{"messageType":"confirmation","attendees":[{"phoneNumber":"+1"}]}`,
			only("VirtualAppointmentNotification.Send"), only("VirtualAppointmentNotification.Send"), []int{403}, []int{404}},
		{"reports", http.MethodGet, id + "/attendanceReports", ``, only("OnlineMeetingArtifact.Read.All"), only("OnlineMeetingArtifact.Read.All"), []int{200}, []int{404}},
		{"transcripts", http.MethodGet, id + "/transcripts", ``, only("OnlineMeetingTranscript.Read.All"), only("OnlineMeetingTranscript.Read.All"), []int{200}, []int{404}},
		{"all recordings", http.MethodGet, "/onlineMeetings/getAllRecordings", ``, only("OnlineMeetingRecording.Read.All"), only("OnlineMeetingRecording.Read.All"), []int{200}, []int{200}},
	}
	permissions := []string{"", "OnlineMeetings.Read", "OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite", "OnlineMeetings.ReadWrite.All",
		"OnlineMeetingArtifact.Read.All", "OnlineMeetingTranscript.Read.All", "OnlineMeetingRecording.Read.All", "VirtualAppointment.Read",
		"VirtualAppointment.ReadWrite", "VirtualAppointment.Read.All", "VirtualAppointment.ReadWrite.All", "VirtualAppointmentNotification.Send"}
	// What a token has counts only as long as the directory grants it.
	portalHas := []string{"OnlineMeetings.ReadWrite", "OnlineMeetings.Read", "OnlineMeetingArtifact.Read.All"}
	targets := []struct {
		name, root    string
		self, known   bool // gina herself; somebody of the tenant
		disabled, app bool // the account is disabled; the path is for applications, too
	}{
		{"me", "/me", true, true, false, false},
		{"own id", "/users/" + ginaID, true, true, false, true},
		{"own id in capitals", "/users/" + strings.ToUpper(ginaID), true, true, false, true},
		{"own name", "/users/gina@contoso.example", true, true, false, true},
		{"another's id", "/users/" + annID, false, true, false, true},
		{"a disabled user", "/users/" + erikID, false, true, true, true},
		{"a user of another tenant", "/users/" + fredID, false, false, false, true},
		{"nobody", "/users/00000000-0000-4000-8000-00000000000f", false, false, false, true},
	}
	states := []policyState{}
	for _, user := range []string{"", "yes", "no"} {
		for _, group := range []string{"", "yes", "no"} {
			for _, tenant := range []string{"", "yes", "no"} {
				states = append(states, policyState{user, group, tenant})
			}
		}
	}
	grant := func(to identity.GrantTarget, target, name string) {
		if _, err := policies.Grant(ctx, "test", contoso, to, target, name, 0); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, state := range states {
		grant(identity.ToUser, ginaID, state.user)
		grant(identity.ToGroup, salesID, state.group)
		grant(identity.ToTenant, "", state.tenant)
		for _, op := range operations {
			if op.name != "createOrGet" && (state.group != "" || state.tenant == "no") {
				continue // how policies are found is the same for all
			}
			for _, kind := range []string{"none", "delegated", "application"} {
				for _, permission := range permissions {
					token := ""
					switch kind {
					case "delegated":
						token = f.sign(t, map[string]any{"roles": nil, "scp": permission, "appid": portalID, "oid": ginaID, "idtyp": "user"})
					case "application":
						token = f.sign(t, map[string]any{"roles": strings.Fields(permission)})
					}
					for _, target := range targets {
						count++
						want := []int{http.StatusUnauthorized}
						switch {
						case kind == "none":
						case kind == "application" && !target.app:
							want = []int{http.StatusBadRequest}
						case kind == "application" && !slices.Contains(op.application, permission),
							kind == "delegated" && !(slices.Contains(op.delegated, permission) && slices.Contains(portalHas, permission)):
							want = []int{http.StatusForbidden}
						case !target.known:
							want = []int{http.StatusNotFound}
						case kind == "delegated" && !target.self,
							kind == "application" && target.disabled,
							kind == "application" && target.self && !state.allows(),
							kind == "application" && !target.self && state.tenant != "yes":
							want = []int{http.StatusForbidden}
						case target.self:
							want = op.own
						default:
							want = op.others
						}
						w := ask(f.srv, op.method, "/v1.0"+target.root+op.path, token, op.body)
						if !slices.Contains(want, w.Code) {
							t.Errorf("%s, policies %+v, token %s with %q, at %s: status %d, want %v: %s", op.name, state, kind, permission, target.name, w.Code, want, w.Body)
						}
						if w.Code >= 400 {
							envelope(t, w.Result(), w.Body.Bytes())
						}
					}
				}
			}
		}
	}
	t.Log(fmt.Sprint(count), "combinations")
}
