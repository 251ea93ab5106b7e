package dmf

import (
	"encoding/json"
	"errors"
	"testing"
)

const wholeMessage = `{
  "CorrelationId": "7D9A2F10-5F0E-4D0B-9F55-2F7B6A1C0A01",
  "PopReceipt": "AgAAAAMAAAAAAAAAq83vASNFZ4k=",
  "DownloadLocation": "http://contoso.operations.dynamics.com:80/api/connector/download/x?correlation-id=1&blob=2",
  "IsDownLoadFileExist": true,
  "FileDownLoadErrorMessage": ""
}`

func TestParseMessage(t *testing.T) {
	const id = "7d9a2f10-5f0e-4d0b-9f55-2f7b6a1c0a01"
	const location = "http://contoso.operations.dynamics.com:80/api/connector/download/x?correlation-id=1&blob=2"
	for _, c := range []struct {
		name, body string
		want       Message // without Raw
	}{
		{"whole", wholeMessage, Message{CorrelationID: id, PopReceipt: "AgAAAAMAAAAAAAAAq83vASNFZ4k=", DownloadLocation: location, HasFile: true}},
		{"byte order mark", "\xEF\xBB\xBF" + wholeMessage, Message{CorrelationID: id, PopReceipt: "AgAAAAMAAAAAAAAAq83vASNFZ4k=", DownloadLocation: location, HasFile: true}},
		{"null location", `{"CorrelationId":"a","PopReceipt":"p","DownloadLocation":null,"IsDownLoadFileExist":false,"FileDownLoadErrorMessage":" No records. "}`,
			Message{CorrelationID: "a", PopReceipt: "p", FileError: "No records."}},
		{"location denied", `{"CorrelationId":"a","DownloadLocation":"/x","IsDownLoadFileExist":false}`, Message{CorrelationID: "a", DownloadLocation: "/x"}},
		{"denied in words", `{"CorrelationId":"a","DownloadLocation":"/x","IsDownLoadFileExist":"False"}`, Message{CorrelationID: "a", DownloadLocation: "/x"}},
		{"flag without location", `{"CorrelationId":"a","PopReceipt":"p","DownloadLocation":"","IsDownLoadFileExist":true}`, Message{CorrelationID: "a", PopReceipt: "p"}},
		{"no flag", `{"CorrelationId":"a","DownloadLocation":"/x"}`, Message{CorrelationID: "a", DownloadLocation: "/x", HasFile: true}},
		{"plain capitals", `{"correlationid":"{A}","popreceipt":"P","downloadlocation":"/x","isDownloadFileExist":1}`,
			Message{CorrelationID: "a", PopReceipt: "P", DownloadLocation: "/x", HasFile: true}},
		{"first delivery", `{"CorrelationId":"a","PopReceipt":"p","LastDequeueDateTime":""}`, Message{CorrelationID: "a", PopReceipt: "p"}},
		{"later delivery", `{"CorrelationId":"a","PopReceipt":"p","LastDequeueDateTime":"2026-03-02T09:15:42Z"}`, Message{CorrelationID: "a", PopReceipt: "p", LastDequeued: "2026-03-02T09:15:42Z"}},
		{"other name for it", `{"CorrelationId":"a","PopReceipt":"p","DequeueCount":0,"LastDequeuedTime":"x"}`, Message{CorrelationID: "a", PopReceipt: "p", LastDequeued: "x"}},
		{"object in a string", `"{\"CorrelationId\":\"a\",\"DownloadLocation\":\"/x\"}"`, Message{CorrelationID: "a", DownloadLocation: "/x", HasFile: true}},
	} {
		got, err := parseMessage([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if string(got.Raw) != c.body {
			t.Errorf("%s: Raw is %q, want the body byte for byte", c.name, got.Raw)
		}
		got.Raw = nil
		if !equalMessages(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func equalMessages(a, b Message) bool {
	return a.CorrelationID == b.CorrelationID && a.PopReceipt == b.PopReceipt && a.DownloadLocation == b.DownloadLocation &&
		a.HasFile == b.HasFile && a.FileError == b.FileError && a.LastDequeued == b.LastDequeued
}

func TestParseMessageWithoutOne(t *testing.T) {
	for body, want := range map[string]error{
		"": ErrEmpty, " \r\n": ErrEmpty, "null": ErrEmpty, `""`: ErrEmpty, "\xEF\xBB\xBF": ErrEmpty,
		"{}": ErrUnreadable, "[]": ErrUnreadable, "<html><title>Sign in</title>": ErrUnreadable,
		`{"CorrelationId":`: ErrUnreadable, `{"PopReceipt":"p"}`: ErrUnreadable, `{"CorrelationId":{}}`: ErrUnreadable,
		`{"error":{"code":"503"},"correlationId":"7d9a2f10"}`: ErrUnreadable,
	} {
		if _, err := parseMessage([]byte(body)); !errors.Is(err, want) {
			t.Errorf("parseMessage(%q): got %v, want %v", body, err, want)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(wholeMessage))
	f.Add([]byte(`{"CorrelationId":"a","DownloadLocation":null,"IsDownLoadFileExist":false}`))
	f.Add([]byte(`"{\"CorrelationId\":\"a\"}"`))
	f.Add([]byte("\xEF\xBB\xBF null"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseMessage(body)
		if err != nil {
			if !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrUnreadable) {
				t.Fatalf("%q: error of no known kind: %v", body, err)
			}
			return
		}
		if string(m.Raw) != string(body) || m.CorrelationID == "" || m.CorrelationID != Fold(m.CorrelationID) {
			t.Fatalf("%q: got %+v", body, m)
		}
		if m.HasFile && m.DownloadLocation == "" {
			t.Fatalf("%q: a file without a location", body)
		}
		if !json.Valid(trimBOM(body)) {
			t.Fatalf("%q: a message out of what is not JSON", body)
		}
	})
}

func trimBOM(b []byte) []byte {
	if len(b) >= 3 && string(b[:3]) == "\xEF\xBB\xBF" {
		return b[3:]
	}
	return b
}
