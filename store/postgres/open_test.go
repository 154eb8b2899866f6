package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/postgres/pgtest"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// session is a connection of the test's own.
func session(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func exec(t *testing.T, c *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, setup string
		want        error
	}{
		{"synchronous_commit on", "ALTER DATABASE %s SET synchronous_commit = on", nil},
		{"synchronous_commit remote_apply", "ALTER DATABASE %s SET synchronous_commit = remote_apply", nil},
		{"synchronous_commit off", "ALTER DATABASE %s SET synchronous_commit = off", ErrUnsafe},
		{"synchronous_commit local", "ALTER DATABASE %s SET synchronous_commit = local", ErrUnsafe},
		{"another encoding", "DROP DATABASE %[1]s; CREATE DATABASE %[1]s TEMPLATE template0 ENCODING 'SQL_ASCII'", ErrUnsafe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := pgtest.URL(t)
			config, err := pgx.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			admin := session(t, strings.Replace(url, config.Database, "postgres", 1))
			for s := range strings.SplitSeq(fmt.Sprintf(tt.setup, config.Database), "; ") {
				exec(t, admin, s)
			}
			s, err := Open(context.Background(), url, Options{})
			if err == nil {
				defer s.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("Open: %v, want %v", err, tt.want)
			}
		})
	}
}

// TestSessions: what the server's configuration says later does not change a
// session that was found safe.
func TestSessions(t *testing.T) {
	s := open(t, pgtest.URL(t))
	var commit, source, isolation string
	err := s.pool.QueryRow(context.Background(), `SELECT current_setting('synchronous_commit'),
		(SELECT source FROM pg_settings WHERE name = 'synchronous_commit'), current_setting('transaction_isolation')`).Scan(&commit, &source, &isolation)
	if err != nil || commit != "on" || source != "session" || isolation != "read committed" {
		t.Errorf("synchronous_commit is %s, set by the %s; isolation is %s, error %v", commit, source, isolation, err)
	}
}

