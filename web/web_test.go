package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/convene-meet/convene/web"
)

func TestAssetsAreServed(t *testing.T) {
	for name, kind := range map[string]string{
		"convene.css": "text/css; charset=utf-8",
		"convene.js":  "text/javascript; charset=utf-8",
		"favicon.svg": "image/svg+xml",
		"meeting.css": "text/css; charset=utf-8",
		"meeting.js":  "text/javascript; charset=utf-8",
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(http.MethodGet, web.Path(name))
			if w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Fatalf("status %d with %d bytes; want 200 with some", w.Code, w.Body.Len())
			}
			for header, want := range map[string]string{
				"Content-Type":           kind,
				"Cache-Control":          "public, max-age=31536000, immutable",
				"X-Content-Type-Options": "nosniff",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s is %q; want %q", header, got, want)
				}
			}
			if w := serve(http.MethodHead, web.Path(name)); w.Code != http.StatusOK || w.Body.Len() != 0 {
				t.Errorf("HEAD: status %d with %d bytes; want 200 with none", w.Code, w.Body.Len())
			}
		})
	}
}

func TestWhatIsNoAssetIsAPage(t *testing.T) {
	for _, tt := range []struct {
		name, method, path string
		want               int
	}{
		{"unknown name", "GET", "/assets/convene.css", 404},
		{"directory", "GET", "/assets/", 404},
		{"manifest", "GET", "/manifest.json", 404},
		{"root", "GET", "/", 404},
		{"climbing out", "GET", "/assets/../manifest.json", 404},
		{"double slash", "GET", "/" + web.Path("convene.css"), 404},
		{"writing", "POST", web.Path("convene.css"), 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(tt.method, tt.path)
			if w.Code != tt.want {
				t.Errorf("status %d; want %d", w.Code, tt.want)
			}
			if kind := w.Header().Get("Content-Type"); kind != "text/html; charset=utf-8" {
				t.Errorf("content type %q; want a page", kind)
			}
			if body := w.Body.String(); !strings.Contains(body, web.Path("convene.css")) {
				t.Errorf("the page has no stylesheet: %s", body)
			}
		})
	}
}

// The pages forbid inline code, data: addresses and other hosts, so what is
// built must need none of them. Other people's code, in chunks of its own, names
// some of it without a meeting's coming there; the browser forbids it all the same.
func TestAssetsStayOnTheirOrigin(t *testing.T) {
	files := 0
	err := fs.WalkDir(web.Assets(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		if strings.HasPrefix(name, "assets/media-") || strings.HasPrefix(name, "assets/preact-") {
			return nil
		}
		content, err := fs.ReadFile(web.Assets(), name)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(content), `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, bad := range []string{"http:", "https:", "data:", "eval(", "innerHTML", "sourceMappingURL"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		return nil
	})
	if err != nil || files < 8 {
		t.Errorf("%d files, error %v; want the manifest, the assets and the languages", files, err)
	}
}

func TestTexts(t *testing.T) {
	if got := web.Languages(); !slices.Equal(got, []string{"el", "en"}) {
		t.Fatalf("languages %q; want el and en", got)
	}
	for language, want := range map[string]string{"en": "Join now", "el": "Είσοδος τώρα", "tlh": ""} {
		if got := web.Texts(language)["joinNow"]; got != want {
			t.Errorf("joinNow in %s is %q; want %q", language, got, want)
		}
	}
}

func TestUnknownAssetPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Path of an unknown asset returned; want a panic")
		}
	}()
	web.Path("convene.wasm")
}

func serve(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	web.Handler().ServeHTTP(w, r)
	return w
}
