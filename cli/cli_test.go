package cli_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/convene-meet/convene/cli"
	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/server"
	"github.com/convene-meet/convene/store/postgres/pgtest"
)

// TestMain lets scripts run the program as "convene".
func TestMain(m *testing.M) {
	testscript.Main(pgtest.Tests{M: m}, map[string]func(){"convene": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Run(ctx, cli.Program{
			Name: "convene", Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: "1.2.3",
			Getenv: os.Getenv, StdoutTerminal: false, StderrTerminal: os.Getenv("FAKE_TERMINAL") != "",
		})
		stop()
		os.Exit(code)
	}})
}

// A script is a session of commands against a server of its own, whose data
// directory is $CONVENE_DATA.
func scripts(t *testing.T, files string, options ...graphtest.Option) {
	t.Helper()
	matches, err := filepath.Glob("testdata/" + files + ".txtar")
	if err != nil || len(matches) == 0 {
		t.Fatalf("%d scripts, error %v", len(matches), err)
	}
	run(t, matches, options...)
}

func run(t *testing.T, files []string, options ...graphtest.Option) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(e *testscript.Env) error {
			tb, ok := e.T().(testing.TB)
			if !ok {
				return fmt.Errorf("%T is no testing.TB", e.T())
			}
			dir := filepath.Join(e.WorkDir, "data")
			srv := graphtest.New(tb, append(options, graphtest.With(func(c *server.Config) { c.Data = dir }))...)
			e.Setenv("CONVENE_DATA", dir)
			e.Setenv("URL", srv.URL)
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		RequireUniqueNames: true,
	})
}

func TestPolicyCommands(t *testing.T)  { t.Parallel(); scripts(t, "policy*") }
func TestMeetingCommands(t *testing.T) { t.Parallel(); scripts(t, "meeting*") }
func TestHelp(t *testing.T)            { t.Parallel(); scripts(t, "help*") }
func TestCheckCommand(t *testing.T)    { t.Parallel(); scripts(t, "check*") }
func TestManagementToken(t *testing.T) { t.Parallel(); scripts(t, "management*") }
func TestLabCommands(t *testing.T)     { t.Parallel(); scripts(t, "lab*") }

// TestLabCommandsOnPostgreSQL is the tester's kit on the other engine.
func TestLabCommandsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	scripts(t, "lab*", graphtest.With(func(c *server.Config) { c.Database = pgtest.URL(t) }))
}

func TestWorldCommands(t *testing.T) { t.Parallel(); scripts(t, "world*") }

// Completion in a real bash, at places where people press Tab.
func TestCompletion(t *testing.T) { t.Parallel(); scripts(t, "completion*") }

// What people pay for a mistake is one line, and the status says whose it is.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"nothing", 2, "unexpected argument nothing"},
		{"dev --nothing", 2, "unknown flag --nothing"},
		{"meeting create-or-get", 2, "missing flags: --external-id"},
		{"policy grant --user a --global --policy-name p", 2, "--user and --global"},
		{"token --data /nowhere", 1, "no server answers at /nowhere/convene.sock"},
		{"token --lifetime 1.5s", 2, "--lifetime: whole seconds"},
		{"token --lifetime 0s", 2, "--lifetime: whole seconds"},
		{"token --lifetime=-1s", 2, "--lifetime: whole seconds"},
		{"policy grant --user a", 2, "--policy-name"},
		{"policy grant --policy-name p", 2, "--user, --group or --global"},
		{"policy grant --policy-name p --group g --rank 0", 2, "--rank: a rank is 1 or more"},
		{"policy grant --policy-name p --global --rank 1", 2, "--rank: only a grant to a group has a rank"},
		{"policy set --identity p --tenant t", 2, "say what to change"},
		{"policy set --identity p --app-ids a --add b", 2, "not both"},
		{"token --management http://127.0.0.1:1", 2, "--management-token"},
		{"dev --listen foo", 2, `listen: "foo" is not HOST:PORT`},
		{"dev --listen 0.0.0.0:0", 2, "--expose"},
		{"dev --database foo", 2, "database: "},
		{"dev --world /nowhere.yaml", 1, "world: "},
		{"check --data /nowhere", 1, "/nowhere"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			status := cli.Run(t.Context(), cli.Program{Name: "convene", Args: strings.Fields(tt.args), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }})
			if status == 2 && !strings.Contains(stderr.String(), "\nTry: convene ") {
				t.Errorf("printed %q; want where help is", stderr.String())
			}
			if status != tt.status || !strings.Contains(stderr.String(), tt.want) || stdout.Len() > 0 {
				t.Errorf("status %d, want %d; printed %q and %q, want %q", status, tt.status, stdout.String(), stderr.String(), tt.want)
			}
		})
	}
}
