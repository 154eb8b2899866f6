package sqlite

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A disk is what a machine's disk holds of one directory while a program runs,
// as far as the program has a right to rely on it: what was written before a
// flush that has ended is there, of everything else any part may be.
type disk struct {
	t    *testing.T
	root string // which is there from the beginning, and lasts

	dirs    map[string]bool   // directories below root that last
	newDirs []string          // and those that do not yet
	names   map[string]*inode // what the names stand for, by path
	lasting map[string]*inode // and what they stand for once the power was cut
	changes []nameChange      // in between, in order

	flushes map[string][]*change // by thread: what the flush that has begun will cover
	renames map[string]int       // by thread: how many of the changes of names it will cover
	acks    []string             // lines the program has written to its output
}

type inode struct {
	durable []byte
	pending []*change
	limbo   []limbo
}

// A limbo is a change whose flush has failed. The system takes it for written,
// and tells each open descriptor of the file once that it is not. So it is lost,
// unless a flush through another descriptor succeeds: then nothing had failed.
type limbo struct {
	*change
	failed call
}

// A change is a write or, with data nil, a new size.
type change struct {
	offset int64
	data   []byte
	ended  bool
}

// A nameChange gives a name to a file, or takes it away.
type nameChange struct {
	name string
	file *inode // nil: the name is gone
}

func newDisk(t *testing.T, root string) *disk {
	return &disk{
		t: t, root: root, dirs: map[string]bool{root: true},
		names: map[string]*inode{}, lasting: map[string]*inode{},
		flushes: map[string][]*change{}, renames: map[string]int{},
	}
}

func (d *disk) ours(path string) bool { return strings.HasPrefix(path, d.root+"/") }

// play takes in one beginning or end of a call.
func (d *disk) play(c call) {
	if c.name == "write" && !c.end && !d.ours(c.args[0]) {
		d.acks = append(d.acks, strings.Split(strings.TrimSpace(c.args[1]), "\n")...)
		return
	}
	switch c.name {
	case "openat", "open":
		args := c.args
		if c.name == "openat" {
			args = args[1:]
		}
		path, flags := args[0], args[1]
		if c.end && !c.failed && d.ours(path) && d.names[path] == nil && strings.Contains(flags, "O_CREAT") {
			d.rename(nameChange{path, &inode{}})
		} else if c.end && !c.failed && d.names[path] != nil && strings.Contains(flags, "O_TRUNC") {
			d.t.Fatalf("the model has no %v", c)
		}
	case "mkdirat":
		if c.end && !c.failed && d.ours(c.args[1]) {
			d.newDirs = append(d.newDirs, c.args[1])
		}
	case "pwrite64", "write":
		if d.ours(c.args[0]) {
			offset, err := strconv.ParseInt(c.args[len(c.args)-1], 0, 64)
			if err != nil || c.name == "write" {
				d.t.Fatalf("the model has no %v", c)
			}
			d.write(c, offset, []byte(c.args[1]))
		}
	case "ftruncate":
		if d.ours(c.args[0]) {
			size, err := strconv.ParseInt(c.args[1], 0, 64)
			if err != nil {
				d.t.Fatalf("the model has no %v", c)
			}
			d.write(c, size, nil)
		}
	case "fsync", "fdatasync":
		if c.args[0] == d.root || d.ours(c.args[0]) {
			d.flush(c)
		}
	case "unlinkat", "unlink":
		path := c.args[len(c.args)-1]
		if c.name == "unlinkat" {
			path = c.args[1]
		}
		if c.end && !c.failed && d.ours(path) {
			d.rename(nameChange{path, nil})
		}
	case "renameat", "renameat2":
		from, to := c.args[1], c.args[3]
		if c.end && !c.failed && d.ours(from) {
			file := d.names[from]
			d.rename(nameChange{to, file}, nameChange{from, nil}) // in this order nothing is ever without a name
		}
	default:
		if slices.ContainsFunc(c.args, d.ours) {
			d.t.Fatalf("the model has no %v", c)
		}
	}
}

func (d *disk) rename(changes ...nameChange) {
	for _, n := range changes {
		d.names[n.name] = n.file
		d.changes = append(d.changes, n)
	}
}

