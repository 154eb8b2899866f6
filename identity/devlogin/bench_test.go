package devlogin_test

import (
	"net/http"
	"strings"
	"testing"
)

// BenchmarkClientCredentials is one token for an application: a secret checked
// and a token signed.
func BenchmarkClientCredentials(b *testing.B) {
	s := open(b)
	body := asBooking.encode()
	b.ReportAllocs()
	for b.Loop() {
		w := do(s, request(tokenPath, body))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "access_token") {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
}
