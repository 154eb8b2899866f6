package devlogin

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/convene-meet/convene/identity"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		for range cap(g.slots) {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, maxWaiting)
		for range maxWaiting {
			go func() { ended <- g.enter(ctx) }()
		}
		synctest.Wait() // until all of them wait
		if e, ok := errors.AsType[*Error](g.enter(t.Context())); !ok || e.status != http.StatusServiceUnavailable {
			t.Errorf("one more: %v; want 503", e)
		}
		g.leave()
		if err := <-ended; err != nil {
			t.Errorf("the next in the queue: %v", err)
		}
		cancel()
		for range maxWaiting - 1 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("one who left: %v", err)
			}
		}
		for range cap(g.slots) {
			g.leave()
		}
		if len(g.queue)+len(g.slots) != 0 {
			t.Errorf("%d wait and %d are in; want none", len(g.queue), len(g.slots))
		}
	})
}

// emptyStore has nobody in it.
type emptyStore struct{ identity.Store }

func (emptyStore) Record(context.Context, identity.Kind, string, string, time.Time) (identity.Record, error) {
	return identity.Record{}, identity.ErrNoRecord
}

func (emptyStore) RecordByName(context.Context, identity.Kind, string, string, time.Time) (identity.Record, error) {
	return identity.Record{}, identity.ErrNoRecord
}

// A name that there is not is refused after a check of its password, like any
// other: with no turn at the gate there is no answer.
func TestUnknownUsersPassTheGate(t *testing.T) {
	p := &Provider{Directory: &identity.Directory{Store: emptyStore{}, Now: time.Now}, passwords: newGate()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range cap(p.passwords.slots) {
		if err := p.passwords.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"who@nowhere.example", "nobody"} {
		if _, err := p.signIn(ctx, common, name, "convene"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, the gate closed: %v; want to wait until the end", name, err)
		}
	}
}

// Who is not there, or has no password, costs as much as anybody.
func TestNobodyCostsAPassword(t *testing.T) {
	for name, user := range map[string]*identity.User{"nobody": nil, "a user without password": {}} {
		hash := passwordOf(user)
		if got, want := hash.Rounds, identity.HashPassword("x").Rounds; got != want {
			t.Errorf("%s: %d rounds; want those of a password, %d", name, got, want)
		}
		if hash.Matches("") || hash.Matches("convene") {
			t.Errorf("%s has a password", name)
		}
	}
}

func TestUserCodesAreEven(t *testing.T) {
	seen := map[rune]int{}
	for range 5000 {
		for _, r := range newUserCode() {
			seen[r]++
		}
	}
	for _, r := range userAlphabet {
		// 2000 each, with a standard deviation of 44.
		if seen[r] < 1700 || seen[r] > 2300 {
			t.Errorf("%c came %d times of 40000; want about 2000", r, seen[r])
		}
	}
	if len(seen) != len(userAlphabet) {
		t.Errorf("letters %v; want those of the alphabet", seen)
	}
}
