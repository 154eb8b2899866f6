package graph

import (
	"io"
	"net/http"
	"testing"
)

// An answer that is no JSON is a string in base64; one without a body has none.
func TestAppendPart(t *testing.T) {
	for _, tt := range []struct {
		name, kind, body, want string
		status                 int
	}{
		{"JSON", "application/json;odata.metadata=none", `{"a":1}`, `{"id":"1\"","status":200,"headers":{"Content-Type":"application/json;odata.metadata=none"},"body":{"a":1}}`, 200},
		{"text", "text/vtt", "a?>", `{"id":"1\"","status":200,"headers":{"Content-Type":"text/vtt"},"body":"YT8+"}`, 200},
		{"broken JSON", "application/json", "{", `{"id":"1\"","status":200,"headers":{"Content-Type":"application/json"},"body":"ew=="}`, 200},
		{"nothing", "", "", `{"id":"1\"","status":204,"headers":{}}`, 204},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &part{id: `1"`}
			if tt.kind != "" {
				p.answer.Header().Set("Content-Type", tt.kind)
			}
			p.answer.Header().Set("Content-Length", "9")
			if tt.status == http.StatusNoContent {
				p.answer.WriteHeader(tt.status)
			} else {
				_, _ = io.WriteString(&p.answer, tt.body)
			}
			p.answer.WriteHeader(http.StatusTeapot) // the first one counts
			if got := string(p.append(nil)); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// A body that is no JSON is a string in base64, in either alphabet, padded or not.
func TestContentOfPart(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"application/json", `{"a": "Pz8+"}`, `{"a": "Pz8+"}`},
		{"application/json; charset=utf-8", `"Pz8+"`, `"Pz8+"`},
		{"image/jpeg", `"Pz8+"`, "??>"},
		{"image/jpeg", `"Pz8-Pw"`, "??>?"},
		{"image/jpeg", `"Pz8\u002bPw=="`, "??>?"},
		{"text/plain", `""`, ""},
		{"text/plain", `{"a": 1}`, `{"a": 1}`},
	} {
		p := &part{header: http.Header{"Content-Type": {tt.kind}}, body: []byte(tt.body)}
		r := &http.Request{}
		if err := p.content(r); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if string(got) != tt.want || err != nil || r.ContentLength != int64(len(tt.want)) {
			t.Errorf("%s %s is %q of %d, %v; want %q", tt.kind, tt.body, got, r.ContentLength, err, tt.want)
		}
	}
}
