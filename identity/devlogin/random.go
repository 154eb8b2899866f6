package devlogin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// newSecret makes a code or a token that cannot be guessed: 256 random bits.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// keyOf is the key under which a secret's record is kept. Who reads the store
// learns no secret from it.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newGUID makes a version 4 UUID (RFC 9562).
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// userAlphabet has no vowels, so that a code is no word, and nothing that could
// be taken for something else (RFC 8628 section 6.1).
const userAlphabet = "BCDFGHJKLMNPQRSTVWXZ"

const userCodeLength = 8 // 34 bits, with a short life and a limit on guesses

// newUserCode makes a code for a person to type.
func newUserCode() string {
	code := make([]byte, 0, userCodeLength)
	var b [1]byte
	for len(code) < userCodeLength {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand
		// Greater numbers would make some letters likelier than others.
		if n := int(b[0]); n < 256/len(userAlphabet)*len(userAlphabet) {
			code = append(code, userAlphabet[n%len(userAlphabet)])
		}
	}
	return string(code)
}
