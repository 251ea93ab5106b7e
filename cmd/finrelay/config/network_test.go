package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// writePair makes a self-signed certificate and its key.
func writePair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, data []byte) string {
		var b bytes.Buffer
		_ = pem.Encode(&b, &pem.Block{Type: kind, Bytes: data})
		return b.String()
	}
	writeFile(t, dir, name+".pem", encode("CERTIFICATE", der))
	writeFile(t, dir, name+".key", encode("PRIVATE KEY", keyDER))
}

func TestListenerWithTLS(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writePair(t, dir, "server")
	writePair(t, dir, "other")
	tests := []struct{ text, want string }{
		{"listen: 0.0.0.0:8686\ntls: {certificate: server.pem, key: server.key}", ""},
		{"listen: '[::1]:8686'", ""},
		{"listen: '[::ffff:127.0.0.1]:0'", ""},
		{"listen: LOCALHOST:8686", ""},
		{"listen: 192.0.2.1:8686\ninsecure: true", ""},
		{"listen: '[::]:8686'", "clear text"},
		{"listen: example.com:8686", "clear text"},
		{"listen: 127.0.0.1:65536", "not an address"},
		{"tls: {certificate: server.pem, key: other.key}", "private key does not match public key"},
		{"tls: {key: server.key}", "a key without its certificate"},
		{"environments: {prod: {ca_file: server.pem}}", ""},
		{"environments: {prod: {ca_file: server.key}}", "no certificate in the file"},
	}
	for _, tt := range tests {
		_, err := Parse("finrelay.yaml", []byte(tt.text), nil)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %q", tt.text, err, tt.want)
		}
	}
}
