package graphtest_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/lab"
)

// book is a client that tries again when it gets no answer.
func book(url string, client *http.Client, token string) {
	for range 2 {
		r, err := http.NewRequest(http.MethodPost, url+"/v1.0/me/onlineMeetings/createOrGet", strings.NewReader(`{"externalId":"order-1"}`))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		if resp, err := client.Do(r); err == nil {
			_ = resp.Body.Close()
			return
		}
	}
}

// This is the Go part of docs/testing.md.
func TestLostAnswer(t *testing.T) {
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	tenant.Freeze(time.Date(2031, 2, 6, 9, 0, 0, 0, time.UTC))
	tenant.Fault(lab.Fault{Operation: "createOrGet", Next: 1, Cut: true, Done: true})

	book(srv.URL, srv.Client(), tenant.UserToken(tenant.Users[0].UPN)) // the code under test: it has to try again

	requests := tenant.Requests()
	if len(requests) != 2 || requests[0].Body != requests[1].Body || requests[1].Status != http.StatusOK {
		t.Errorf("the second try was not the first one again: %+v", requests)
	}
	if now := tenant.Now(); !now.Equal(time.Date(2031, 2, 6, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("it is %s", now)
	}
}

// What the guide shows of Go is what the test above does.
func TestGuideShowsTests(t *testing.T) {
	guide, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := func(s string) (all []string) {
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	have := lines(string(source))
	blocks := regexp.MustCompile("(?s)\n```go\n(.*?)```\n").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) == 0 {
		t.Fatal("the guide shows no Go")
	}
	for _, b := range blocks {
		want := lines(b[1])
		i := slices.Index(have, want[0])
		if i < 0 || i+len(want) > len(have) || !slices.Equal(have[i:i+len(want)], want) {
			t.Errorf("no test here does this:\n%s", b[1])
		}
	}
}

// What was set for a tenant goes with a reset, and a snapshot brings meetings back.
func TestConditionsAreReset(t *testing.T) {
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	token := tenant.UserToken(tenant.Users[0].UPN)
	if status := createOrGet(t, srv, token); status != http.StatusCreated {
		t.Fatalf("status %d; want 201", status)
	}
	restore := tenant.Snapshot()
	tenant.Advance(1000 * time.Hour * 24)
	tenant.PolicyDelay(time.Hour)
	tenant.Throttle(1, time.Hour)
	clear := tenant.Fault(lab.Fault{App: "portal", Status: http.StatusServiceUnavailable})
	if status := createOrGet(t, srv, token); status != http.StatusServiceUnavailable {
		t.Errorf("status %d; want 503", status)
	}
	clear()
	if status := createOrGet(t, srv, token); status != http.StatusTooManyRequests {
		t.Errorf("status %d; want 429", status)
	}
	tenant.Reset(false)
	if log := tenant.Requests(); len(log) != 0 {
		t.Errorf("the log has %+v", log)
	}
	if ahead := time.Until(tenant.Now()); ahead > time.Hour {
		t.Errorf("the clock is still %s ahead", ahead)
	}
	restore()
	if status := createOrGet(t, srv, token); status != http.StatusOK {
		t.Errorf("status %d; want 200: the snapshot has the meeting", status)
	}
}
