package graph

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/convene-meet/convene/meeting"
)

// What is refused is in testdata/scripts/bodies.txt. The laws: only valid JSON
// is accepted, and of that, what a draft holds, another JSON reader finds too.
func FuzzDecodeCreateOrGet(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"externalId":"a"}`, `{"externalId":"a","externalId":"b"}`, `null`, `[`, `{"externalId":"é😀\u0000"}`,
		`{"externalId":"a","startDateTime":"2031-02-06T09:00:00Z","endDateTime":null,"subject":"x"}`,
		`{"externalId":"a","participants":{"attendees":[{"upn":"u","role":"presenter","identity":{"user":{"id":"i"}}},{}]},"chatInfo":{"threadId":"19:a@thread.tacv2"}}`,
		`{"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}`, "{\"externalId\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, _, err := decodeCreateOrGet(body, Beta, true)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status() != 400 || e.Message == "" {
				t.Errorf("%q is refused with %#v; want a 400 that says what is wrong", body, err)
			}
			return
		}
		var other struct {
			ExternalID   *string `json:"externalId"`
			Subject      *string `json:"subject"`
			Participants *struct {
				Attendees []json.RawMessage `json:"attendees"`
			} `json:"participants"`
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("%q is accepted, and encoding/json says %v", body, err)
		}
		// encoding/json compares names without regard to case, so it gets only ours.
		for name := range members {
			switch name {
			case "externalId", "subject", "participants":
			default:
				delete(members, name)
			}
		}
		exact, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(exact, &other); err != nil {
			return // inside participants the two differ about what to ignore
		}
		if id := other.ExternalID; id != nil && *id != d.ExternalID || !cmp.Equal(other.Subject, d.Subject) {
			t.Errorf("%q is %+v; encoding/json reads %+v", body, d, other)
		}
	})
}

func TestDecodeCreateOrGet(t *testing.T) {
	start := time.Date(2031, 2, 6, 1, 49, 21, 352494500, time.UTC)
	subject, upn, id := "Kickoff", "test1@contoso.example", "1f35f2e6-9cab-44ad-8d5a-b74c14720000"
	got, _, err := decodeCreateOrGet([]byte(`{"startDateTime":"2031-02-06T01:49:21.3524945+00:00","subject":"Kickoff","externalId":"a",
		"participants":{"attendees":[{"identity":{"user":{"id":"1f35f2e6-9cab-44ad-8d5a-b74c14720000"}},"upn":"test1@contoso.example","role":"PRESENTER"}]}}`), V1, false)
	want := meeting.Draft{ExternalID: "a", Subject: &subject, Start: &start, Attendees: []meeting.Participant{
		{UPN: &upn, Role: meeting.RolePresenter, Identities: []meeting.Identity{{Kind: "user", ID: &id}}},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("error %v, difference %s", err, diff)
	}
}

func BenchmarkDecodeCreateOrGet(b *testing.B) {
	body := []byte(`{"externalId":"order-4711-kickoff","subject":"Order 4711 kickoff","startDateTime":"2031-02-06T09:00:00Z","endDateTime":"2031-02-06T09:30:00Z"}`)
	b.ReportAllocs()
	for b.Loop() {
		if d, _, err := decodeCreateOrGet(body, V1, false); err != nil || d.ExternalID == "" {
			b.Fatal(d, err)
		}
	}
}
