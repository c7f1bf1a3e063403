package webhook

// SmallOrders are the public keys that are refused.
var SmallOrders = smallOrders

// Len returns how many messages are remembered or in progress.
func (m *MemoryReplays) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}
