package e2e

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A descriptor names a blob of an OCI image (OCI image specification, "Content
// Descriptors").
type descriptor struct {
	MediaType string
	Digest    string
	Platform  struct{ OS, Architecture string }
}

// TestImage makes the image, and unpacks and starts it without a container
// engine, reading only what the OCI image specification says.
func TestImage(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	program := fmt.Sprintf("linux/%s=%s", runtime.GOARCH, convene)
	make := exec.CommandContext(t.Context(), "go", "run", "./image", "-out", out, "-version", "test", program)
	make.Dir = "../tools"
	if text, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	layout := filepath.Join(out, "image")
	blob := func(d descriptor) []byte {
		algorithm, sum, _ := strings.Cut(d.Digest, ":")
		content, err := os.ReadFile(filepath.Join(layout, "blobs", algorithm, sum))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			t.Fatalf("the blob %s has the sum %s", d.Digest, got)
		}
		return content
	}
	parse := func(content []byte, into any) {
		if err := json.Unmarshal(content, into); err != nil {
			t.Fatal(err)
		}
	}
	var index struct{ Manifests []descriptor }
	content, err := os.ReadFile(filepath.Join(layout, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	parse(content, &index)
	parse(blob(index.Manifests[0]), &index)
	if p := index.Manifests[0].Platform; p.OS != "linux" || p.Architecture != runtime.GOARCH {
		t.Errorf("the image is for %+v", p)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	parse(blob(index.Manifests[0]), &manifest)
	var config struct {
		Config struct {
			User            string
			Entrypoint, Cmd []string
		}
	}
	parse(blob(manifest.Config), &config)
	if config.Config.User != "65532:65532" || len(manifest.Layers) != 1 {
		t.Errorf("user %s, %d layers", config.Config.User, len(manifest.Layers))
	}

	root := t.TempDir()
	unpack(t, blob(manifest.Layers[0]), root)
	dir := filepath.Join(root, "data")
	cmd := append([]string{}, config.Config.Cmd...)
	for i := range cmd {
		cmd[i] = strings.ReplaceAll(strings.ReplaceAll(cmd[i], "/data", dir), "0.0.0.0:8443", "0.0.0.0:0")
	}
	s, err := startProgram(dir, filepath.Join(root, config.Config.Entrypoint[0]), cmd...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "convene.db")); err != nil {
		t.Error(err)
	}
	packed, err := os.Open(filepath.Join(out, "convene-image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	if h, err := tar.NewReader(packed).Next(); err != nil || !strings.HasPrefix(h.Name, "blobs/") {
		t.Errorf("the packed image begins with %v, error %v", h, err)
	}
}

// unpack writes the files of a layer, as whoever runs the test.
func unpack(t *testing.T, layer []byte, root string) {
	t.Helper()
	zipped, err := gzip.NewReader(strings.NewReader(string(layer)))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(zipped); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, filepath.Clean("/"+h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, h.FileInfo().Mode().Perm())
		} else {
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, content, h.FileInfo().Mode().Perm())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
