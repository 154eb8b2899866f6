package server_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/server"
)

// connections is how many clients ask at once, each over a connection of its own.
const connections = 64

// start runs a server as "convene dev" does, access log included.
func start(b *testing.B, data string) (s *server.Server, stop func()) {
	b.Helper()
	cfg := server.Default()
	cfg.Listen, cfg.Data = "127.0.0.1:0", data
	cfg.Log = slog.New(slog.NewTextHandler(b.Output(), nil))
	log, err := os.Create(filepath.Join(b.TempDir(), "access.log"))
	if err != nil {
		b.Fatal(err)
	}
	cfg.AccessLog = log
	s, err = server.New(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	return s, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		_ = log.Close()
	}
}

// bare is what net/http can do at best: a TLS server that reads the body and
// answers with the same headers and bytes.
func bare(b *testing.B, cert *tls.Config, header http.Header, body []byte) (address string, stop func()) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{TLSConfig: cert.Clone(), ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range header {
			w.Header()[name] = values
		}
		_, _ = w.Write(body)
	})}
	go func() { _ = srv.ServeTLS(l, "", "") }()
	return l.Addr().String(), func() { _ = srv.Close() }
}

// A load sends the requests of a benchmark over its connections, and reports
// percentiles of their times. It speaks HTTP/1.1 by hand: a client that costs
// more than the server would hide what the server costs.
type load struct {
	roots  *x509.CertPool
	token  string
	method string // empty: POST
	path   string
	pathOf func(i int64) string // instead of path, where it differs
	body   func(i int64) string
	status int
	alone  bool // over one connection instead of many
}

func (l *load) run(b *testing.B, address string) {
	b.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	n := connections
	if l.alone {
		n = 1
	}
	conns := make([]*conn, n)
	for i := range conns {
		conns[i] = l.dial(b, address)
	}
	cpu := cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	var working sync.WaitGroup
	for _, c := range conns {
		working.Go(func() {
			times := make([]time.Duration, 0, b.N/n+64)
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				began := time.Now()
				if status, err := c.send(l, i); err != nil || status != l.status {
					b.Errorf("status %d, error %v; want %d", status, err, l.status)
					break
				}
				times = append(times, time.Since(began))
			}
			mu.Lock()
			all = append(all, times...)
			mu.Unlock()
		})
	}
	working.Wait()
	b.StopTimer()
	cpu = cpuTime() - cpu
	for _, c := range conns {
		_ = c.Close()
	}
	slices.Sort(all)
	if n := len(all); n > 0 {
		b.ReportMetric(float64(all[n/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(all[n*99/100].Microseconds()), "p99-µs")
		b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs/op")
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "req/s")
	}
}

// A conn is one connection of a load.
type conn struct {
	net.Conn
	r    *bufio.Reader
	head []byte // of every request, after the path and up to the length
	out  []byte
}

func (l *load) dial(b *testing.B, address string) *conn {
	b.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: l.roots, ServerName: "127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	head := " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + l.token +
		"\r\nContent-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench\r\nContent-Length: "
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 16<<10), head: []byte(head)}
}

// send sends one request and reads its answer to the end.
func (c *conn) send(l *load, i int64) (status int, err error) {
	path, body := l.path, l.body(i)
	if l.pathOf != nil {
		path = l.pathOf(i)
	}
	c.out = append(append(append(c.out[:0], cmp.Or(l.method, http.MethodPost)...), ' '), path...)
	c.out = append(c.out, c.head...)
	c.out = append(strconv.AppendInt(c.out, int64(len(body)), 10), "\r\n\r\n"...)
	if _, err := c.Write(append(c.out, body...)); err != nil {
		return 0, err
	}
	length := 0
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case status == 0 && len(line) > 12:
			status, err = strconv.Atoi(string(line[9:12]))
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, err = strconv.Atoi(string(line[16:]))
		case len(line) == 0:
			_, err = c.r.Discard(length)
			return status, err
		}
		if err != nil {
			return 0, err
		}
	}
}

