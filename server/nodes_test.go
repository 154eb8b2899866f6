package server_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/server"
	"github.com/convene-meet/convene/store/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// Two processes on one PostgreSQL database are two nodes of one system, also
// when both start for the first time: a token of one is good at the other, a
// meeting is made once, and what one refuses from now on, the other does within
// a second.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	nodes := make([]*graphtest.Server, 2)
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() {
			nodes[i] = graphtest.New(t, graphtest.With(func(c *server.Config) {
				c.Database, c.PublicURL, c.MakeKey = database, "https://meet.contoso.example", nil
			}))
		})
	}
	starting.Wait()
	if t.Failed() || nodes[0] == nil || nodes[1] == nil {
		t.FailNow()
	}
	client := nodes[0].Client()
	other := nodes[1].Client()
	ask := func(c *http.Client, node *graphtest.Server, token, externalID string) int {
		address := node.Inside().Addr().String()
		status, _, _ := do(t, c, http.MethodPost, "https://"+address+"/v1.0/users/"+annID+"/onlineMeetings/createOrGet", "", token, `{"externalId":"`+externalID+`"}`)
		return status
	}
	token := nodes[0].AppToken("crm")
	if _, err := nodes[1].Policies().Grant(t.Context(), "test", contoso, identity.ToUser, annID, "Crm-policy", 0); err != nil {
		t.Fatal(err)
	}
	statuses := make(chan int)
	const each = 16
	for range each {
		go func() { statuses <- ask(other, nodes[1], token, "one") }()
	}
	made := 0
	for range each {
		switch got := <-statuses; got {
		case http.StatusCreated:
			made++
		case http.StatusOK:
		default:
			t.Errorf("status %d; want 201 or 200", got)
		}
	}
	until := time.Now().Add(10 * time.Second)
	got := 0
	for got != http.StatusOK && time.Now().Before(until) { // the first node learns of the grant within a second
		got = ask(client, nodes[0], token, "one")
	}
	if made != 1 || got != http.StatusOK {
		t.Errorf("made %d times at one node, status %d at the other; want once and 200", made, got)
	}
	if _, err := nodes[0].Policies().Grant(t.Context(), "test", contoso, identity.ToUser, annID, "", 0); err != nil {
		t.Fatal(err)
	}
	if got := ask(client, nodes[0], token, "one"); got != http.StatusForbidden {
		t.Errorf("at the node that took the change: status %d, want 403", got)
	}
	changed := time.Now()
	for got = 0; got != http.StatusForbidden && time.Now().Before(until); {
		got = ask(other, nodes[1], token, "one")
	}
	t.Logf("the other node refuses after %v", time.Since(changed))
	if got != http.StatusForbidden {
		t.Errorf("at the other node: status %d, want 403", got)
	}
}

// A second process on one data directory is refused, whatever the database.
func TestDataDirectoryIsOneProcess(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"sqlite": "", "postgres": pgtest.URL(t), "sqlite elsewhere": "sqlite:" + t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := server.Default()
			cfg.Listen, cfg.Data, cfg.Database = "127.0.0.1:0", t.TempDir(), database
			first, err := server.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := server.New(t.Context(), cfg); err == nil {
				t.Error("a second one was let in", second.Close())
			}
			if err := first.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
