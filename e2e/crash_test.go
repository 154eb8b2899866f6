package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
)

// Many callers ask for one meeting at the same time, each over a connection of
// its own: one made it, and all have the same.
func TestOneWinnerOverRealConnections(t *testing.T) {
	t.Parallel()
	const callers = 64
	type outcome struct {
		status int
		id     string
		err    error
	}
	outcomes := make(chan outcome, callers)
	first := newCaller(t, server)
	first.signIn(t, crm, crmSecret)
	begin := make(chan struct{})
	for range callers {
		c := newCaller(t, server)
		c.token = first.token
		go func() {
			<-begin
			status, id, err := c.createOrGet(t.Context(), dora, "everybody's")
			outcomes <- outcome{status, id, err}
		}()
	}
	close(begin)
	made, ids := 0, map[string]int{}
	for range callers {
		o := <-outcomes
		if o.err != nil || (o.status != http.StatusCreated && o.status != http.StatusOK) {
			t.Errorf("status %d, error %v; want 201 or 200", o.status, o.err)
		}
		if o.status == http.StatusCreated {
			made++
		}
		ids[o.id]++
	}
	if made != 1 || len(ids) != 1 {
		t.Errorf("%d answers of 201 and %d meetings %v; want one of each", made, len(ids), ids)
	}
}

// The server is killed again and again while it works. Whatever it had
// acknowledged is there afterwards, once, and tokens of before are still good.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	const (
		rounds  = 20
		workers = 8
		enough  = 100 // acknowledged meetings before the kill
	)
	dir := t.TempDir()
	p, err := start(dir, "--listen", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	// Tokens name their issuer, so the address has to stay the same.
	address, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	first := newCaller(t, p)
	first.signIn(t, crm, crmSecret)
	acknowledged := map[string]string{} // id by external id
	for round := range rounds {
		for externalID, id := range loadThenKill(t, p, first.token, fmt.Sprintf("round %d", round), workers, enough) {
			acknowledged[externalID] = id
		}
		if p, err = start(dir, "--listen", address.Host); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if round%5 == 4 { // each check reads everything that there is
			checkAll(t, p, first.token, acknowledged)
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d meetings acknowledged in %d rounds", len(acknowledged), rounds)
}

// loadThenKill makes meetings until enough are acknowledged, kills the server
// in the midst of it, and returns those whose answer arrived: id by external id.
func loadThenKill(t *testing.T, p *process, token, prefix string, workers, enough int) map[string]string {
	t.Helper()
	var (
		mu       sync.Mutex
		answered = map[string]string{}
		plenty   = make(chan struct{})
		idle     sync.WaitGroup
	)
	for worker := range workers {
		c := newCaller(t, p)
		c.token = token
		idle.Go(func() {
			for n := 0; ; n++ {
				externalID := fmt.Sprintf("%s, worker %d, meeting %d", prefix, worker, n)
				status, id, err := c.createOrGet(t.Context(), dora, externalID)
				if err != nil {
					return // the server is gone
				}
				if status != http.StatusCreated {
					t.Errorf("%s: status %d; want 201", externalID, status)
					return
				}
				mu.Lock()
				answered[externalID] = id
				if len(answered) == enough {
					close(plenty)
				}
				mu.Unlock()
			}
		})
	}
	gaveUp := make(chan struct{})
	go func() {
		idle.Wait()
		close(gaveUp)
	}()
	select {
	case <-plenty:
	case <-gaveUp:
		t.Errorf("%s: the server stopped answering before it was killed:\n%s", prefix, p.log.String())
	}
	p.kill()
	<-gaveUp
	return answered
}

// checkAll gets every acknowledged meeting, and expects the very same.
func checkAll(t *testing.T, p *process, token string, acknowledged map[string]string) {
	t.Helper()
	c := newCaller(t, p)
	c.token = token
	owners := map[string]string{}
	for externalID, want := range acknowledged {
		status, id, err := c.createOrGet(t.Context(), dora, externalID)
		if err != nil || status != http.StatusOK || id != want {
			t.Fatalf("%s: status %d, id %q, error %v; want 200, %q", externalID, status, id, err, want)
		}
		if other, taken := owners[id]; taken {
			t.Fatalf("%q and %q are both meeting %s", externalID, other, id)
		}
		owners[id] = externalID
	}
}
