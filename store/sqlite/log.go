package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The write-ahead log (SQLite's file format, section 4).
const (
	logHeaderSize   = 32
	frameHeaderSize = 24
	logMagic        = 0x377f0682 // or one more: then checksums are big-endian
)

// checkLog tells a damaged log from one that a crash cut short. SQLite reads a
// log up to the first frame that is not right and forgets the rest, which is as
// it should be when the rest never was acknowledged.
//
// Each frame's checksum continues that of the frame before it. While one
// transaction is flushed, the next is written, and none after that. So when the
// ends of three whole transactions that continue each other stand behind a wrong
// frame, that frame had been flushed and was right: to go on would silently lose
// what was acknowledged.
func checkLog(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	var h [logHeaderSize]byte
	if _, err := io.ReadFull(r, h[:]); err == io.EOF || err == io.ErrUnexpectedEOF || h == [logHeaderSize]byte{} {
		return nil // nothing was flushed yet
	} else if err != nil {
		return err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if h[3]&1 == 1 {
		order = binary.BigEndian
	}
	var sum checksum
	sum.add(order, h[:24])
	pageSize := binary.BigEndian.Uint32(h[8:])
	if binary.BigEndian.Uint32(h[:])&^1 != logMagic || sum != readChecksum(h[24:]) || pageSize < 512 || pageSize > largestPageSize {
		return fmt.Errorf("%w: the header of its log is wrong", ErrDamaged)
	}
	salt := string(h[16:24])
	frame := make([]byte, frameHeaderSize+int(pageSize))
	broken, commits := false, 0
	for n := 1; ; n++ {
		if _, err := io.ReadFull(r, frame); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return err
		}
		sum.add(order, frame[:8])
		sum.add(order, frame[frameHeaderSize:])
		stored := readChecksum(frame[16:])
		if string(frame[8:16]) != salt {
			stored = checksum{} // of an earlier log in the same file
		}
		if sum != stored {
			broken, commits = true, 0
		} else if binary.BigEndian.Uint32(frame[4:]) != 0 {
			commits++
		}
		if broken && commits == 3 {
			return fmt.Errorf("%w: in its log, what stands before frame %d was changed after it had been written", ErrDamaged, n)
		}
		sum = stored
	}
}

// A checksum is that of the log: two words that run through all of it.
type checksum [2]uint32

func readChecksum(b []byte) checksum {
	return checksum{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// add continues c over b, whose length is a multiple of 8.
func (c *checksum) add(order binary.ByteOrder, b []byte) {
	s0, s1 := c[0], c[1]
	if order == binary.LittleEndian {
		for ; len(b) >= 8; b = b[8:] {
			s0 += binary.LittleEndian.Uint32(b) + s1
			s1 += binary.LittleEndian.Uint32(b[4:]) + s0
		}
	} else {
		for ; len(b) >= 8; b = b[8:] {
			s0 += binary.BigEndian.Uint32(b) + s1
			s1 += binary.BigEndian.Uint32(b[4:]) + s0
		}
	}
	c[0], c[1] = s0, s1
}
