package doors

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// Keys are the secrets that open a door. Several may be valid at once, so that
// a key can be changed without a gap. Only their hashes are kept.
type Keys struct{ hashes [][sha256.Size]byte }

// NewKeys takes the keys; empty ones are left out.
func NewKeys(keys ...string) Keys {
	var k Keys
	for _, key := range keys {
		if key != "" {
			k.hashes = append(k.hashes, sha256.Sum256([]byte(key)))
		}
	}
	return k
}

// Open says whether a presented key is one of ours. It takes the same time
// whichever key it is and wherever a wrong one differs: hashes of equal length
// are compared, all of them.
func (k Keys) Open(presented string) bool {
	h := sha256.Sum256([]byte(presented))
	found := 0
	for i := range k.hashes {
		found |= subtle.ConstantTimeCompare(h[:], k.hashes[i][:])
	}
	return found == 1
}

// presentedKeys are the places where senders put a key.
//
// Source: Azure Functions' convention, which FinOps' HTTPS endpoints and Power
// Automate flows are commonly set up with: query parameter "code" or header
// x-functions-key; besides them a bearer token.
func presentedKeys(r *http.Request) []string {
	keys := []string{r.Header.Get("x-functions-key")}
	keys = append(keys, queryKeys(r.URL.RawQuery)...)
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		keys = append(keys, strings.TrimSpace(token))
	}
	return keys
}

// queryKeys are the two readings of "code". A form says %2B for a plus sign and
// means a space by "+"; but whoever pastes a base64 key into an address leaves
// its plus signs as they are.
func queryKeys(query string) (keys []string) {
	for pair := range strings.SplitSeq(query, "&") {
		value, ok := strings.CutPrefix(pair, "code=")
		if !ok {
			continue
		}
		for _, decode := range []func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
			if key, err := decode(value); err == nil {
				keys = append(keys, key)
			}
		}
		return keys // the first is the one that counts
	}
	return nil
}

func (k Keys) admit(r *http.Request) bool {
	for _, key := range presentedKeys(r) {
		if key != "" && k.Open(key) {
			return true
		}
	}
	return false
}
