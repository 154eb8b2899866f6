package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// contentTypes is a list of our own: that of the machine may say anything.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Handler serves the assets under /assets/. Their names carry a hash of their
// content, so browsers may keep them for ever. Every other path is a page that
// says so, with 404.
func Handler() http.Handler {
	assets := Assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writePage(w, http.StatusMethodNotAllowed, "This file can only be read")
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		kind, known := contentTypes[path.Ext(name)]
		content, err := fs.ReadFile(assets, name)
		if !known || err != nil || !strings.HasPrefix(name, "assets/") {
			writePage(w, http.StatusNotFound, "There is no such file")
			return
		}
		header := w.Header()
		header.Set("Content-Type", kind)
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}

// writePage answers with a page that has one sentence, a constant of ours.
func writePage(w http.ResponseWriter, status int, sentence string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	page := `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width"><title>` + sentence + ` – Convene</title>` +
		`<link rel="stylesheet" href="` + Path("convene.css") + `">` +
		`<link rel="icon" href="` + Path("favicon.svg") + `"></head>` +
		`<body class="page"><header class="page-head"></header>` +
		`<main class="card narrow"><h1>` + sentence + `</h1></main></body></html>`
	_, _ = w.Write([]byte(page)) // the client is gone, and nobody is left to tell
}
