package dmf

// DecodeMessage reads a dequeue's answer that was kept, Message.Raw, so that
// its file can be opened after a restart. It returns ErrEmpty for an answer
// without a body.
func DecodeMessage(raw []byte) (Message, error) { return parseMessage(raw) }
