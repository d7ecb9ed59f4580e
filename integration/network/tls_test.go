package network

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestTLS fetches by https from a server whose certificate a test CA signed. The
// program sees the CA's certificate only where the policy lets it read it.
func TestTLS(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Requests)
	authority := serveTLS(t, "443")
	args := []string{authority, "www.example.test", "four.example.test"}
	network := []string{"--allow-net=*.example.test:443"}
	const trusted = "ssl: hello, TLSv1.3, www.example.test\nurllib: hello\nrequests: hello\nrenewed: True\n" +
		"wrong name: SSLCertVerificationError\nsystem's authorities: SSLCertVerificationError"
	t.Run("authority readable", func(t *testing.T) {
		scene{program: "tls", args: args, flags: append(network, "--allow-read="+authority), want: trusted}.run(t)
	})
	t.Run("authority not readable", func(t *testing.T) {
		scene{
			program: "tls", args: args, flags: network, noControl: "the other subtest",
			inside: "authority: FileNotFoundError",
		}.run(t)
	})
}

// serveTLS serves https at the peer for www.example.test and returns the file
// of its authority's certificate.
func serveTLS(t *testing.T, port string) string {
	t.Helper()
	authority, authorityKey := certificate(t, nil, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "authority of a test"}
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	leaf, leafKey := certificate(t, authority, authorityKey, func(c *x509.Certificate) {
		c.DNSNames = []string{"www.example.test"}
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	var listener net.Listener
	err := thePeer.Do(func() (err error) {
		listener, err = tls.Listen("tcp", ":"+port, &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler:           http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(rw, "hello") }),
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = server.Serve(listener) }()

	file := filepath.Join(testenv.WorldDir(t), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// certificate makes a certificate, signed by parent, or by itself.
func certificate(t *testing.T, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, fill func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	fill(template)
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}
