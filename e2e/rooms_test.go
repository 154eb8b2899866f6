package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestRooms has people meet in Chromium, with fake cameras and microphones. The
// scripts run one after the other, and before the tests that run in parallel:
// whoever waits for pictures wants the machine for itself.
func TestRooms(t *testing.T) {
	scripts, err := filepath.Glob("js/room/*.test.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, error %v; want some", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".test.js"), func(t *testing.T) {
			runScript(t, "node", "--test", "--test-reporter=spec", script)
		})
	}
}
