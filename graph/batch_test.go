package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/meeting"
)

type batchAnswer struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

// batchOf reads the answer of a batch, and checks what holds for every part.
func batchOf(t *testing.T, w *httptest.ResponseRecorder) []batchAnswer {
	t.Helper()
	var whole struct{ Responses []batchAnswer }
	if err := json.Unmarshal(w.Body.Bytes(), &whole); err != nil || w.Code != http.StatusOK || whole.Responses == nil {
		t.Fatalf("status %d, error %v: %s", w.Code, err, w.Body)
	}
	for _, a := range whole.Responses {
		if a.Status < 200 || a.Headers["request-id"] == "" {
			t.Errorf("part %+v", a)
		}
		if a.Status >= 400 {
			resp := &http.Response{Header: http.Header{}}
			for name, value := range a.Headers {
				resp.Header.Set(name, value)
			}
			envelope(t, resp, a.Body)
		}
	}
	return whole.Responses
}

// A store that does with each meeting what its subject says.
type acting struct {
	meeting.Store
	act func(m *meeting.Meeting)
}

func (a acting) CreateOrGet(_ context.Context, m meeting.Meeting, _ func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	a.act(&m)
	return m, true, nil
}

// actingBatch sends a batch of createOrGet, one for each externalId, to a
// handler whose store does as told.
func actingBatch(t *testing.T, log *bytes.Buffer, act func(*meeting.Meeting), externalIDs ...string) []batchAnswer {
	t.Helper()
	srv := graphtest.New(t)
	h := &graph.Handler{
		Meetings: &meeting.Service{Store: acting{act: act}, Now: func(string) time.Time { return time.Now() }},
		Identity: srv.Inside().API().Identity, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	var parts []string
	for _, id := range externalIDs {
		parts = append(parts, fmt.Sprintf(`{"id":%q,"method":"POST","url":"/me/onlineMeetings/createOrGet","headers":{"Content-Type":"application/json"},"body":{"externalId":%q}}`, id, id))
	}
	r := httptest.NewRequest(http.MethodPost, "/v1.0/$batch", strings.NewReader(`{"requests":[`+strings.Join(parts, ",")+`]}`))
	r.Header.Set("Authorization", "Bearer "+srv.UserToken("ann@contoso.example", "portal"))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), srv.Inside().Site())))
	return batchOf(t, w)
}

// A panic is an error of its own part, with a line in the log; the others are
// served. Not even the panic that ends a request ends the process.
func TestPanicOfOnePart(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	got := actingBatch(t, &log, func(m *meeting.Meeting) {
		switch m.ExternalID {
		case "panic":
			panic("a mistake of ours")
		case "abort":
			panic(http.ErrAbortHandler)
		}
	}, "a", "panic", "b", "abort", "c")
	for i, want := range []int{201, 500, 201, 500, 201} {
		if got[i].Status != want {
			t.Errorf("part %s: status %d, want %d: %s", got[i].ID, got[i].Status, want, got[i].Body)
		}
		if id := got[i].Headers["request-id"]; want == 500 && !strings.Contains(log.String(), id) {
			t.Errorf("the log has no line with %s: %s", id, &log)
		}
	}
}

// Independent parts run at the same time: none goes on before all are there.
func TestPartsRunInParallel(t *testing.T) {
	t.Parallel()
	const all = 20
	var running atomic.Int32
	full := make(chan struct{})
	var ids []string
	for i := range all {
		ids = append(ids, fmt.Sprint(i))
	}
	for _, a := range actingBatch(t, new(bytes.Buffer), func(*meeting.Meeting) {
		if running.Add(1) == all {
			close(full)
		}
		select {
		case <-full:
		case <-t.Context().Done():
		}
	}, ids...) {
		if a.Status != http.StatusCreated {
			t.Errorf("part %s: status %d", a.ID, a.Status)
		}
	}
}

// What a batch answers is bounded: what has no room is an error that says so.
func TestSizeOfBatchAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	got := actingBatch(t, new(bytes.Buffer), func(m *meeting.Meeting) { m.Subject = &long }, "1", "2", "3", "4", "5")
	made, size := 0, 0
	for _, a := range got {
		size += len(a.Body)
		if a.Status == http.StatusCreated {
			made++
		} else if a.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", a.Status)
		}
	}
	if made != 3 || size > 16<<20+4096 {
		t.Errorf("%d answers of 5, with %d bytes together", made, size)
	}
}

// Any bytes: never a 500, always an envelope, or an answer of every part that is
// an envelope where it is an error.
func FuzzBatch(f *testing.F) {
	srv := graphtest.New(f)
	tokens := []string{srv.UserToken("ann@contoso.example", "portal"), srv.AppToken("booking")}
	site := srv.Inside().Site()
	h := &graph.Handler{Meetings: srv.Inside().API().Meetings, Identity: srv.Inside().API().Identity, Log: slog.New(slog.DiscardHandler)}
	for _, body := range []string{
		`{"requests":[]}`, `[]`, `{"requests":[{"id":"1","method":"GET","url":"/me?$select=id"},{"id":"2","method":"get","url":"users?$top=1","dependsOn":["1"]}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"/me/onlineMeetings/createOrGet","headers":{"content-type":"application/json","Prefer":"x"},"body":{"externalId":"a"}}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"/users/c0ffee00-0001-4a00-8000-000000000002/onlineMeetings/createOrGet","headers":{"Content-Type":"text/plain","Accept":"*/*;q=2"},"body":"YQ=="}]}`,
		`{"requests":[{"id":"a","method":"GET","url":"//x","dependsOn":["b"]},{"id":"b","method":"\n","url":"/%zz","dependsOn":["A"]}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"/$batch","headers":{"content-type":"application/json","Content-Encoding":"gzip"},"body":{"requests":[]}}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"/users('a''b')?$filter=mail eq 'x' and&#","headers":{"Client-Request-Id":"\r\n","":""}}]}`,
	} {
		f.Add([]byte(body), byte(0))
		f.Add([]byte(body), byte(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, token byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1.0/$batch", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+tokens[int(token)%len(tokens)])
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), site)))
		if w.Code != http.StatusOK {
			if envelope(t, w.Result(), w.Body.Bytes()); w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			return
		}
		// Into maps, since encoding/json compares names of fields without regard to case.
		var whole map[string]json.RawMessage
		var asked []map[string]any
		got := batchOf(t, w)
		if err := errors.Join(json.Unmarshal(body, &whole), json.Unmarshal(whole["requests"], &asked)); err != nil || len(asked) != len(got) {
			t.Fatalf("%q is answered with %d parts; error %v", body, len(got), err)
		}
		for i, a := range got {
			if a.ID != asked[i]["id"] || a.Status >= 500 || !json.Valid(a.Body) {
				t.Errorf("%q is answered with %+v", body, a)
			}
		}
	})
}
