package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// One posts event n and wants it accepted as new. It returns as soon as the
// answer has arrived.
func One(ctx context.Context, door string, events Events, n int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, door, bytes.NewReader(events.Append(nil, n)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("post event %d: %w", n, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("post event %d: %w", n, err)
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("post event %d: answered %s, want 202: %s", n, resp.Status, answer)
	}
	return nil
}
