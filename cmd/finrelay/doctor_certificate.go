package main

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// certificateEnd tells until when the certificate of a sign-in is valid: of
// those in the file, the one that belongs to the file's key. password is empty
// for none.
func certificateEnd(file, password string) (time.Time, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, err
	}
	var secret []byte
	if password != "" {
		secret = []byte(password)
	}
	certs, key, err := azidentity.ParseCertificates(data, secret)
	if err != nil {
		return time.Time{}, fmt.Errorf("read certificate %s: %w", file, err)
	}
	for _, c := range certs {
		if belongs(c, key) {
			return c.NotAfter, nil
		}
	}
	return time.Time{}, fmt.Errorf("read certificate %s: no certificate in it belongs to its key", file)
}

func belongs(c *x509.Certificate, key crypto.PrivateKey) bool {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}
