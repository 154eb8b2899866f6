package server_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/server"
)

const (
	benchTenant = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
	benchRoot   = "/v1.0/users/c0ffee00-0001-4a00-8000-000000000002/onlineMeetings"
	benchRest   = `","subject":"Order 4711 kickoff","startDateTime":"2031-02-06T09:00:00Z","endDateTime":"2031-02-06T09:30:00Z"}`
)

// benched starts a server for a benchmark, and makes what its loads have in
// common.
func benched(b *testing.B) (*server.Server, load) {
	b.Helper()
	s, stop := start(b, b.TempDir())
	b.Cleanup(stop)
	token, _, err := s.Provider().Issue(b.Context(), devlogin.IssueRequest{Origin: s.URL(), App: "a9900000-0001-4a00-8000-000000000001"})
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	return s, load{roots: roots, token: token, status: http.StatusOK, path: benchRoot + "/createOrGet", body: func(int64) string { return "" }}
}

// made makes a meeting by createOrGet, and returns its id and join URL.
func made(b *testing.B, s *server.Server, l *load, externalID string) (id, joinURL string) {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, benchRoot+"/createOrGet", strings.NewReader(`{"externalId":"`+externalID+benchRest))
	r.Header.Set("Authorization", "Bearer "+l.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.API().ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), s.Site())))
	var m struct{ ID, JoinWebURL string }
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != http.StatusCreated {
		b.Fatal(w.Code, w.Body)
	}
	return m.ID, m.JoinWebURL
}

// BenchmarkOperations measures other operations against createOrGet of an
// existing meeting, all with 1,000 meetings that are asked for in turn: get ≥
// 0.8 of its requests a second, find ≥ 0.8, PATCH, which is durable, ≥ 0.5.
func BenchmarkOperations(b *testing.B) {
	s, base := benched(b)
	address := strings.TrimPrefix(s.URL(), "https://")
	const n = 1000
	var ids, urls []string
	for i := range n {
		id, joinURL := made(b, s, &base, fmt.Sprint("bench ", i))
		ids, urls = append(ids, id), append(urls, joinURL)
	}
	get, find, patch, existing := base, base, base, base
	existing.body = func(i int64) string { return `{"externalId":"bench ` + strconv.FormatInt(i%n, 10) + benchRest }
	get.method, get.pathOf = http.MethodGet, func(i int64) string { return benchRoot + "/" + ids[i%n] }
	find.method, find.pathOf = http.MethodGet, func(i int64) string {
		return benchRoot + "?$filter=" + url.QueryEscape("JoinWebUrl eq '"+urls[i%n]+"'")
	}
	patch.method, patch.pathOf = http.MethodPatch, get.pathOf
	patch.body = func(i int64) string { return `{"subject":"Changed ` + strconv.FormatInt(i, 10) + `"}` }
	b.Run("createOrGet", func(b *testing.B) { existing.run(b, address) })
	b.Run("get", func(b *testing.B) { get.run(b, address) })
	b.Run("find", func(b *testing.B) { find.run(b, address) })
	b.Run("patch", func(b *testing.B) { patch.run(b, address) })
}

// BenchmarkBatch measures createOrGet of one client, call after call and 20 in a
// batch: new meetings/s of the latter should be at least 3 times as many.
func BenchmarkBatch(b *testing.B) {
	s, single := benched(b)
	single.alone = true
	address := strings.TrimPrefix(s.URL(), "https://")
	var round atomic.Int64
	report := func(b *testing.B, each int) {
		b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "meetings/s")
	}
	for _, kind := range []string{"new", "existing"} {
		prefix := func() string { return kind }
		status := http.StatusOK
		if kind == "new" {
			prefix, status = func() string { return fmt.Sprint("new ", round.Add(1), " ") }, http.StatusCreated
		} else {
			for i := range 20 {
				made(b, s, &single, "existing"+fmt.Sprint(i))
			}
		}
		b.Run(kind+"/single", func(b *testing.B) {
			l, p := single, prefix()
			l.status = status
			l.body = func(i int64) string {
				if kind == "existing" {
					i %= 20
				}
				return `{"externalId":"` + p + strconv.FormatInt(i, 10) + benchRest
			}
			l.run(b, address)
			report(b, 1)
		})
		b.Run(kind+"/batch", func(b *testing.B) {
			l, p := single, prefix()
			l.path = "/v1.0/$batch"
			l.body = func(i int64) string {
				body := []byte(`{"requests":[`)
				for part := range int64(20) {
					if part > 0 {
						body = append(body, ',')
					}
					name := part
					if kind == "new" {
						name += i * 20
					}
					body = fmt.Appendf(body, `{"id":"%d","method":"POST","url":"%s","headers":{"Content-Type":"application/json"},"body":{"externalId":"%s%d%s}`,
						part, strings.TrimPrefix(single.path, "/v1.0"), p, name, benchRest)
				}
				return string(append(body, `]}`...))
			}
			l.run(b, address)
			report(b, 20)
		})
	}
}

// BenchmarkLab measures what the tester's kit costs a request: without it, with
// it, and with a fault that another tenant has, and one that no request meets.
func BenchmarkLab(b *testing.B) {
	s, l := benched(b)
	address := strings.TrimPrefix(s.URL(), "https://")
	made(b, s, &l, "existing")
	l.body = func(int64) string { return `{"externalId":"existing` + benchRest }
	kit := s.Lab()
	for range 2 { // in turn
		s.API().Watch = nil
		b.Run("none", func(b *testing.B) { l.run(b, address) })
		s.API().Watch = kit
		b.Run("idle", func(b *testing.B) { l.run(b, address) })
	}
	if _, err := kit.Faults.Add(benchTenant, lab.Fault{Operation: "delete", Status: http.StatusServiceUnavailable}); err != nil {
		b.Fatal(err)
	}
	b.Run("missed", func(b *testing.B) { l.run(b, address) })
}
