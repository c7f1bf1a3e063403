// Package backend is what a backend of a cache is, and what it shares with the caches
// on it. It is for those who write a backend: programs name package cache.
//
// A Backend keeps entries, by keys and tags in their stored form (StoredKey). It has one
// Invalidator, which it notifies of every change; the caches on it join the Invalidator
// with what they keep in memory. Package cachetest tests a backend.
package backend
