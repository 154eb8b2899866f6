package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/cli"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/server"
)

// BenchmarkLobby measures what one person notices of the lobby while 1,000 people
// wait in 100 meetings: knocking, being admitted, and the ticket for the media
// engine, each as a call over TLS from this process, which is more than the
// server's own time.
func BenchmarkLobby(b *testing.B) {
	cfg := server.Default()
	cfg.Listen, cfg.Data = "127.0.0.1:0", b.TempDir()
	cfg.Media = func(gate media.Gate) (media.Engine, error) {
		return engine(cli.MediaOptions{NodeIP: "127.0.0.1"}, gate)
	}
	if err := cfg.World.Complete(); err != nil {
		b.Fatal(err)
	}
	s, err := server.New(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	l := &lobby{b: b, url: s.URL(), pool: x509.NewCertPool(), times: map[string][]time.Duration{}}
	l.pool.AppendCertsFromPEM(s.CA())
	token, _, err := s.Provider().Issue(b.Context(), devlogin.IssueRequest{Origin: s.URL(), App: "a9900000-0004-4a00-8000-000000000004", User: "dora@contoso.example"})
	if err != nil {
		b.Fatal(err)
	}
	const meetings, waiting = 100, 10
	links, doors := make([]string, meetings), make([]*guest, meetings)
	for i := range links {
		links[i] = l.meeting(token, fmt.Sprint(i))
		// Somebody who may admit, as everybody may who presents: a guest here.
		doors[i] = l.guest(i)
		doors[i].knock(links[i], "door")
		doors[i].watch(links[i])
	}
	l.close(token)
	for i := range links {
		for range waiting {
			one := l.guest(i)
			one.knock(links[i], "waits")
			one.watch(links[i])
		}
	}
	clear(l.times)
	n := 0
	for b.Loop() {
		i := n % meetings
		one := l.guest(n)
		one.knock(links[i], "knock")
		doors[i].act(links[i], "admit", map[string]any{"target": one.tab})
		one.act(links[i], "ticket", nil)
		one.act(links[i], "leave", nil)
		n++
	}
	for _, what := range []string{"knock", "admit", "ticket"} {
		slices.Sort(l.times[what])
		all := l.times[what]
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, what+"-p99-ms")
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, what+"-p50-ms")
	}
}

// A lobby is a server with people at its doors.
type lobby struct {
	b       *testing.B
	url     string
	pool    *x509.CertPool
	clients [64]*http.Client
	times   map[string][]time.Duration
	ids     []string
}

// guest is somebody new. People come from many addresses, since knocking is
// limited for each.
func (l *lobby) guest(n int) *guest {
	n %= len(l.clients)
	if l.clients[n] == nil {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n+1))}}
		l.clients[n] = &http.Client{Transport: &http.Transport{DialContext: from.DialContext, TLSClientConfig: &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true}}
	}
	return &guest{l, l.clients[n], rand.Text(), ""}
}

type guest struct {
	*lobby
	client      *http.Client
	cookie, tab string
}

func (l *lobby) send(client *http.Client, method, path string, header map[string]string, body any) map[string]any {
	l.b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		l.b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(l.b.Context(), method, l.url+path, bytes.NewReader(text))
	if err != nil {
		l.b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := client.Do(r)
	if err != nil {
		l.b.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode >= 300 {
		l.b.Fatalf("%s: %d %v %v", path, resp.StatusCode, answer, err)
	}
	return answer
}

// meeting makes one that everybody may come into, and returns its link.
func (l *lobby) meeting(token, id string) string {
	m := l.send(l.guest(0).client, http.MethodPost, "/v1.0/me/onlineMeetings", map[string]string{"Authorization": "Bearer " + token},
		map[string]any{"subject": id, "lobbyBypassSettings": map[string]any{"scope": "everyone"}})
	l.ids = append(l.ids, m["id"].(string))
	return strings.TrimPrefix(m["joinWebUrl"].(string), l.url)
}

// close has whoever comes now wait.
func (l *lobby) close(token string) {
	for _, id := range l.ids {
		l.send(l.guest(0).client, http.MethodPatch, "/v1.0/me/onlineMeetings/"+id, map[string]string{"Authorization": "Bearer " + token},
			map[string]any{"lobbyBypassSettings": map[string]any{"scope": "organizer"}})
	}
}

func (g *guest) call(what, path string, body map[string]any) map[string]any {
	begun := time.Now()
	answer := g.send(g.client, http.MethodPost, path, map[string]string{"Origin": g.url, "Cookie": "__Host-convene=" + g.cookie}, body)
	g.times[what] = append(g.times[what], time.Since(begun))
	return answer
}

func (g *guest) knock(link, what string) {
	g.tab = g.call(what, "/room/knock", map[string]any{"link": link, "name": "Somebody"})["tab"].(string)
}

// watch opens the stream of a tab, without which it counts as gone, and reads it
// for as long as there is a server.
func (g *guest) watch(link string) {
	g.b.Helper()
	text, err := json.Marshal(map[string]any{"link": link, "tab": g.tab})
	if err != nil {
		g.b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(g.b.Context(), http.MethodPost, g.url+"/room/events", bytes.NewReader(text))
	if err != nil {
		g.b.Fatal(err)
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "Origin": g.url, "Cookie": "__Host-convene=" + g.cookie} {
		r.Header.Set(k, v)
	}
	resp, err := g.client.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		g.b.Fatalf("events: %v %v", resp, err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, resp.Body) // ends with the server
		_ = resp.Body.Close()
	}()
}

func (g *guest) act(link, what string, with map[string]any) {
	body := map[string]any{"link": link, "tab": g.tab, "do": what}
	for k, v := range with {
		body[k] = v
	}
	g.call(what, "/room/act", body)
}
