package graph

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func zip(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestReadBody(t *testing.T) {
	noise := make([]byte, maxBody+1)
	for i := range noise { // hardly to be compressed, so that only the size counts
		noise[i] = byte((i * 2654435761) >> 13)
	}
	plain := []byte(`{"externalId":"a"}`)
	for _, tt := range []struct {
		name     string
		encoding string
		body     io.Reader
		want     []byte
		status   int
	}{
		{name: "plain", body: bytes.NewReader(plain), want: plain},
		{name: "gzip", encoding: "gzip", body: bytes.NewReader(zip(t, plain)), want: plain},
		{name: "gzip in capitals", encoding: "GZIP", body: bytes.NewReader(zip(t, plain)), want: plain},
		{name: "gzip by name alone", encoding: "gzip", body: bytes.NewReader(plain), want: plain},
		{name: "gzip of nothing", encoding: "gzip", body: bytes.NewReader(nil), want: []byte{}},
		{name: "identity", encoding: "identity", body: bytes.NewReader(plain), want: plain},
		{name: "as large as allowed", body: bytes.NewReader(noise[:maxBody]), want: noise[:maxBody]},
		{name: "too large", body: bytes.NewReader(noise), status: 413},
		{name: "endless", body: endless{}, status: 413},
		{name: "too large when unzipped", encoding: "gzip", body: bytes.NewReader(zip(t, noise)), status: 413},
		{name: "bomb", encoding: "gzip", body: bytes.NewReader(zip(t, make([]byte, 1<<20))), status: 413},
		{name: "small and regular", encoding: "gzip", body: bytes.NewReader(zip(t, make([]byte, freeSize))), want: make([]byte, freeSize)},
		{name: "damaged gzip", encoding: "gzip", body: bytes.NewReader(zip(t, plain)[:20]), status: 400},
		{name: "brotli", encoding: "br", body: bytes.NewReader(plain), status: 415},
		{name: "twice", encoding: "gzip, gzip", body: bytes.NewReader(plain), status: 415},
		{name: "cut off", body: broken{}, status: 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			r.ContentLength = -1
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			var b bytes.Buffer
			err := readBody(&b, r)
			if status := statusOfError(err); status != tt.status {
				t.Fatalf("error %v, status %d; want %d", err, status, tt.status)
			}
			if err == nil && !bytes.Equal(b.Bytes(), tt.want) {
				t.Errorf("%d bytes, want %d", b.Len(), len(tt.want))
			}
		})
	}
}

// A length that is announced is refused before a byte of it is read.
func TestAnnouncedLengthIsEnough(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", broken{})
	r.ContentLength = maxBody + 1
	if err := readBody(new(bytes.Buffer), r); statusOfError(err) != 413 {
		t.Errorf("error %v; want 413", err)
	}
}

func statusOfError(err error) int {
	if err == nil {
		return 0
	}
	return explain(err).Status()
}

// Whoever reads the envelope relies on each code having a status, and on 5xx
// telling nothing of the inside.
func TestExplainTellsNothingOfTheInside(t *testing.T) {
	secret := errors.New("pq: password of db.internal is hunter2")
	for _, err := range []error{secret, &Error{Code: codeFull, Message: "full", cause: secret}} {
		if e := explain(err); strings.Contains(e.Message, "hunter2") || e.Status() < 500 {
			t.Errorf("%v is told as %d %s", err, e.Status(), e.Message)
		}
	}
}
