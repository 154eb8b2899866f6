package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/server"
)

// What only waits does not keep a server from ending: a request that is late on
// purpose is served at once, and whoever follows the log is told.
func TestStopEndsWaiting(t *testing.T) {
	t.Parallel()
	cfg := server.Default()
	cfg.Listen, cfg.Data, cfg.Grace = "127.0.0.1:0", t.TempDir(), time.Hour
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	token, _, err := s.Provider().Issue(t.Context(), devlogin.IssueRequest{Origin: s.URL(), App: "a9900000-0001-4a00-8000-000000000001"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lab().Faults.Add(contoso, lab.Fault{Latency: lab.Duration(lab.MaxLatency)}); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	late := make(chan int, 1)
	go func() {
		status, _, _ := do(t, client, http.MethodPost, s.URL()+"/v1.0/users/"+annID+"/onlineMeetings/createOrGet", "", token, `{"externalId":"a"}`)
		late <- status
		client.CloseIdleConnections()
	}()
	following := make(chan error, 1)
	go func() {
		_, err := manage.Local(cfg.Data, server.SocketName).Requests(t.Context(), lab.RequestQuery{All: true, Wait: 30 * time.Second})
		following <- err
	}()
	for s.Lab().Faults.List(contoso)[0].Hits == 0 {
		runtime.Gosched()
	}
	stop()
	if status := <-late; status != http.StatusCreated {
		t.Errorf("the late request: status %d; want 201", status)
	}
	if err := <-following; err != nil && !strings.Contains(err.Error(), "management at ") {
		t.Errorf("who followed: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
