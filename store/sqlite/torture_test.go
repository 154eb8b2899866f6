//go:build torture

package sqlite

import (
	"os"
	"testing"
)

// TestTorturePowerCut cuts the power at thousands of moments, in each way.
func TestTorturePowerCut(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		powerCutChild(t)
		return
	}
	for range 5 {
		r := random(t)
		calls, root := powerCutTrace(t, "FULL", 4)
		for how := range cuts {
			for _, at := range moments(calls, 400, r) {
				if err := powerCutAt(t, calls[:at], root, how, r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
