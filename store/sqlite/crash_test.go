package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestCrash kills a process under load, again and again.
func TestCrash(t *testing.T) {
	if crashRun(t) {
		return
	}
	crashLoop(t, 6)
}

// crashRun is what the test does in a process of its own.
func crashRun(t *testing.T) bool {
	what := os.Getenv(childVariable)
	if what == "" {
		return false
	}
	s := open(t, os.Getenv(childDir), Options{fold: 60})
	work(t, s, os.Stdout, what, 16, 1_000_000)
	return true
}

func crashLoop(t *testing.T, rounds int) {
	dir := t.TempDir()
	p := newPromises()
	for round := range rounds {
		c := child(t, fmt.Sprint("round-", round), dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var complaints strings.Builder
		c.Stderr = &complaints
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		fresh := 0
		for lines.Scan() { // also what it wrote before it died
			if !p.add(lines.Text()) {
				t.Log(lines.Text())
			} else if fresh++; fresh == 100+150*round {
				if err := c.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
		_ = c.Wait() // it was killed
		if fresh < 100+150*round {
			t.Fatalf("round %d: the process ended by itself after %d lines: %s", round, fresh, complaints.String())
		}
		if err := p.kept(dir); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// TestPromises is a test of the tests here: what is kept passes, what is not is
// found.
func TestPromises(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	var lines strings.Builder
	work(t, s, &lines, "w", 1, 20)
	p := newPromises()
	for line := range strings.Lines(lines.String()) {
		p.add(line)
	}
	threadOf := func(id string) string {
		_, m, err := s.find(context.Background(), noon, byOwner, compactGUID(benchOwner.Tenant), compactGUID(benchOwner.User), text(id))
		if err != nil {
			t.Fatal(err)
		}
		return m.ThreadID
	}
	thread := threadOf("w-0-0")
	if err := s.Delete(context.Background(), benchOwner.Tenant, threadOf("w-0-7"), "0", noon); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.kept(dir); err == nil || !strings.Contains(err.Error(), "w-0-7 is lost") {
		t.Errorf("a lost meeting: %v", err)
	}
	delete(p.made, "w-0-7")
	if err := p.kept(dir); err != nil {
		t.Errorf("all is well, but: %v", err)
	}
	for what, spoil := range map[string]func(p *promises){
		"revision 2, want 9": func(p *promises) { p.changed["w-0-0"] = 9 },
		"is back":            func(p *promises) { p.made["w-0-0"], p.deleted["w-0-0"] = thread, true },
		"has thread":         func(p *promises) { p.made["w-0-0"] = "another" },
		"record w-0":         func(p *promises) { p.applied["w-0"] = 99 },
		"record w-1":         func(p *promises) { p.applied["w-1"] = 1 },
	} {
		q := newPromises()
		spoil(q)
		if q.made["w-0-0"] == "" {
			q.made["w-0-0"] = thread
		}
		if err := q.kept(dir); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
