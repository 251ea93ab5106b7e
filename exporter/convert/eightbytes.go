package convert

// The fast readers take eight bytes at a time as one number and ask about all of
// them at once, with arithmetic that every processor has.
const (
	ones     = 0x0101010101010101 // times c: c in each of the eight bytes
	highBits = 0x8080808080808080 // marks a byte in an answer

	quotes      = '"' * ones
	backslashes = '\\' * ones
)

// equal marks the bytes of x that are those of pattern. The lowest mark is
// true; one above it may be false, since the subtraction borrows. So an answer
// says where the first such byte is, and nothing more.
func equal(x, pattern uint64) uint64 {
	x ^= pattern
	return (x - ones) &^ x
}

// control marks the bytes of x below 0x20, in the same way.
func control(x uint64) uint64 { return (x - 0x20*ones) &^ x }
