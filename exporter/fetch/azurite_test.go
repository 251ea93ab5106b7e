package fetch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// azuriteVariable names the environment variable with the path of Azurite's
// blob server (node_modules/azurite/dist/src/blob/main.js).
const azuriteVariable = "FINRELAY_AZURITE"

// Azurite's account is public knowledge.
// Source: Microsoft Learn, "Use the Azurite emulator", well-known storage account and key.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	azuriteVersion = "2021-12-02"
)

type azurite struct{ url string }

func startAzurite(t *testing.T) azurite {
	t.Helper()
	script := os.Getenv(azuriteVariable)
	node, err := exec.LookPath("node")
	if script == "" || err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s=%q, node: %v; CI has to bring both", azuriteVariable, script, err)
		}
		t.Skipf("SKIPPED: set %s to azurite's dist/src/blob/main.js and have node (%v) to test against Azurite", azuriteVariable, err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().(*net.TCPAddr)
	ln.Close()
	var out bytes.Buffer
	cmd := exec.Command(node, script, "--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(addr.Port),
		"--inMemoryPersistence", "--disableTelemetry", "--silent")
	cmd.Dir = t.TempDir()
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr.String())
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("azurite does not listen: %v\n%s", err, &out)
		}
	}
	return azurite{"http://" + addr.String() + "/" + azuriteAccount}
}

func sign(text string) string {
	key, _ := base64.StdEncoding.DecodeString(azuriteKey)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// put makes a container or blob with an account SAS.
// Source: Microsoft Learn, "Create an account SAS", string to sign from 2020-12-06 on.
func (a azurite) put(t *testing.T, target string, body []byte, headers ...string) {
	t.Helper()
	se := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	text := strings.Join([]string{azuriteAccount, "rwdc", "b", "co", "", se, "", "", azuriteVersion, "", ""}, "\n")
	q := url.Values{"sp": {"rwdc"}, "ss": {"b"}, "srt": {"co"}, "se": {se}, "sv": {azuriteVersion}, "sig": {sign(text)}}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	req, err := http.NewRequest(http.MethodPut, a.url+target+sep+q.Encode(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Ms-Version", azuriteVersion)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		said, _ := io.ReadAll(resp.Body)
		t.Fatalf("PUT %s: %s\n%s", target, resp.Status, said)
	}
}

// link makes a service SAS for one blob.
// Source: Microsoft Learn, "Create a service SAS", string to sign from 2020-12-06 on.
func (a azurite) link(path, sp string, st, se time.Time) string {
	start, expiry := st.UTC().Format(time.RFC3339), se.UTC().Format(time.RFC3339)
	text := strings.Join([]string{sp, start, expiry, "/blob/" + azuriteAccount + path, "", "", "", azuriteVersion, "b",
		"", "", "", "", "", "", ""}, "\n")
	q := url.Values{"sp": {sp}, "st": {start}, "se": {expiry}, "sv": {azuriteVersion}, "sr": {"b"}, "sig": {sign(text)}}
	return a.url + strings.ReplaceAll(path, " ", "%20") + "?" + q.Encode()
}

// TestAzurite runs the package against a blob server that we did not write.
func TestAzurite(t *testing.T) {
	a := startAzurite(t)
	const path = "/exports/Customer groups {1}+.csv"
	encoded := strings.NewReplacer(" ", "%20", "{", "%7B", "}", "%7D", "+", "%2B").Replace(path)
	content, other := noise(2*mib+3, 1), noise(mib, 2)
	a.put(t, "/exports?restype=container", nil)
	a.put(t, encoded, content, "X-Ms-Blob-Type", "BlockBlob")
	now := time.Now()
	good := a.link(path, "r", now.Add(-time.Hour), now.Add(time.Hour))
	c := testClient(t, ClientOptions{Loopback: true})
	fetchTo := func(link, file string, opt Options) (Result, error) {
		src, err := c.Link(link)
		if err != nil {
			t.Fatal(err)
		}
		return Download(context.Background(), src, file, opt)
	}

	file := filepath.Join(t.TempDir(), "raw")
	first, err := fetchTo(good, file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, file, content, first)

	t.Run("resumes", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "raw")
		if err := os.WriteFile(file+partSuffix, content[:mib], 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := fetchTo(good, file, Options{Mark: Mark{first.ETag, mib}})
		if err != nil || res.Resumed != 1 {
			t.Fatalf("Download = %+v, %v, want one resume", res, err)
		}
		checkFile(t, file, content, res)
	})
	t.Run("a mark at the very end", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "raw")
		if err := os.WriteFile(file+partSuffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := fetchTo(good, file, Options{Mark: Mark{first.ETag, int64(len(content))}})
		t.Logf("resumed %d", res.Resumed)
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, file, content, res)
	})

	expired := a.link(path, "r", now.Add(-2*time.Hour), now.Add(-time.Hour))
	refusals := []struct {
		name, link string
		kind       Kind
	}{
		{"expired", expired, KindExpired},
		{"not yet valid", a.link(path, "r", now.Add(time.Hour), now.Add(2*time.Hour)), KindNotYetValid},
		{"write only", a.link(path, "w", now.Add(-time.Hour), now.Add(time.Hour)), KindRefused},
		{"bad signature", good[:strings.Index(good, "sig=")] + good[strings.Index(good, "&sp="):] + "&sig=AAAA", KindRefused},
		{"no such blob", a.link("/exports/none.csv", "r", now.Add(-time.Hour), now.Add(time.Hour)), KindGone},
		{"no such container", a.link("/none/none.csv", "r", now.Add(-time.Hour), now.Add(time.Hour)), KindGone},
	}
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fetchTo(tt.link, filepath.Join(t.TempDir(), "raw"), Options{})
			t.Log(err)
			if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != tt.kind {
				t.Errorf("Download = %v, want kind %q", err, tt.kind)
			}
		})
	}

	t.Run("replaced under a mark", func(t *testing.T) {
		a.put(t, encoded, other, "X-Ms-Blob-Type", "BlockBlob")
		file := filepath.Join(t.TempDir(), "raw")
		if err := os.WriteFile(file+partSuffix, content[:mib/2], 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := fetchTo(good, file, Options{Mark: Mark{first.ETag, mib / 2}})
		if err != nil || res.ETag == first.ETag {
			t.Fatalf("Download = %+v, %v, want the new blob", res, err)
		}
		checkFile(t, file, other, res)
	})
}
