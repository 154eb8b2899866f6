package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The names that certificates are made for: this machine's, and those to which
// a hosts entry may route clients that cannot be pointed anywhere else.
var (
	certifiedNames = []string{"localhost", "graph.microsoft.com", "login.microsoftonline.com"}
	certifiedIPs   = []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
)

const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 397 * 24 * time.Hour // browsers refuse longer ones
	renewBefore     = 2 * certificateLife
)

// An authority is a certificate authority for the names above and no others:
// its constraints are critical, so that even somebody who gets hold of its key
// can make no certificate for anything else.
type authority struct {
	file string
	pem  []byte
	cert *x509.Certificate
	key  crypto.Signer
}

// openAuthority reads the authority in dir (ca.pem and ca-key.pem), or makes
// one. Several processes may do so at once.
func openAuthority(dir string, now time.Time) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "ca.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")
	certPEM, err1 := os.ReadFile(certFile)
	keyPEM, err2 := os.ReadFile(keyFile)
	switch {
	case errors.Is(err1, os.ErrNotExist):
		// A key alone is left over from a start that was cut off: nobody can trust it yet.
		if certPEM, keyPEM, err = newAuthority(now); err != nil {
			return nil, err
		}
		if err := errors.Join(writeFile(keyFile, keyPEM, 0o600), writeFile(certFile, certPEM, 0o644)); err != nil {
			return nil, err
		}
	case errors.Is(err2, os.ErrNotExist):
		return nil, fmt.Errorf("%s is missing. Put it back, or delete %s and let clients trust the new one", keyFile, certFile)
	case err1 != nil || err2 != nil:
		return nil, errors.Join(err1, err2)
	}
	a, err := parseAuthority(certPEM, keyPEM, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w. Delete it and %s, and let clients trust the new one", certFile, err, keyFile)
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %v). Make it yours alone: chmod 600 %s", keyFile, info.Mode().Perm(), keyFile)
	}
	a.file = certFile
	return a, nil
}

// writeFile writes a file whole or not at all.
func writeFile(name string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func newAuthority(now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: "Convene development CA " + now.UTC().Format("2006-01-02 15:04:05"), Organization: []string{"Convene"}},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(authorityLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         certifiedNames,
	}
	for _, ip := range certifiedIPs {
		bits := 8 * len(ip)
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

func parseAuthority(certPEM, keyPEM []byte, now time.Time) (*authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	cert := pair.Leaf
	switch {
	case !ok || !cert.IsCA:
		return nil, errors.New("it is not a certificate authority")
	case now.Add(renewBefore).After(cert.NotAfter):
		return nil, fmt.Errorf("it expires too soon, on %s", cert.NotAfter.Format(time.DateOnly))
	}
	return &authority{pem: certPEM, cert: cert, key: key}, nil
}

// leaf makes the server's certificate. It is made anew at each start and kept
// nowhere.
func (a *authority) leaf(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Convene development server"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     certifiedNames,
		IPAddresses:  certifiedIPs,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[0] &= 0x7f           // positive
	b[0] |= 0x40           // and of full length
	return new(big.Int).SetBytes(b[:])
}
