package join

import (
	"bytes"
	"embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/convene-meet/convene/web"
)

//go:embed pages/*.html
var files embed.FS

// pages are the templates, once for each language: "text" says a text of the
// language, "texts" are all of them for the page's script.
var pages = sync.OnceValue(func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, language := range web.Languages() {
		texts := web.Texts(language)
		all[language] = template.Must(template.New("").Funcs(template.FuncMap{
			"asset": web.Path,
			"text": func(key string) string {
				text, ok := texts[key]
				if !ok {
					panic("join: no text " + key + " in " + language) // any test of the page finds it
				}
				return text
			},
			"texts": func() map[string]string { return ofScript(texts) },
			"lang":  func() string { return language },
			"dir":   func() string { return direction(language) },
		}).ParseFS(files, "pages/*.html"))
	}
	return all
})

// ofScript are the texts that the script of a meeting's page says; those of other
// pages have their page's name.
func ofScript(texts map[string]string) map[string]string {
	all := maps.Clone(texts)
	maps.DeleteFunc(all, func(key, _ string) bool {
		page, _, _ := strings.Cut(key, ".")
		return slices.Contains([]string{"calendar", "dialin", "enter", "foot", "options", "problem", "refused"}, page) && page != key
	})
	return all
}

// page answers with a template.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	h.pageIn(w, r, language(r), status, name, data)
}

func (h *Handler) pageIn(w http.ResponseWriter, r *http.Request, language string, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages()[language].ExecuteTemplate(&page, name, data); err != nil {
		h.Log.Error("page cannot be written", "page", name, "error", err)
		http.Error(w, "This page cannot be shown.", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Query().Get("lang") == language {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: language, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(visitorLife.Seconds())})
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", language)
	header.Set("Vary", "Accept-Language, Cookie")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", h.policy(r))
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client is gone, and nobody is left to tell
}

// policy is what the pages live with: nothing inline, nothing of others. Sockets
// are named, since not every browser counts them to 'self'.
func (h *Handler) policy(r *http.Request) string {
	frames := "'none'"
	if len(h.Frames) > 0 {
		frames = strings.Join(h.Frames, " ")
	}
	socket := ""
	if origin := h.Origin(r); origin != "" {
		socket = " wss" + strings.TrimPrefix(origin, "https")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'" +
		socket + "; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors " + frames
}

// A problemPage is what a page without its content says.
type problemPage struct{ Title, Text string } // keys of texts

func (h *Handler) problem(w http.ResponseWriter, r *http.Request, status int, key string) {
	h.page(w, r, status, "problem.html", problemPage{key + ".title", key + ".text"})
}
