package dmf

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// actionPath stands before the name of each action of the package API.
//
// Source: Microsoft Learn, "Data management package REST API".
const actionPath = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."

// action calls an OData action and returns its value as text.
func (c *Client) action(ctx context.Context, r request, parameters map[string]any) (string, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // "A & B" is a data project's name, not a page
	if err := enc.Encode(parameters); err != nil {
		return "", err
	}
	r.method, r.url, r.data = http.MethodPost, c.endpoint(actionPath+r.op), true
	r.body = bytes.TrimSpace(body.Bytes())
	a, err := c.call(ctx, r)
	if err != nil {
		return "", err
	}
	value, ok := actionValue(a.body)
	if !ok {
		return "", c.unreadable(r.op, a, "no value in it")
	}
	return value, nil
}

// actionValue takes the value out of an action's answer; null is "". What is
// not a scalar comes as its JSON.
//
// Source: Microsoft Learn prints {"value":{"value":"…"}} for two actions.
// Observed: every working client reads {"value":"…"}. Both are taken.
func actionValue(body []byte) (string, bool) {
	raw := json.RawMessage(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
	for depth := 0; depth < 3; depth++ {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			break
		}
		inner, ok := object["value"]
		if !ok {
			if depth == 0 {
				return "", false
			}
			break
		}
		raw = bytes.TrimSpace(inner)
		if len(raw) == 0 || raw[0] != '{' {
			return valueText(raw), true
		}
	}
	return valueText(raw), json.Valid(raw) && len(raw) > 0 && raw[0] == '{'
}

func valueText(raw json.RawMessage) string {
	if string(raw) == "null" {
		return ""
	}
	if text := scalarText(raw); text != "" || string(raw) == `""` {
		return text
	}
	return string(raw)
}
