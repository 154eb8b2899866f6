// Package web is what the pages look like, what their scripts do and what they
// say: stylesheets, scripts, an icon, and the texts of each language. TypeScript,
// CSS and texts are in src; Vite builds them to dist, which is committed and
// embedded, so that a Go build needs no Node. It knows no user, decides nothing,
// and imports the standard library only.
//
// Start at [Handler], which serves the assets, [Path], which names them, and
// [Texts]. README.md lists the classes and attributes that pages may use.
package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

//go:embed dist
var dist embed.FS

// Assets returns the built files: assets/… and the manifest.
func Assets() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return built
}

// Path returns the path under which [Handler] serves an asset: "convene.css" and
// "convene.js" of every page, "meeting.css", "meeting.js" and what this fetches
// ("room.js", "media.js", "preact.js") of a meeting's, or "favicon.svg". The path
// changes with the content, so it may be cached for ever. A name that was not built panics: it is a mistake in a
// page, and any test of that page finds it.
func Path(name string) string {
	path, ok := paths()[name]
	if !ok {
		panic(fmt.Sprintf("web: no asset %q was built", name))
	}
	return path
}

// sources maps the names that pages use to what Vite calls the same thing.
var sources = map[string]string{
	"convene.css": "src/convene.css",
	"convene.js":  "src/convene.ts",
	"favicon.svg": "src/favicon.svg",
	"meeting.css": "src/meeting.css",
	"meeting.js":  "src/meeting.tsx",
	"room.js":     "src/room.tsx",
}

// shared are scripts that others import; what Vite calls them changes with their
// content.
var shared = []string{"media", "preact"}

var paths = sync.OnceValue(func() map[string]string {
	raw, err := fs.ReadFile(Assets(), "manifest.json")
	if err != nil {
		panic(err) // the build embeds it
	}
	var manifest map[string]struct {
		File string `json:"file"`
		Name string `json:"name"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		panic(fmt.Sprintf("web: manifest.json: %v", err))
	}
	all := make(map[string]string, len(sources))
	for name, source := range sources {
		if file := manifest[source].File; file != "" {
			all[name] = "/" + file
		}
	}
	for _, part := range manifest {
		if slices.Contains(shared, part.Name) {
			all[part.Name+".js"] = "/" + part.File
		}
	}
	return all
})
