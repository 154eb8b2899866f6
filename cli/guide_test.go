package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTestingGuide runs the commands of docs/testing.md from its first to its
// last, as they stand there.
func TestTestingGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	var script, files strings.Builder
	blocks := regexp.MustCompile("(?s)\n```sh\n(.*?)```\n").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) < 5 {
		t.Fatalf("the guide has %d blocks of commands", len(blocks))
	}
	for _, b := range blocks {
		files.WriteString(b[1])
	}
	// A line that begins with "!" has to fail, which set -e does not ask for.
	session := regexp.MustCompile(`(?m)^! (.*?)( +#.*)?$`).ReplaceAllString(files.String(), "if $1; then echo it did not fail >&2; exit 1; fi")
	// What a comment says of an outcome holds.
	session = regexp.MustCompile(`(?m)^(convene meeting .*?) +# (created|existing).*$`).ReplaceAllString(session, "$1 | grep '^outcome  *$2'")
	fmt.Fprintf(&script, "exec bash -eu -o pipefail guide.sh\n-- guide.sh --\n%s", session)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "guide.txtar"), []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, []string{filepath.Join(dir, "guide.txtar")})
}
