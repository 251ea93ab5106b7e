package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// azuriteScript, set in the environment, is the path of Azurite's blob server:
// node_modules/azurite/dist/src/blob/main.js.
const azuriteScript = "FINRELAY_AZURITE"

// Azurite's account and key are public.
// Source: Microsoft Learn, "Use the Azurite emulator for local Azure Storage
// development", well-known storage account and key.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	azuriteVersion = "2021-12-02" // of the storage service, as FinOps' links have it
)

// azurite is a blob server that we did not write.
type azurite struct{ url string } // scheme, host and account

// blobClient keeps no connection, so that none is left when a test ends.
var blobClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

// startAzurite runs Azurite on a free port with a folder of its own and a
// container "dmf" until the test ends. Without Azurite the test is skipped,
// except in CI, which installs it.
func startAzurite(t *testing.T) azurite {
	t.Helper()
	script := os.Getenv(azuriteScript)
	node, err := exec.LookPath("node")
	if script == "" || err != nil {
		missing := fmt.Sprintf("no Azurite: install node and run npm ci in .ci, then set %s to node_modules/azurite/dist/src/blob/main.js", azuriteScript)
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	// --skipApiVersionCheck is not given: our requests must carry versions that exist.
	cmd := exec.Command(node, script, "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", t.TempDir(), "--disableTelemetry", "--silent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, done := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		defer close(address)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "successfully listens on "); ok {
				address <- strings.TrimSpace(at)
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	})
	select {
	case base, ok := <-address:
		if !ok {
			t.Fatalf("%s %s ended before it listened", node, script)
		}
		a := azurite{base + "/" + azuriteAccount}
		a.do(t, http.MethodPut, "/dmf?restype=container", nil, http.StatusCreated)
		return a
	case <-time.After(time.Minute):
		t.Fatal("azurite does not listen after a minute")
	}
	panic("not reached")
}

// do sends a request with an account SAS, which may do all.
//
// Source: Microsoft Learn, "Create an account SAS", string to sign of version
// 2020-12-06 and later.
func (a azurite) do(t *testing.T, method, target string, body []byte, want int, headers ...string) {
	t.Helper()
	expiry := sasTime(time.Now().Add(time.Hour))
	signature := signSAS(azuriteAccount, "rwdc", "b", "co", "", expiry, "", "", azuriteVersion, "", "")
	query := url.Values{"sp": {"rwdc"}, "ss": {"b"}, "srt": {"co"}, "se": {expiry}, "sv": {azuriteVersion}, "sig": {signature}}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.url+target+sep+query.Encode(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Ms-Version", azuriteVersion)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := blobClient.Do(req)
	if err != nil {
		t.Fatal(withoutQuery(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		said, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s, want %d\n%s", method, target, resp.Status, want, said)
	}
}

// upload stores a blob in one piece, as small exports are; the server then
// states its MD5.
func (a azurite) upload(t *testing.T, name string, content []byte) {
	t.Helper()
	a.do(t, http.MethodPut, "/dmf/"+name, content, http.StatusCreated, "X-Ms-Blob-Type", "BlockBlob")
}

// uploadBlocks stores a blob in blocks, as large exports are; the server has
// no MD5 of it then.
func (a azurite) uploadBlocks(t *testing.T, name string, content []byte, blockSize int) {
	t.Helper()
	var list strings.Builder
	list.WriteString("<BlockList>")
	for n := 0; len(content) > 0; n++ {
		block := content[:min(blockSize, len(content))]
		content = content[len(block):]
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "block-%04d", n))
		a.do(t, http.MethodPut, "/dmf/"+name+"?comp=block&blockid="+url.QueryEscape(id), block, http.StatusCreated)
		list.WriteString("<Latest>" + id + "</Latest>")
	}
	list.WriteString("</BlockList>")
	a.do(t, http.MethodPut, "/dmf/"+name+"?comp=blocklist", []byte(list.String()), http.StatusCreated)
}

func (a azurite) remove(t *testing.T, name string) {
	t.Helper()
	// The account SAS above cannot delete: links and tests alike can only do what they say.
	expiry := sasTime(time.Now().Add(time.Hour))
	link := a.url + "/dmf/" + name + "?" + a.serviceSAS(name, "d", time.Now().Add(-time.Hour), expiry)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := blobClient.Do(req)
	if err != nil {
		t.Fatal(withoutQuery(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("delete %s: %s", name, resp.Status)
	}
}

// link is what FinOps puts into an event: a service SAS for reading one blob.
func (a azurite) link(name string, expiry time.Time) string {
	return a.url + "/dmf/" + name + "?" + a.serviceSAS(name, "r", time.Now().Add(-5*time.Minute), sasTime(expiry))
}

// Source: Microsoft Learn, "Create a service SAS", string to sign of version
// 2020-12-06 and later.
func (a azurite) serviceSAS(name, permissions string, start time.Time, expiry string) string {
	from := sasTime(start)
	signature := signSAS(permissions, from, expiry, "/blob/"+azuriteAccount+"/dmf/"+name, "", "", "", azuriteVersion, "b",
		"", "", "", "", "", "", "")
	return url.Values{"sv": {azuriteVersion}, "sr": {"b"}, "sig": {signature}, "st": {from}, "se": {expiry}, "sp": {permissions}}.Encode()
}

// sasTime is in whole seconds, as links have it.
func sasTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func signSAS(lines ...string) string {
	key, err := base64.StdEncoding.DecodeString(azuriteKey)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
