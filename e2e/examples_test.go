package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestExamples runs those of the examples whose tools are at hand. The one in Go
// is a test of its own.
func TestExamples(t *testing.T) {
	t.Setenv("CONVENE_CA", filepath.Join(server.dir, "ca.pem"))
	t.Run("curl", func(t *testing.T) { runScript(t, "../examples/curl/booking.sh") })
	t.Run("python", func(t *testing.T) { runScript(t, "/usr/bin/python3", "../examples/python/booking.py") })
	t.Run("typescript", func(t *testing.T) {
		// Below js, so that the clients are found there; from a copy, since types are
		// looked up from where the source is.
		dir := "js/node_modules/.cache/example"
		source, err := os.ReadFile("../examples/typescript/booking.ts")
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "booking.ts"), source, 0o644)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		compile := exec.CommandContext(t.Context(), "../web/node_modules/.bin/tsc", "--target", "es2022", "--module", "nodenext", "--strict", "--skipLibCheck",
			"--typeRoots", "../web/node_modules/@types", "--types", "node", "--outDir", filepath.Join(dir, "dist"), filepath.Join(dir, "booking.ts"))
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		runScript(t, "node", filepath.Join(dir, "dist", "booking.js"))
	})
}