func TestOpenHidesPassword(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@127.0.0.1:1/x?sslmode=disable", "postgres://u:hunter2@127.0.0.1:port/x", "postgres://u:hunter2@h/x?pool_max_conns=many"} {
		s, err := Open(context.Background(), url, Options{})
		if err == nil {
			_ = s.Close()
			t.Fatalf("Open(%q) succeeds", url)
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(fmt.Sprintf("%+v %#v", err, errors.Unwrap(err)), "hunter2") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

// TestFirstStarts: many processes find an empty database at the same time.
func TestFirstStarts(t *testing.T) {
	url := pgtest.URL(t)
	stores := make(chan *Store, 8)
	errs := make(chan error, cap(stores))
	for range cap(stores) {
		go func() {
			s, err := Open(context.Background(), url, Options{MaxConns: 1})
			stores <- s
			errs <- err
		}()
	}
	for range cap(stores) {
		if s := <-stores; s != nil {
			defer s.Close()
		}
		if err := <-errs; err != nil {
			t.Errorf("Open: %v", err)
		}
	}
}

// TestMigrations goes up, down and up again, one step at a time.
func TestMigrations(t *testing.T) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	p, end, err := newProvider(pool)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	relations := func() (n int) {
		err := pool.QueryRow(ctx, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'goose%'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	sources := p.ListSources()
	var sizes []int
	for range sources {
		sizes = append(sizes, relations())
		if _, err := p.UpByOne(ctx); err != nil {
			t.Fatal(err)
		}
		if relations() == sizes[len(sizes)-1] {
			t.Error("a migration made nothing")
		}
	}
	for i := range sources {
		if _, err := p.Down(ctx); err != nil {
			t.Fatal(err)
		}
		if got, want := relations(), sizes[len(sizes)-1-i]; got != want {
			t.Errorf("%d relations after a step down, %d before the step up", got, want)
		}
	}
	if _, err := p.Up(ctx); err != nil {
		t.Error(err)
	}
}

func TestOpenNewer(t *testing.T) {
	url := pgtest.URL(t)
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, session(t, url), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	if s, err := Open(context.Background(), url, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("Open of a newer schema: %v, %v; want ErrNewer", s, err)
	}
}

// TestErrors: what the server says becomes what callers know.
func TestErrors(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	c := session(t, url)
	exec(t, c, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = TG_ARGV[0]; END $$`)
	for code, want := range map[string]error{"53100": meeting.ErrFull, "53200": meeting.ErrUnavailable, "XX000": meeting.ErrUnavailable, "25006": meeting.ErrUnavailable} {
		exec(t, c, "DROP TRIGGER IF EXISTS fail ON meetings", "DROP TRIGGER IF EXISTS fail ON records",
			"CREATE TRIGGER fail BEFORE INSERT ON meetings EXECUTE FUNCTION fail('"+code+"')",
			"CREATE TRIGGER fail BEFORE INSERT ON records EXECUTE FUNCTION fail('"+code+"')")
		if _, _, err := s.CreateOrGet(context.Background(), newMeeting(t, "x"), meeting.Numbers(false)); !errors.Is(err, want) {
			t.Errorf("CreateOrGet, SQLSTATE %s: %v, want %v", code, err, want)
		}
		err := s.Apply(context.Background(), noon, []identity.Change{{Record: identity.Record{Kind: identity.KindUser, ID: "x"}}})
		if !errors.Is(err, want) {
			t.Errorf("Apply, SQLSTATE %s: %v, want %v", code, err, want)
		}
	}
	exec(t, c, "DROP TRIGGER fail ON meetings")
	if _, created, err := s.CreateOrGet(context.Background(), newMeeting(t, "x"), meeting.Numbers(false)); err != nil || !created {
		t.Errorf("CreateOrGet afterwards: created %v, error %v", created, err)
	}
}

// TestNoDeadlock: changes of the same records in opposite orders all take place.
func TestNoDeadlock(t *testing.T) {
	s := open(t, pgtest.URL(t))
	a, b := identity.Record{Kind: identity.KindSession, ID: "a"}, identity.Record{Kind: identity.KindSession, ID: "b"}
	change := func(r identity.Record) identity.Change {
		return identity.Change{Record: r, Expect: identity.AnyRevision}
	}
	errs := make(chan error, 4)
	for i := range cap(errs) {
		go func() {
			both := []identity.Change{change(a), change(b)}
			if i%2 == 1 {
				both = []identity.Change{change(b), change(a)}
			}
			var err error
			for range 50 {
				err = errors.Join(err, s.Apply(context.Background(), noon, both))
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if r, err := s.Record(context.Background(), a.Kind, "", "a", noon); err != nil || r.Revision != 200 {
		t.Errorf("revision %d after 200 changes, error %v", r.Revision, err)
	}
}

// TestUpdateMeetsSuccessor: between the look and the write of an update the
// meeting was deleted and another one made with the same thread and revision.
// That is what change has to be given then.
func TestUpdateMeetsSuccessor(t *testing.T) {
	ctx := context.Background()
	s := open(t, pgtest.URL(t))
	draw := func(m *meeting.Meeting) { m.ThreadID, m.MessageID = "19:same@thread.v2", "0" }
	first, _, err := s.CreateOrGet(ctx, newMeeting(t, "first"), draw)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	m, err := s.Update(ctx, first.Tenant, first.ThreadID, "0", noon, func(m *meeting.Meeting) error {
		seen = append(seen, m.ExternalID)
		m.Passcode = "changed"
		if len(seen) > 1 {
			return nil
		}
		if err := s.Delete(ctx, m.Tenant, m.ThreadID, m.MessageID, noon); err != nil {
			return err
		}
		_, _, err := s.CreateOrGet(ctx, newMeeting(t, "second"), draw)
		return err
	})
	if err != nil || fmt.Sprint(seen) != "[first second]" || m.ExternalID != "second" || m.Revision != 2 {
		t.Errorf("Update saw %v and returned %q with revision %d, error %v", seen, m.ExternalID, m.Revision, err)
	}
}
