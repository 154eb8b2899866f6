//go:build torture

package sqlite

import (
	"flag"
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

// TestTortureFailedFlush lets flushes fail at more places, and cuts the power
// more often.
func TestTortureFailedFlush(t *testing.T) {
	if failedFlushRun(t) {
		return
	}
	failedFlushes(t, 200, 1, 2, 3, 4, 5, 6, 8, 11, 15, 20)
}

// TestTortureCrash kills a process for a long time.
func TestTortureCrash(t *testing.T) {
	if crashRun(t) {
		return
	}
	crashLoop(t, 60)
}

// TestTortureDiskFull fills a disk over and over.
func TestTortureDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this takes root")
	}
	diskFull(t, 22)
}

// TestTortureModels does thousands of random things.
func TestTortureModels(t *testing.T) {
	checks := flag.Lookup(rapidChecks).Value
	before := checks.String()
	if err := checks.Set("2000"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(before) }()
	t.Run("meetings", TestMeetings)
	t.Run("meetings, a tiny cache", TestMeetingsWithTinyCache)
	t.Run("identity", TestIdentity)
}
