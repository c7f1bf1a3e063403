package cache

// Waiting is how many wait for the flight of a key.
func Waiting[V any](c *Cache[V], key string) int {
	_, hash, _ := c.key(key)
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f := c.flights.byHash[hash]; f != nil {
		return f.waiters
	}
	return 0
}
