package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Existing reads a file that Download has already given its name, so that a
// caller who crashed between the rename and its own note of it can adopt the
// file. It returns false when there is none. A file at path came to its end, as
// Download gives no other one its name; Result.ETag, Resumed and ContentType
// are empty.
//
// The folder is synced on the way: the crash may have come before Download
// did so.
func Existing(path string) (Result, bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Result{}, false, nil
	}
	if err != nil {
		return Result{}, false, fmt.Errorf("open file to adopt: %w", err)
	}
	defer file.Close() // only read
	info, err := file.Stat()
	if err != nil {
		return Result{}, false, fmt.Errorf("stat file to adopt: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Result{}, false, fmt.Errorf("adopt %s: not a regular file", path)
	}
	sha := sha256.New()
	n, err := hashFile(context.Background(), sha, file, make([]byte, bufferSize))
	if err != nil {
		return Result{}, false, fmt.Errorf("read file to adopt: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return Result{}, false, fmt.Errorf("sync folder: %w", err)
	}
	return Result{Path: path, Framed: true, Bytes: n, SHA256: hex.EncodeToString(sha.Sum(nil))}, true, nil
}

// hashFile feeds src to w and stops between two buffers when ctx ends.
func hashFile(ctx context.Context, w io.Writer, src io.Reader, buffer []byte) (n int64, err error) {
	for ctx.Err() == nil {
		got, err := src.Read(buffer)
		w.Write(buffer[:got]) // hashes do not fail
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, context.Cause(ctx)
}
