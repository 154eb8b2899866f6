package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What scripts may rely on when they start "convene dev".

func TestReadyLineNamesTheAddressThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			p, err := start(t.TempDir(), "--listen", host+":0")
			if err != nil {
				t.Fatal(err)
			}
			at, err := url.Parse(p.url)
			if err != nil || at.Scheme != "https" || at.Hostname() != host || at.Port() == "0" || at.Path != "" {
				t.Errorf("ready %s, error %v; want https://%s:PORT", p.url, err, host)
			}
			c := newCaller(t, p)
			c.signIn(t, crm, crmSecret)
			if status, _, err := c.createOrGet(t.Context(), dora, "ready"); err != nil || status != http.StatusCreated {
				t.Errorf("status %d, error %v; want 201", status, err)
			}
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSecondProcessOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	refused(t, "--data", server.dir, "--listen", "127.0.0.1:0")
	status, _, err := fresh(t).createOrGet(t.Context(), dora, "after a second process was refused")
	if err != nil || status != http.StatusCreated {
		t.Errorf("the first answers %d, %v; want 201", status, err)
	}
}

func TestAddressThatOthersReachNeedsExpose(t *testing.T) {
	t.Parallel()
	said := refused(t, "--data", t.TempDir(), "--listen", "0.0.0.0:0")
	if !strings.Contains(said, "--expose") {
		t.Errorf("said %q; want it to name --expose", said)
	}
}

func TestWrongWorldIsRefusedByFileAndLine(t *testing.T) {
	t.Parallel()
	world := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(world, []byte("tenants:\n  - name: contoso\n    no-such-key: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := refused(t, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--world", world)
	if !strings.Contains(said, "world.yaml:3") || !strings.Contains(said, "no-such-key") {
		t.Errorf("said %q; want world.yaml:3 and no-such-key", said)
	}
}

func TestSecretsAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(server.dir, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // the database's own files come and go
		}
		if err != nil || d.IsDir() || d.Name() == "ca.pem" {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v; want nothing for others", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestForeignHostIsMisdirected(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1.0/me", "/" + contoso + "/v2.0/.well-known/openid-configuration", "/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "convene.attacker.example"
		resp, err := newCaller(t, server).http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusMisdirectedRequest || bytes.Contains(body, []byte("attacker")) {
			t.Errorf("%s: status %d, error %v, body %s; want 421 that does not repeat the host", path, resp.StatusCode, err, body)
		}
	}
}

// The banner's line is what a newcomer pastes first.
func TestBannersFirstCallWorksWhenPasted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := start(dir, "--listen", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	line := p.log.await(soon, firstCall)
	if line == "" {
		t.Fatalf("no curl line in the banner:\n%s", p.log.String())
	}
	for range 2 {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
		cmd.Dir = filepath.Dir(filepath.Dir(convene)) // where people stand when they run bin/convene
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"joinWebUrl"`) {
			t.Errorf("%s\nerror %v, printed %s; want a meeting", line, err, out)
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// firstCall finds the command that opens with curl, over all its lines, or
// returns "" as long as it is not complete.
func firstCall(banner string) string {
	var call []string
	for line := range strings.Lines(banner) {
		word := strings.TrimSpace(line)
		if len(call) == 0 && !strings.HasPrefix(word, "curl ") {
			continue
		}
		call = append(call, word)
		if strings.HasSuffix(line, "\n") && !strings.HasSuffix(word, `\`) {
			return strings.Join(call, "\n")
		}
	}
	return ""
}

// fresh returns a signed-in caller of the shared server.
func fresh(t *testing.T) *caller {
	t.Helper()
	c := newCaller(t, server)
	c.signIn(t, crm, crmSecret)
	return c
}

// refused runs "convene dev", expects it to end by itself with an error and
// without a word on standard output, and returns what it said instead.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, convene, append([]string{"dev"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || ctx.Err() != nil || stdout.Len() > 0 {
		t.Errorf("convene dev %q ended with %v, printed %q; want an error and nothing", args, err, stdout.String())
	}
	return stderr.String()
}
