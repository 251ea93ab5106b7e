package flows

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// LinkField is a place in an event's body that holds what looks like the link
// to an exported file.
type LinkField struct {
	Path string `json:"field"` // keys with dots between them, as doors.finops.fields takes them
	Host string `json:"host"`  // that the link leads to
	// Unnamed says that no setting reaches the place: it is in a list, or in a
	// text that holds JSON.
	Unnamed bool `json:"unnamed,omitempty"`
}

// mostLinkFields is how many places are told.
const mostLinkFields = 5

// linkFields finds what looks like links in a body that was not understood. It
// gives places and hosts, never a link's query.
func linkFields(body []byte) []LinkField {
	var v any
	if json.Unmarshal([]byte(strings.TrimPrefix(string(body), "\uFEFF")), &v) != nil {
		return nil
	}
	if one, ok := v.([]any); ok && len(one) == 1 { // an array of events is read as each of them
		v = one[0]
	}
	var s linkSearch
	s.look("", v)
	return s.found
}

type linkSearch struct {
	found   []LinkField
	unnamed bool // below a list or a text
}

func (s *linkSearch) look(path string, v any) {
	if len(s.found) == mostLinkFields {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.look(strings.TrimPrefix(path+"."+key, "."), v[key])
		}
	case []any:
		inside := linkSearch{found: s.found, unnamed: true}
		for i, item := range v {
			inside.look(fmt.Sprintf("%s[%d]", path, i), item)
		}
		s.found = inside.found
	case string:
		s.text(path, v)
	}
}

func (s *linkSearch) text(path, text string) {
	if host := linkHost(text); host != "" {
		s.found = append(s.found, LinkField{Path: unsigned(clip(path)), Host: host, Unnamed: s.unnamed})
		return
	}
	held, ok := heldJSON(text)
	if !ok {
		return
	}
	inside := linkSearch{found: s.found, unnamed: true}
	inside.look(path, held)
	s.found = inside.found
}

// heldJSON reads the object or array that a text holds, as it stands or, as
// Logic Apps and Service Bus put a body into a field, in base64.
func heldJSON(text string) (v any, ok bool) {
	text = strings.TrimSpace(text)
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		text = string(plain)
	}
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return nil, false
	}
	return v, json.Unmarshal([]byte(text), &v) == nil
}

// linkHost is the host of a text that looks like the link to a file: an address
// of HTTP, signed, or in a blob storage. Else "": events carry other addresses too.
func linkHost(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ".blob.") || strings.Contains(host, ".dfs.") {
		return host
	}
	for name := range u.Query() {
		switch strings.ToLower(name) {
		case "sig", "signature", "x-amz-signature", "x-goog-signature":
			return host
		}
	}
	return ""
}

// linkAdvice says which field to name to the one who runs finrelay; "" when
// nothing looks like a link.
func (r *Relay) linkAdvice(fields []LinkField) string {
	if len(fields) == 0 {
		return ""
	}
	at := slices.IndexFunc(fields, func(f LinkField) bool { return !f.Unnamed })
	if at < 0 {
		return fmt.Sprintf("what looks like the link stands in %s (%s), inside a list or a text, where no setting reaches: have the sender put it into a field of the event",
			fields[0].Path, fields[0].Host)
	}
	f := fields[at]
	// A list replaces the one in force: the other senders' names stay in it.
	var names []string
	for _, name := range append(slices.Clone(r.cfg.FieldNames.DownloadURL), f.Path) {
		names = append(names, yamlWord(name))
	}
	return fmt.Sprintf("field %s holds what looks like the link (%s): set doors.finops.fields.download_url: [%s], finrelay reload, then finrelay rerun EVENT-ID",
		f.Path, f.Host, strings.Join(names, ", "))
}

var plainWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// yamlWord is a name as it may stand in a list of the configuration.
func yamlWord(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}
