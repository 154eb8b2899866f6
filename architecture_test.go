// Package convene holds no code: its tests say how the repository is built.
// docs/architecture.md describes the rooms; here is the map that keeps it true.
package convene

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms maps each room to the rooms that it may import. "*" stands for every
// room that declares a Store. A new room is a decision: a row here, a package
// comment, and a line in docs/architecture.md.
var rooms = map[string][]string{
	"":          {},
	"meeting":   {},
	"media":     {},
	"web":       {},
	"identity":  {},
	"graph":     {"meeting", "identity"},
	"join":      {"meeting", "identity", "media", "web"},
	"world":     {"identity"},
	"lab":       {"meeting", "identity", "world", "graph"},
	"manage":    {"meeting", "identity", "world", "lab"},
	"graphtest": {"server", "world", "identity", "identity/devlogin", "lab"},
	"cli":       {"manage", "server", "lab", "media"},

	"media/livekit":         {"media"},
	"media/mediatest":       {"media"},
	"identity/devlogin":     {"identity"},
	"store/sqlite":          {"meeting", "identity", "join"},
	"store/postgres":        {"meeting", "identity", "join"},
	"store/postgres/pgtest": {},
	"store/storetest":       {"meeting", "identity", "join"},
	"cmd/convene":           {"cli", "media", "media/livekit"},
	"examples/go":           {}, // other people's code, so that it knows nothing of ours
	"server":                {"meeting", "identity", "identity/devlogin", "graph", "join", "media", "web", "world", "lab", "manage", "store/sqlite", "store/postgres"},
}

func TestRooms(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Doc", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const module = "github.com/convene-meet/convene"
	room := func(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Doc string
			Imports         []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := room(p.ImportPath)
		may, known := rooms[name]
		seen[name] = true
		if !known {
			t.Errorf("room %q is not in the map", name)
		}
		if p.Doc == "" && name != "" {
			t.Errorf("room %q has no package comment", name)
		}
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module) && !slices.Contains(may, room(path)) {
				t.Errorf("room %q imports %q, which the map does not allow", name, room(path))
			}
			if path == "github.com/go-json-experiment/json" || strings.HasPrefix(path, "github.com/livekit/") && name != "media/livekit" {
				t.Errorf("room %q imports %s", name, path)
			}
		}
	}
	for name := range rooms {
		if !seen[name] {
			t.Errorf("room %q of the map does not exist", name)
		}
	}
}
