package unpack

import (
	"bufio"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// packedBuffer is how many packed bytes one read of the file asks for. The
// inflater's own 4 KB would cost a system call for each 15 KB of CSV.
const packedBuffer = 64 << 10

// inflater unpacks one member. Its memory, some 110 KB, serves the next.
type inflater struct {
	mu  sync.Mutex // Close may come from another goroutine than Read
	in  *bufio.Reader
	out io.ReadCloser // nil when closed
}

var inflaters sync.Pool

// inflate is the zip reader's way to unpack deflated members.
func inflate(r io.Reader) io.ReadCloser {
	if f, ok := inflaters.Get().(*inflater); ok {
		f.in.Reset(r)
		if err := f.out.(flate.Resetter).Reset(f.in, nil); err == nil {
			return f
		}
	}
	in := bufio.NewReaderSize(r, packedBuffer)
	return &inflater{in: in, out: flate.NewReader(in)}
}

func (f *inflater) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil {
		return 0, io.ErrClosedPipe
	}
	return f.out.Read(p)
}

// Close lets go of the file and gives the memory back, once.
func (f *inflater) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil {
		return nil
	}
	err := f.out.Close()
	f.in.Reset(nil)
	inflaters.Put(&inflater{in: f.in, out: f.out})
	f.in, f.out = nil, nil
	return err
}
