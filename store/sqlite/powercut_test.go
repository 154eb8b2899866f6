package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestPowerCut runs the engine under strace, which writes down all it does to
// its files. Then it rebuilds what a disk could hold after a power cut, at many
// moments, from what had been flushed and any part of what had not, and has the
// engine open that: everything that was acknowledged by then has to be there.
func TestPowerCut(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		powerCutChild(t)
		return
	}
	r := random(t)
	calls, root := powerCutTrace(t, "FULL", 3)
	for _, at := range moments(calls, 100, r) {
		if err := powerCutAt(t, calls[:at], root, cut(r.IntN(int(cuts))), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPowerCutFindsLoss is the test of the test: an engine that acknowledges
// without having flushed is found out. SQLite's synchronous=NORMAL flushes when
// the log is folded, and only then.
func TestPowerCutFindsLoss(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		powerCutChild(t)
		return
	}
	for _, flush := range []string{"OFF", "NORMAL"} {
		t.Run(flush, func(t *testing.T) {
			r := random(t)
			calls, root := powerCutTrace(t, flush, 2)
			for _, at := range moments(calls, 150, r) {
				if err := powerCutAt(t, calls[:at], root, cutNothing, r); err != nil {
					t.Log(err)
					return
				}
			}
			t.Error("nothing that was not flushed was found missing")
		})
	}
}

// random draws a seed and says which, so that a failure can be had again.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

const flushVariable = "CONVENE_SQLITE_FLUSH"

// powerCutChild makes a database, works, closes it and goes on, with a log that
// is folded and begun anew as often as can be.
func powerCutChild(t *testing.T) {
	var sessions int
	if _, err := fmt.Sscan(os.Getenv(childVariable), &sessions); err != nil {
		t.Fatal(err)
	}
	for i := range sessions {
		s := open(t, filepath.Join(os.Getenv(childDir), "data"), Options{fold: 40, flush: os.Getenv(flushVariable)})
		work(t, s, os.Stdout, fmt.Sprint("session-", i), 6, 14)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func powerCutTrace(t *testing.T, flush string, sessions int) (calls []call, root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	calls = trace(t, fmt.Sprint(sessions), root, strace(t), "-E", flushVariable+"="+flush)
	// What the test relies on has to be in what it saw.
	d := newDisk(t, root)
	folded := false
	for _, c := range calls {
		folded = folded || c.name == "pwrite64" && len(d.acks) > 0 && c.args[0] == filepath.Join(root, "data", fileName)
		d.play(c)
	}
	p := newPromises()
	for _, line := range d.acks {
		p.add(line)
	}
	if len(p.made) != sessions*6*14 || !folded {
		t.Fatalf("%d meetings were made, and while others waited the log was folded: %v", len(p.made), folded)
	}
	return calls, root
}

// moments draws n of the moments between two calls.
func moments(calls []call, n int, r *rand.Rand) (all []int) {
	for range n {
		all = append(all, 1+r.IntN(len(calls)))
	}
	return all
}

// powerCutAt cuts the power after some calls and looks what is there.
func powerCutAt(t *testing.T, calls []call, root string, how cut, r *rand.Rand) error {
	t.Helper()
	d := newDisk(t, root)
	for _, c := range calls {
		d.play(c)
	}
	p := newPromises()
	for _, line := range d.acks {
		p.add(line)
	}
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	d.image(dir, how, r)
	if err := p.kept(filepath.Join(dir, "data")); err != nil && !(!p.opened && errors.Is(err, os.ErrNotExist)) {
		return fmt.Errorf("power cut %d after %d calls, with %d meetings acknowledged: %w", how, len(calls), len(p.made), err)
	}
	return nil
}