func (d *disk) write(c call, offset int64, data []byte) {
	f := d.names[c.args[0]]
	if f == nil {
		d.t.Fatalf("a write to a file that nobody made: %v", c)
	}
	if !c.end {
		f.pending = append(f.pending, &change{offset: offset, data: data})
		return
	}
	// Of equal ones under way it does not matter which has ended.
	i := slices.IndexFunc(f.pending, func(p *change) bool {
		return !p.ended && p.offset == offset && bytes.Equal(p.data, data)
	})
	if i < 0 || c.failed || data != nil && c.result != int64(len(data)) {
		d.t.Fatalf("the model has no %v", c)
	}
	f.pending[i].ended = true
}

// flush covers what had ended when it began, and counts when it ends.
func (d *disk) flush(c call) {
	path := c.args[0]
	f := d.names[path]
	if f == nil { // a directory
		if !c.end {
			d.renames[c.thread] = len(d.changes)
			return
		}
		if c.failed {
			return
		}
		if path == d.root {
			for _, dir := range d.newDirs {
				d.dirs[dir] = true
			}
			return
		}
		// All that was renamed lies in one directory. Another thread may have
		// flushed it meanwhile.
		n := min(d.renames[c.thread], len(d.changes))
		for _, change := range d.changes[:n] {
			d.lasting[change.name] = change.file
		}
		d.changes = d.changes[n:]
		return
	}
	if !c.end {
		var covered []*change
		for _, p := range f.pending {
			if p.ended {
				covered = append(covered, p)
			}
		}
		d.flushes[c.thread] = covered
		return
	}
	if !c.failed {
		f.limbo = slices.DeleteFunc(f.limbo, func(l limbo) bool {
			saved := l.failed.run == c.run && l.failed.fd != c.fd
			if saved {
				f.durable = l.apply(f.durable)
			}
			return saved
		})
	}
	for _, p := range d.flushes[c.thread] {
		i := slices.Index(f.pending, p)
		if i < 0 {
			continue // by another flush
		}
		f.pending = slices.Delete(f.pending, i, i+1)
		if c.failed {
			f.limbo = append(f.limbo, limbo{p, c})
		} else {
			f.durable = p.apply(f.durable)
		}
	}
}

func (p *change) apply(b []byte) []byte {
	size := p.offset + int64(len(p.data))
	if p.data == nil && size < int64(len(b)) {
		return b[:size:size]
	}
	if missing := size - int64(len(b)); missing > 0 {
		b = append(b, make([]byte, missing)...)
	}
	copy(b[p.offset:], p.data)
	return b
}

// sector is what a disk writes whole or not at all.
const sector = 512

// A cut says how much of what was not flushed reached the disk.
type cut int

const (
	cutNothing    cut = iota // nothing
	cutEverything            // everything: the program was killed, the machine went on
	cutSectors               // any sectors, of any writes
	cutWrites                // any writes, each whole
	cuts
)

// image writes what the disk holds after a power cut to dir.
func (d *disk) image(dir string, how cut, r *rand.Rand) {
	d.t.Helper()
	some := func() bool {
		return how == cutEverything || how != cutNothing && r.IntN(2) == 0
	}
	for _, sub := range d.newDirs {
		if d.dirs[sub] || some() {
			if err := os.Mkdir(filepath.Join(dir, strings.TrimPrefix(sub, d.root)), 0o700); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	names := map[string]*inode{}
	for name, file := range d.lasting {
		names[name] = file
	}
	n := 0 // a file system changes names in order
	for n < len(d.changes) && some() {
		names[d.changes[n].name] = d.changes[n].file
		n++
	}
	for name, file := range names {
		if file == nil {
			continue
		}
		content := slices.Clone(file.durable)
		for _, p := range file.pending {
			switch {
			case p.data == nil || how != cutSectors:
				if some() {
					content = p.apply(content)
				}
			default:
				for from := int64(0); from < int64(len(p.data)); {
					to := min((p.offset+from)/sector*sector+sector-p.offset, int64(len(p.data)))
					if some() {
						part := change{offset: p.offset + from, data: p.data[from:to]}
						content = part.apply(content)
					}
					from = to
				}
			}
		}
		path := filepath.Join(dir, strings.TrimPrefix(name, d.root))
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			continue // its directory was not flushed
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}
