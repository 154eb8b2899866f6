package convene

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every row of docs/compatibility.md names a proof that exists, and every
// property and error code has a row.
func TestCompatibilityRows(t *testing.T) {
	raw, err := os.ReadFile("docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	proofs := proofs(t)
	rows := 0
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) < 4 || strings.HasPrefix(cells[1], " ---") {
			continue
		}
		state, proof := "", strings.TrimSpace(cells[len(cells)-1])
		for _, c := range cells[1:] {
			switch c = strings.TrimSpace(c); c {
			case "yes", "partial", "no":
				state = c
			}
		}
		if proof == "proof" {
			continue // the head of a table
		}
		rows++
		if state == "" {
			t.Errorf("no state: %s", line)
		}
		if !proofs[proof] {
			t.Errorf("there is no proof %q: %s", proof, line)
		}
	}
	if rows < 100 {
		t.Errorf("%d rows; want them all", rows)
	}
	for _, source := range []struct{ file, pattern string }{
		{"graph/schema.go", `(?s)typeMeeting: \{(.*?)\n\t\},`},
		{"graph/schema.go", `(?s)typeUser: \{(.*?)\n\t\},`},
		{"graph/errors.go", `(?s)const \((.*?)\n\)`},
	} {
		code, err := os.ReadFile(source.file)
		if err != nil {
			t.Fatal(err)
		}
		block := regexp.MustCompile(source.pattern).FindString(string(code))
		names := regexp.MustCompile(`(?:name: |= )"(\w+)"`).FindAllStringSubmatch(block, -1)
		if len(names) < 10 {
			t.Fatalf("%s: %d names", source.file, len(names))
		}
		for _, name := range names {
			if !strings.Contains(text, "`"+name[1]+"`") {
				t.Errorf("%s has no row", name[1])
			}
		}
	}
}

// proofs are the names of all tests, and of all exchanges of the wire's scripts.
func proofs(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	exchange := regexp.MustCompile(`(?m)^=== (.*)$`)
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == ".git" || name == "bin" {
				return filepath.SkipDir
			}
			return nil
		}
		isScript := strings.HasPrefix(path, "graph/testdata/scripts/")
		if !isScript && !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if isScript {
			for _, m := range exchange.FindAllStringSubmatch(string(raw), -1) {
				all[filepath.Base(path)+": "+m[1]] = true
			}
		}
		for _, m := range test.FindAllStringSubmatch(string(raw), -1) {
			all[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
