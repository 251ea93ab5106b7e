package fetch

// Defaults of Options.
const (
	DefaultMarkEvery = 16 << 20 // bytes between two Marks
	DefaultMaxBytes  = 64 << 30 // bytes of one blob
)

// Options of one Download. The zero value is ready to use.
type Options struct {
	// Mark is where an earlier attempt stopped; zero means from the start.
	Mark Mark
	// OnMark is called on the goroutine of Download, each time the bytes up
	// to the Mark are durable, and with the zero Mark before bytes it was
	// told of are thrown away. It has to be durable itself when it returns.
	// An error ends the Download. May be nil.
	OnMark func(Mark) error
	// MarkEvery is the number of bytes between two Marks. Defaults to
	// DefaultMarkEvery.
	MarkEvery int64
	// Progress is called on the goroutine of Download after each write, with
	// bytes on file and the whole length (-1 unknown). Has to be cheap. May
	// be nil.
	Progress func(done, total int64)
	// MaxBytes refuses a larger blob. Defaults to DefaultMaxBytes.
	MaxBytes int64
}

// Mark says that the first Offset bytes of the part file are durable and are
// those of the blob that ETag names.
type Mark struct {
	ETag   string
	Offset int64
}

// UnframedSuffix is put behind the name of a file of which nobody can say that
// it is whole, because its body ended only with the connection.
const UnframedSuffix = ".unframed"

// Result describes a file that came to its end.
type Result struct {
	Path    string // where it is: the path asked for, with UnframedSuffix unless Framed
	Bytes   int64
	SHA256  string // hex, lower case
	ETag    string // of the blob; "" when the server stated none, and from Existing
	Resumed int    // times that a body was continued in the middle
	// Framed: the body's end was the end of the blob. A file that is not framed
	// may be the first half of one.
	Framed      bool
	Vouched     bool   // as Body.Vouched; false from Existing
	ContentType string // as it came; "" from Existing
}

func (o Options) orDefaults() Options {
	if o.MarkEvery <= 0 {
		o.MarkEvery = DefaultMarkEvery
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	return o
}
