package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/sqlite"
)

// BenchmarkReady measures "convene dev" from exec to its ready line, and the
// memory that it holds then, on data directories of different sizes. The
// larger one, of a million meetings, takes minutes to make; it is kept where
// CONVENE_BENCH_DIR says, and shared with the benchmarks of store/sqlite.
func BenchmarkReady(b *testing.B) {
	program := filepath.Join(b.TempDir(), "convene")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, meetings := range []int{0, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("meetings=%d", meetings), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "data")
			if kept := os.Getenv("CONVENE_BENCH_DIR"); kept != "" && meetings > 0 {
				dir = filepath.Join(kept, fmt.Sprint("meetings-", meetings))
			}
			if _, err := os.Stat(filepath.Join(dir, "convene.db")); err != nil {
				fill(b, dir, meetings)
			}
			start(b, program, dir) // makes world and certificate authority
			var rss int
			for b.Loop() {
				rss = max(rss, start(b, program, dir))
			}
			b.ReportMetric(float64(rss)/1024, "MiB")
			b.ReportMetric(bytesOf(b, dir)/float64(max(meetings, 1)), "disk-B/meeting")
		})
	}
}

// start runs the program until it is ready, and returns its memory in KiB.
func start(b *testing.B, program, dir string) (rss int) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, "dev", "--quiet", "--listen", "127.0.0.1:0", "--data", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		b.Fatalf("printed %q, %v", line, err)
	}
	b.StopTimer()
	defer b.StartTimer()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			if rss, err = strconv.Atoi(strings.Fields(rest)[0]); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return rss
}

// fill makes a data directory with so many meetings of one user.
func fill(b *testing.B, dir string, meetings int) {
	b.Helper()
	store, err := sqlite.Open(b.Context(), dir, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var working sync.WaitGroup
	for range 64 {
		working.Go(func() {
			for n := next.Add(1); n <= int64(meetings); n = next.Add(1) {
				subject := "Order " + strconv.FormatInt(n, 10) + " kickoff"
				d := meeting.Draft{
					Owner:      meeting.Owner{Tenant: "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", User: "c0ffee00-0001-4a00-8000-000000000002"},
					ExternalID: "order-" + strconv.FormatInt(n, 10), Subject: &subject, TollNumber: "+1 206-555-0100", VideoInterop: true,
				}
				service := meeting.Service{Store: store, Now: func(string) time.Time { return time.Now() }}
				if _, created, err := service.CreateOrGet(context.WithoutCancel(b.Context()), d); err != nil || !created {
					b.Errorf("created %v, error %v", created, err)
					return
				}
			}
		})
	}
	working.Wait()
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

func bytesOf(b *testing.B, dir string) (total float64) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "convene.db*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		total += float64(info.Size())
	}
	return total
}
