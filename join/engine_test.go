package join_test

import (
	"context"
	"errors"
	"testing"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

// A caller who leaves the queue writes nothing, and keeps nobody out.
func TestTurns(t *testing.T) {
	t.Parallel()
	var turns join.Turns
	done, err := turns.Take(t.Context(), "room")
	if err != nil {
		t.Fatal(err)
	}
	other, err := turns.Take(t.Context(), "another room")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := turns.Take(ctx, "room"); !errors.Is(err, meeting.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("Take of a caller who leaves: %v, want ErrUnavailable", err)
	}
	next := make(chan error)
	go func() {
		done, err := turns.Take(t.Context(), "room")
		if err == nil {
			done()
		}
		next <- err
	}()
	done()
	if err := <-next; err != nil {
		t.Errorf("Take of the next one: %v", err)
	}
}
