package dmf

import "testing"

// BenchmarkDecodeBusinessEvents is the part of an intake that this package
// has: one published event.
func BenchmarkDecodeBusinessEvents(b *testing.B) {
	for _, name := range []string{"published-2019", "base-fields"} {
		b.Run(name, func(b *testing.B) {
			body := readEvent(b, name)
			names := DefaultFieldNames()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				events, err := DecodeBusinessEvents(body, names)
				if err != nil || len(events) != 1 || events[0].DownloadURL == "" {
					b.Fatal(events, err)
				}
			}
		})
	}
}
