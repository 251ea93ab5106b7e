package sim

import "slices"

// messageStatus knows messages of export queues and files put in for import.
func (s *Sim) messageStatus(c *call) (answered, *odataError) {
	id := c.params.text("messageId")
	if m := s.queues.message(id); m != nil {
		return answered{value: m.State().String()}, nil
	}
	if _, state, ok := s.queues.importState(id); ok {
		return answered{value: jobStateNames[state]}, nil
	}
	return answered{}, badRequest(c.action, "The message %s does not exist.", id)
}

// executionOfMessage names the run that made a message's file, the empty GUID
// where none is known.
//
// Source: Microsoft Learn, "Recurring integrations" (2024): the parameter has
// an underscore. Observed: the empty GUID, in a connector for imports. Assumed:
// 400 for a message that does not exist.
func (s *Sim) executionOfMessage(c *call) (answered, *odataError) {
	id := c.params.text("_messageId")
	m := s.queues.message(id)
	if m == nil {
		return answered{}, badRequest(c.action, "The message %s does not exist.", id)
	}
	return answered{value: orElse(m.ExecutionID, s.madeBy(m.Blob, emptyGUID))}, nil
}

// madeBy gives the id of the run whose package a file is.
func (s *Sim) madeBy(file *Blob, unknown string) string {
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	i := slices.IndexFunc(s.packages.order, func(e *execution) bool { return file != nil && e.blob == file })
	if i < 0 {
		return unknown
	}
	return s.packages.order[i].id
}
