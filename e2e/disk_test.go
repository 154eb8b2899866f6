package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The disk is full: meetings are refused in the envelope, those that are there
// are still found, nothing acknowledged is lost, and when there is room again
// the server goes on by itself.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := tmpfs(t, "6m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(filepath.Join(dir, "data"), "--listen", "localhost:0", "--quiet")
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, p)
	c.signIn(t, crm, crmSecret)
	acknowledged := map[string]string{}
	refused := 0
	for n := 0; refused < 20; n++ {
		externalID := fmt.Sprintf("meeting %d %s", n, strings.Repeat("x", 200))
		status, id, err := c.createOrGet(t.Context(), dora, externalID)
		switch {
		case err != nil:
			t.Fatal(err) // an answer that is no JSON, too
		case status == http.StatusCreated:
			acknowledged[externalID] = id
		case status == http.StatusInsufficientStorage || status == http.StatusServiceUnavailable:
			refused++
		default:
			t.Fatalf("%s: status %d; want 201, 507 or 503", externalID, status)
		}
		if n > 100_000 {
			t.Fatal("the disk never gets full")
		}
	}
	t.Logf("%d meetings, then full", len(acknowledged))
	checkAll(t, p, c.token, acknowledged)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status, _, err := c.createOrGet(t.Context(), dora, "there is room again"); err != nil || status != http.StatusCreated {
		t.Errorf("status %d, error %v; want 201", status, err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if p, err = start(filepath.Join(dir, "data"), "--listen", strings.TrimPrefix(p.url, "https://"), "--quiet"); err != nil {
		t.Fatal(err)
	}
	checkAll(t, p, c.token, acknowledged)
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// tmpfs mounts a small file system for the test. It needs root, or sudo that
// asks for no password.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		if os.Getuid() != 0 {
			args = append([]string{"sudo", "-n"}, args...)
		}
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s(a small disk needs root)", args, err, out)
		}
	}
	run("mount", "-t", "tmpfs", "-o", "mode=1777,size="+size, "tmpfs", dir)
	t.Cleanup(func() { run("umount", dir) })
	return dir
}
