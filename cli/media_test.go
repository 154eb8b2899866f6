package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/server"
)

func TestMediaFlags(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("name: "+strings.Repeat("s", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("name: secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := &Program{Media: func(MediaOptions, media.Gate) (media.Engine, error) { return nil, nil }}
	for _, tt := range []struct {
		name  string
		flags mediaFlags
		bad   string // what the error names
	}{
		{name: "none"},
		{name: "a server of one's own", flags: mediaFlags{URL: "wss://media.example", Key: key}},
		{name: "nodes", flags: mediaFlags{Redis: "redis://127.0.0.1:6379", Key: key, UDPPort: 7882}},
		{"URL without a key", mediaFlags{URL: "wss://media.example"}, "--media-key"},
		{"Redis without a key", mediaFlags{Redis: "redis://127.0.0.1:6379"}, "--media-key"},
		{"Redis that is none", mediaFlags{Redis: "127.0.0.1:6379", Key: key}, "redis://HOST:PORT"},
		{"no key file", mediaFlags{Key: key + "x"}, "--media-key"},
		{"a secret that is too short", mediaFlags{Key: short}, "at least 32 characters"},
		{"no address", mediaFlags{IP: "here"}, "--media-ip"},
		{"no port", mediaFlags{UDPPort: 65536}, "--media-udp-port"},
		{"a negative port", mediaFlags{TCPPort: -1}, "--media-tcp-port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made, err := tt.flags.engine(program, server.Default())
			if tt.bad == "" && (err != nil || made == nil) || tt.bad != "" && (err == nil || !strings.Contains(err.Error(), tt.bad)) {
				t.Errorf("error %v, want %q", err, tt.bad)
			}
		})
	}
}
