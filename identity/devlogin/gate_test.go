package devlogin

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
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

// Who is not there costs as much as who is: one check of a password.
func TestNobodyCostsAPassword(t *testing.T) {
	if got, want := nobody().Rounds, 120_000; got != want {
		t.Errorf("%d rounds for nobody; want those of a password, %d", got, want)
	}
	if nobody().Matches("") || nobody().Matches("convene") {
		t.Error("nobody has a password")
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
