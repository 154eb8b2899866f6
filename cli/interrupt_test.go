package cli_test

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convene-meet/convene/cli"
)

// Ctrl-C ends the commands that read a world file, also while a pipe gives none.
func TestInterruptedWorld(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "world.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"world check ", "world apply ", "dev --world "} {
		ctx, cancel := context.WithCancel(t.Context())
		var stderr strings.Builder
		ended := make(chan int, 1)
		go func() {
			ended <- cli.Run(ctx, cli.Program{Name: "convene", Args: strings.Fields(args + pipe), Stdout: &strings.Builder{}, Stderr: &stderr, Getenv: func(string) string { return "" }})
		}()
		cancel()
		select {
		case code := <-ended:
			if code != 1 || stderr.String() != "convene: world: interrupted\n" {
				t.Errorf("%s: status %d, printed %q", args, code, &stderr)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s goes on", args)
		}
	}
}
