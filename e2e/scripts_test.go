package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNode runs each script of js with Node's own test runner.
func TestNode(t *testing.T) {
	scripts, err := filepath.Glob("js/*.test.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, error %v; want some", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".test.js"), func(t *testing.T) {
			t.Parallel() // device codes are polled every few seconds
			runScript(t, "node", "--test", "--test-reporter=spec", script)
		})
	}
}

// TestNodeExtensions runs the script for what a tenant may have beyond Graph,
// with a server whose world has it.
func TestNodeExtensions(t *testing.T) {
	t.Parallel()
	world, err := exec.CommandContext(t.Context(), convene, "world", "show").Output()
	if err != nil {
		t.Fatal(err)
	}
	const domain = "    domain: contoso.example\n"
	file := filepath.Join(t.TempDir(), "world.yaml")
	changed := strings.Replace(string(world), domain, domain+"    extensions: [listMeetings]\n", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := start(t.TempDir(), "--listen", "localhost:0", "--world", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.stop(); err != nil {
			t.Error(err)
		}
	}()
	runScriptWith(t, own, "node", "--test", "--test-reporter=spec", "js/extensions/list.test.js")
}

// TestPython runs the script for the MSAL that Debian has.
func TestPython(t *testing.T) {
	t.Parallel()
	runScript(t, "/usr/bin/python3", "python/msal_test.py")
}

func runScript(t *testing.T, name string, args ...string) {
	t.Helper()
	runScriptWith(t, server, name, args...)
}

func runScriptWith(t *testing.T, server *process, name string, args ...string) {
	t.Helper()
	ca := filepath.Join(server.dir, "ca.pem")
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(),
		"CONVENE_BIN="+convene,
		"CONVENE_URL="+server.url,
		"CONVENE_DATA="+server.dir,
		"SCREENSHOTS="+screenshots(t),
		"NODE_EXTRA_CA_CERTS="+ca,
		"REQUESTS_CA_BUNDLE="+ca,
		"SSL_CERT_FILE="+ca,
		"PYTHONDONTWRITEBYTECODE=1",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
		return
	}
	t.Logf("%s", out)
}

// screenshots returns the folder for pictures of the pages, kept for people to
// look at.
func screenshots(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "convene-screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