// cpuTime is what this process, clients included, has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCreateOrGet measures, in one run, createOrGet of an existing meeting
// and of new ones over HTTPS, and the bare server that gives the same answers.
// The ratios are what counts: bare/existing ≥ 0.5, bare/new ≥ 0.25.
func BenchmarkCreateOrGet(b *testing.B) {
	s, stop := start(b, b.TempDir())
	defer stop()
	token, _, err := s.Provider().Issue(b.Context(), devlogin.IssueRequest{Origin: s.URL(), App: "a9900000-0001-4a00-8000-000000000001"})
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	const rest = `","subject":"Order 4711 kickoff","startDateTime":"2031-02-06T09:00:00Z","endDateTime":"2031-02-06T09:30:00Z"}`
	existing := &load{
		roots: roots, token: token, status: http.StatusOK, path: "/v1.0/users/c0ffee00-0001-4a00-8000-000000000002/onlineMeetings/createOrGet",
		body: func(int64) string { return `{"externalId":"existing` + rest },
	}
	address := strings.TrimPrefix(s.URL(), "https://")
	header, body := answer(b, s, existing)
	var round atomic.Int64
	b.Run("existing", func(b *testing.B) { existing.run(b, address) })
	b.Run("bare", func(b *testing.B) {
		bareAddress, stop := bare(b, s.TLS(), header, body)
		defer stop()
		existing.run(b, bareAddress)
	})
	b.Run("new", func(b *testing.B) {
		prefix := `{"externalId":"new ` + strconv.FormatInt(round.Add(1), 10) + " "
		l := *existing
		l.status = http.StatusCreated
		l.body = func(i int64) string { return prefix + strconv.FormatInt(i, 10) + rest }
		l.run(b, address)
	})
}

// BenchmarkGetAmong gets meetings by createOrGet among 10,000 and among a
// million: "some" asks for a thousand of them again and again, "any" for all,
// each as likely as the other, so that of a million hardly one is in the cache.
// The data directories are those that the benchmarks of store/sqlite leave in
// CONVENE_BENCH_DIR.
func BenchmarkGetAmong(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		for name, asked := range map[string]int{"some": 1000, "any": n} {
			getAmong(b, n, name, asked)
		}
	}
}

func getAmong(b *testing.B, n int, name string, asked int) {
	b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
		data := filepath.Join(os.Getenv("CONVENE_BENCH_DIR"), "meetings-"+strconv.Itoa(n))
		if _, err := os.Stat(data); err != nil {
			b.Fatalf("%v: scripts/bench makes it", err)
		}
		s, stop := start(b, data)
		defer stop()
		token, _, err := s.Provider().Issue(b.Context(), devlogin.IssueRequest{Origin: s.URL(), App: "a9900000-0001-4a00-8000-000000000001"})
		if err != nil {
			b.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.CA())
		var draw sync.Mutex
		r := rand.New(rand.NewPCG(1, 2))
		l := &load{
			roots: roots, token: token, status: http.StatusOK, path: "/v1.0/users/c0ffee00-0001-4a00-8000-000000000001/onlineMeetings/createOrGet",
			body: func(int64) string {
				draw.Lock()
				defer draw.Unlock()
				return fmt.Sprintf(`{"externalId":"order-%08d"}`, r.IntN(asked)*(n/asked))
			},
		}
		l.run(b, strings.TrimPrefix(s.URL(), "https://"))
	})
}

// answer makes the meeting of a load, and returns the headers and the body that
// getting it gives.
func answer(b *testing.B, s *server.Server, l *load) (http.Header, []byte) {
	b.Helper()
	var w *httptest.ResponseRecorder
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, l.path, strings.NewReader(l.body(0)))
		r.Header.Set("Authorization", "Bearer "+l.token)
		r.Header.Set("Content-Type", "application/json")
		w = httptest.NewRecorder()
		s.API().ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), s.Site())))
	}
	if w.Code != http.StatusOK {
		b.Fatal(w.Code, w.Body)
	}
	return w.Header(), w.Body.Bytes()
}
